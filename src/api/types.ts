// Generated from server/openapi.yaml by 'jlpm types'; not edited by hand.
export interface paths {
    "/repos": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Repos by name, each with its newest commit. */
        get: operations["listRepos"];
        put?: never;
        /** Create a repo with an empty first commit on its branch main. */
        post: operations["createRepo"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        /** One repo. */
        get: operations["getRepo"];
        put?: never;
        post?: never;
        /** Remove a repo with its history; restoreRepo brings it back for a while. */
        delete: operations["deleteRepo"];
        options?: never;
        head?: never;
        /** Replace a repo's description. */
        patch: operations["updateRepo"];
        trace?: never;
    };
    "/repos/{repo}/limit": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        get?: never;
        /** Say how large the tree of one commit of a repo may be. */
        put: operations["setLimit"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Bring back the repo of this name that was deleted last, without its sessions. */
        post: operations["restoreRepo"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How much history repos keep. */
        get: operations["listRetentions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/retention": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        get?: never;
        /** Say how much history a repo keeps; nothing goes until applyRetention. */
        put: operations["setRetention"];
        post?: never;
        /** Forget a policy. */
        delete: operations["deleteRetention"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/retention/apply": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove the commits that the policies of a repo do not keep. It cannot be undone. */
        post: operations["applyRetention"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        /** Branches and tags by name. */
        get: operations["listRefs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /** One branch or tag, by its name. */
        get: operations["getRef"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/branches": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Create a branch at a commit; no bytes move. */
        post: operations["createBranch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/branches/{branch}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a branch that no session writes to. */
        delete: operations["deleteBranch"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/tags": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Create a tag at a commit. */
        post: operations["createTag"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/tags/{tag}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                tag: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a tag. */
        delete: operations["deleteTag"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/rename": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give a branch or tag another name. */
        post: operations["renameRef"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put a branch or tag back to what it was before its last move. */
        post: operations["undoRef"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/branches/{branch}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Point a branch to any commit of its repo. */
        post: operations["resetRef"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/moves": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        /** The reflog, newest first. */
        get: operations["listMoves"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/commits": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /**
         * The commits that a ref leads back to, newest first.
         * @description Commits that fit are looked for about a second. A page may then be short, or empty, and name the next one all the same.
         */
        get: operations["listCommits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/commits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Commits of the whole lake that fit all that is asked, newest first. */
        get: operations["searchCommits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/commits/{ref}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /** The commit that a ref expression means now. */
        get: operations["getCommit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/count": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /** How many commits lead to a ref and not to another one. */
        get: operations["countCommits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        /** The paths on which two commits differ, in more than a time. */
        get: operations["diffCommits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/branches/{branch}/merges": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Take over into a branch what another line of history changed since they parted. */
        post: operations["mergeCommit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/branches/{branch}/squash": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replace the commits of a branch behind one of them by one with the same tree. */
        post: operations["squashCommit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/branches/{branch}/reverts": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Commit to a branch the opposite of what a commit changed. */
        post: operations["revertCommit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/branches/{branch}/picks": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Commit to a branch what a commit changed elsewhere. */
        post: operations["cherryPick"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/diff/text": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How two files differ as texts, in hunks. */
        get: operations["diffText"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/diff/table": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How two tables, CSV or Parquet, differ in columns and rows.
         * @description Both are read; a page of a large table takes as long as the whole difference.
         */
        get: operations["diffTable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/files": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /** The children of a folder, by name. */
        get: operations["listFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/file": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /** What is at a path. */
        get: operations["getFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/content": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /**
         * A file's bytes, or one range of them.
         * @description Always sent as a download; nothing in a lake is rendered on the server's origin.
         */
        get: operations["readFile"];
        /** Commit one file to a branch; the body is its content, streamed. */
        put: operations["putFile"];
        post?: never;
        /** Commit the removal of a file or folder. */
        delete: operations["deleteFile"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /**
         * One page of a file; rows of a table, lines of a text, facts of anything else.
         * @description Never the whole of a large file; nothing of what it holds is run. Ends when the connection does.
         */
        get: operations["previewFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/statistics": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /**
         * What the columns of a table hold.
         * @description At most the first million rows are looked at. Ends when the connection does.
         */
        get: operations["describeFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/links": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link by which whoever has it may download a file from the store itself.
         * @description Of lakes in S3 that are not encrypted. Others hand out files by readFile.
         */
        post: operations["shareFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/copies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Commit a copy of a file or folder, also between repos; no bytes move. */
        post: operations["copyFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/renames": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Commit a move of a file or folder within its branch; no bytes move. */
        post: operations["renameFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/restores": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Commit that a branch has at a path what another commit of the repo has there. */
        post: operations["restoreFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Open sessions, oldest first. */
        get: operations["listSessions"];
        put?: never;
        /** Begin a session on a branch. */
        post: operations["createSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        /** One session. */
        get: operations["getSession"];
        put?: never;
        post?: never;
        /** Remove a session that is not mounted, with everything staged in it. */
        delete: operations["deleteSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/changes": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        /** What is staged in a session, by path. */
        get: operations["diffSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/changed": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        /** The children of a folder at or below which something is staged, by name. */
        get: operations["listChanged"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/diff/text": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        /** How a staged file differs, as a text, from the commit its session is based on. */
        get: operations["diffSessionText"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/diff/table": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        /** How a staged table differs, by rows and columns, from the commit its session is based on. */
        get: operations["diffSessionTable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/content": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        /**
         * The bytes of a file in a session, committed or not, or one range of them.
         * @description Always sent as a download; nothing in a lake is rendered on the server's origin.
         */
        get: operations["readSession"];
        /** Stage a file, or a part of it, in a session that is not mounted; the body is the bytes, streamed. */
        put: operations["writeSession"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/contents": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Stage many small files in a session that is not mounted, in one request.
         * @description The body is a line of JSON, a list of objects with the keys `path` and `size`, and behind it the bytes of the files in that order. A size is at most 16 MiB; null means a folder, which may stay empty. Files that are refused are named in the answer, and the others are taken.
         */
        put: operations["writeAll"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/commits": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Commit what is staged; the session goes on from the new commit.
         * @description `If-Match` may carry the commit the caller believes the session to be based on; if the session has moved on since, the answer is 409 `branch-moved` and nothing is committed.
         */
        post: operations["commitSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Commit what is staged in several sessions at once; all branches move, or none does. */
        post: operations["commitTogether"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/restores": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stage in a session that is not mounted what a commit has at a path. */
        post: operations["restoreSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/discards": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Drop what is staged, everywhere or at and below some paths. */
        post: operations["discardSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drafts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What sessions held when they were saved last, newest first. */
        get: operations["listDrafts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{session}/drafts": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Save a draft of what is staged; mounts do it each minute. */
        post: operations["saveSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drafts/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Drop the draft of a session; the session stays, if it is there. */
        delete: operations["dropDraft"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drafts/{session}/recoveries": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin a session that holds what the draft of another one has. */
        post: operations["recoverSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is mounted, by path. */
        get: operations["listMounts"];
        put?: never;
        /** Mount a repo below the server's mount point. */
        post: operations["createMount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mounts/{mount}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mount: components["parameters"]["mount"];
            };
            cookie?: never;
        };
        /** One mount, by the name of its folder. */
        get: operations["getMount"];
        put?: never;
        post?: never;
        /** Unmount; a session with staged changes stays, and is taken up by the next mount. */
        delete: operations["deleteMount"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mounts/{mount}/switches": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mount: components["parameters"]["mount"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Show another ref in the same folder; what is staged stays with its branch. */
        post: operations["switchMount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mountpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Folders that show repos, and how the processes behind them are doing. */
        get: operations["listMountpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drive/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The children of a folder of the drive, by name; what is mounted, for its root. */
        get: operations["listDriveFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drive/file": {
        parameters: {
            query: {
                /** @description As below the mount point: `raw/x.csv`, `raw@v1/x.csv`. */
                path: components["parameters"]["drivePath"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is at a path of the drive. */
        get: operations["getDriveFile"];
        put?: never;
        post?: never;
        /** Stage the removal of a file, or of a folder with everything in it. */
        delete: operations["deleteDriveFile"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drive/content": {
        parameters: {
            query: {
                /** @description As below the mount point: `raw/x.csv`, `raw@v1/x.csv`. */
                path: components["parameters"]["drivePath"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A file's present bytes, or one range of them.
         * @description Always sent as a download; nothing in a lake is rendered on the server's origin.
         */
        get: operations["readDriveFile"];
        /** Stage a file; the body is its content, streamed. */
        put: operations["putDriveFile"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drive/folders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stage a folder. */
        post: operations["makeFolder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drive/renames": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stage a move of a file or folder within its mount. */
        post: operations["renameDriveFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/drive/copies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stage a copy of a file or folder, also from another mount or a commit. */
        post: operations["copyDriveFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Pipelines by name. */
        get: operations["listPipelines"];
        put?: never;
        /** Publish a new pipeline; it runs at once where its inputs hold data. */
        post: operations["createPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        /** One pipeline. */
        get: operations["getPipeline"];
        /** Publish the next version of a pipeline. */
        put: operations["updatePipeline"];
        post?: never;
        /** Remove a pipeline with its jobs; its output stays. */
        delete: operations["deletePipeline"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipeline-groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The groups of pipelines by name, each with what is in the groups inside it. */
        get: operations["listGroups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipeline-groups/{group}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A group of pipelines, such as etl/daily. */
                group: components["parameters"]["group"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let all pipelines of a group take up no new work. */
        post: operations["pauseGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipeline-groups/{group}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A group of pipelines, such as etl/daily. */
                group: components["parameters"]["group"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let all pipelines of a group take up work again. */
        post: operations["resumeGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipeline-groups/{group}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A group of pipelines, such as etl/daily. */
                group: components["parameters"]["group"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run all pipelines of a group now, under one global id. */
        post: operations["runGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a pipeline take up no new work. */
        post: operations["pausePipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a pipeline take up work again. */
        post: operations["resumePipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tick a pipeline's clock, or run it over its inputs as they are. */
        post: operations["runPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/backfills": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a pipeline over the past, a job for each commit of an input or for each tick. */
        post: operations["backfillPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/exports": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A pipeline as a file for another scheduler. */
        post: operations["exportPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipeline-diffs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What has to be done so that pipelines are as a folder, or specs, declare them; nothing is changed. */
        post: operations["diffPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipeline-declarations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the lake's pipelines those that a folder, or specs, declare; all of it or nothing. */
        post: operations["applyAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipeline-files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write pipelines to a file of specs, and their code beside it. */
        post: operations["writePipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/slots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How much there is of each resource; `jobs` is how many are at work at once. */
        get: operations["listSlots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/slots/{resource}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                resource: string;
            };
            cookie?: never;
        };
        get?: never;
        /** Say how much there is of a resource that datums hold while they run. */
        put: operations["setSlots"];
        post?: never;
        /** Forget a resource; `jobs` gets its default back. */
        delete: operations["deleteSlots"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/pipelines/{pipeline}/plan": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        /** What would run now, and why. */
        get: operations["planPipeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/previews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Datums that a spec makes, in their order; the pipeline need not exist. */
        post: operations["previewPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schedule-previews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** When a schedule ticks next, by the code that clocks run by. */
        post: operations["previewSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/promotions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The draft of a pipeline that runs a notebook; nothing is published. */
        post: operations["promotePipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/chains": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The drafts of pipelines that run notebooks and feed each other, in their order. */
        post: operations["promoteAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/renderings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The spec that a template makes of arguments; nothing is published. */
        post: operations["renderPipeline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schemas/template-arguments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The JSON Schema of a template's arguments, from which a form can be made. */
        post: operations["getTemplateSchema"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/schemas/pipeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The JSON Schema of the written form of a pipeline. */
        get: operations["getSchema"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs, newest first. */
        get: operations["listJobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        /** One job. */
        get: operations["getJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cancellations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop every job that has not ended, or every one of a pipeline or group. */
        post: operations["cancelAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/cancellations": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a job; nothing is committed, datums that succeeded are kept. */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/reruns": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a job's pipeline again over its inputs as they are now, or as the job read them. */
        post: operations["rerunJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/resumptions": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Go on with a job that failed or was cancelled, running what of it did not succeed. */
        post: operations["resumeJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/datums": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        /** A job's datums by position. */
        get: operations["listDatums"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        /** What a job's datums printed; running ones as far as they are. */
        get: operations["getLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lines of logs that hold a text, of the newest jobs first. */
        get: operations["searchLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/datums/{datum}/notebook": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: number;
            };
            cookie?: never;
        };
        /** A datum's executed notebook; of a failed one as far as it came. */
        get: operations["getNotebook"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/datums/{datum}/cells": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: number;
            };
            cookie?: never;
        };
        /** The code cells of a datum's notebook with their states, also while it runs. */
        get: operations["listCells"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/comparisons/{other}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
                /** @description The beginning of another job's id. */
                other: string;
            };
            cookie?: never;
        };
        /** Two jobs beside each other: code, parameters, inputs, output and times. */
        get: operations["compareJob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/jobs/{job}/datums/{datum}/reopenings": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
                datum: number;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a datum's folder once more, to work in it by hand. */
        post: operations["reopenJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/kernels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Kernels in which cells failed that are kept on this machine, the first to end first. */
        get: operations["listKernels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/kernels/{kernel}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kernel: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a kernel that is kept, with all it holds. */
        delete: operations["endKernel"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fixes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Publish what was mended in a reopened datum's folder, and run it. */
        post: operations["publishFix"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/globals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Global ids, newest first; each is one change and all it set off. */
        get: operations["listLineage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/observed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which programs opened which files, newest first. */
        get: operations["listObserved"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/globals/{global_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                global_id: string;
            };
            cookie?: never;
        };
        /** The jobs and commits under a global id. */
        get: operations["getGlobal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/repos/{repo}/refs/{ref}/lineage": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        /** What a commit, or one of its files, was made from, and what was made from it. */
        get: operations["getLineage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The graph of repos, pipelines, clocks, warehouse tables and notebooks that were seen to open files. */
        get: operations["getGraph"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reproductions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to run again what made a commit, and to compare; an event reproduction.ended tells what came of it. A dry run answers when it is done. */
        post: operations["reproduceLineage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reproductions/{reproduction}/differences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The paths on which what was made again differs from what was recorded; for a day behind the end. */
        get: operations["listDifferences"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Specs that were run on some of their datums, newest first; each is kept for a day on the machine that ran it. */
        get: operations["listTrials"];
        put?: never;
        /**
         * Begin to run a spec on some of its datums, and to compare with what its output holds; events trial.changed tell how it goes on.
         * @description Nothing is published or committed, and no job is made. What is wrong is told at once.
         */
        post: operations["runTrial"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        /** One trial with its datums, as far as it is. */
        get: operations["getTrial"];
        put?: never;
        post?: never;
        /** Forget a trial that has ended, with all it made. */
        delete: operations["deleteTrial"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}/cancellations": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Have a trial stop; an event trial.changed tells when it has. */
        post: operations["cancelTrial"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}/datums/{datum}/log": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: components["parameters"]["triedDatum"];
            };
            cookie?: never;
        };
        /** What a datum of a trial printed; while it runs, as far as it is. */
        get: operations["getTrialLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}/datums/{datum}/notebook": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: components["parameters"]["triedDatum"];
            };
            cookie?: never;
        };
        /** The executed notebook of a datum of a trial; of a failed one as far as it came. */
        get: operations["getTrialNotebook"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}/datums/{datum}/cells": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: components["parameters"]["triedDatum"];
            };
            cookie?: never;
        };
        /** The code cells of the notebook of a datum of a trial with their states, also while it runs. */
        get: operations["listTrialCells"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}/differences": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        /** The paths on which what was written differs from what the output branch holds. */
        get: operations["listTrialDifferences"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}/diff/text": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        /** How a file that was written differs, as a text, from that of the output branch. */
        get: operations["diffTrialText"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}/diff/table": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        /** How a table that was written differs, by rows and columns, from that of the output branch. */
        get: operations["diffTrialTable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/trials/{trial}/content": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        /**
         * The bytes of a file that was written, or of that of the output branch, or one range of them.
         * @description Always sent as a download; nothing in a lake is rendered on the server's origin.
         */
        get: operations["readTrial"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/remotes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Other lakes by name. */
        get: operations["listRemotes"];
        put?: never;
        /** Give another lake a name; it need not be there yet. */
        post: operations["createRemote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/remotes/{remote}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                remote: components["parameters"]["remote"];
            };
            cookie?: never;
        };
        /** One remote. */
        get: operations["getRemote"];
        put?: never;
        post?: never;
        /** Forget a remote; the lake there is left alone. */
        delete: operations["deleteRemote"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/remotes/{remote}/pushes": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                remote: components["parameters"]["remote"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to bring commits and refs to a remote; an event remote.changed tells how it ended. */
        post: operations["pushRemote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/remotes/{remote}/pulls": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                remote: components["parameters"]["remote"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to bring commits and refs from a remote; an event remote.changed tells how it ended. */
        post: operations["pullRemote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Warehouse connections by name. */
        get: operations["listConnections"];
        put?: never;
        /** Name a way into a warehouse. */
        post: operations["createConnection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: components["parameters"]["connection"];
            };
            cookie?: never;
        };
        /** One connection. */
        get: operations["getConnection"];
        put?: never;
        post?: never;
        /** Forget a connection; the warehouse is left alone. */
        delete: operations["deleteConnection"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}/tables": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: components["parameters"]["connection"];
            };
            cookie?: never;
        };
        /** The tables that a connection leads to. */
        get: operations["listTables"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/connections/{connection}/queries": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: components["parameters"]["connection"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The first rows of a query's answer. */
        post: operations["queryConnection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened behind a number, oldest first. */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A websocket that sends each event as it happens, as one JSON text message. */
        get: operations["followEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notifications": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What people were told or are to be told, newest first. */
        get: operations["listNotifications"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notifications/{notification}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                notification: components["parameters"]["notification"];
            };
            cookie?: never;
        };
        /** One notification. */
        get: operations["getNotification"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notifications/{notification}/retries": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                notification: components["parameters"]["notification"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a notification anew that was sent or given up; its id stays the same. */
        post: operations["retryNotification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notification-tests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a message to everybody whom the rules of a pipeline name, or those of the lake. */
        post: operations["testNotification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/notification-rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The rules for pipelines that have none of their own. */
        get: operations["getNotificationRules"];
        /** Put other rules in their place. */
        put: operations["setNotificationRules"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the lake is, how much it holds, and whether its pipelines run. */
        get: operations["getStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A consistent copy of the lake's database, as a SQLite file to keep.
         * @description Taken while others go on writing; it holds everything of one moment.
         */
        get: operations["backupLake"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/quota": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Say how much the lake may store. */
        put: operations["setQuota"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the last runs of garbage collection did, newest first. */
        get: operations["listRuns"];
        put?: never;
        /** Begin to remove what nobody needs; an event collection.changed tells how it ended. A dry run answers when it is done. */
        post: operations["gcLake"];
        /** End the run of garbage collection that is at work, wherever that is; what it did stays done. */
        delete: operations["cancelGc"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/gc/auto": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Say how often garbage collection may run by itself. */
        put: operations["setAutoGc"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What every repo takes, and what repos share. */
        get: operations["getUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What this machine can do for the lake, and what stands in the way. */
        get: operations["getDoctor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Error: {
            /** @description A stable code; see docs/reference/errors.md. */
            kind: string;
            message: string;
            retryable: boolean;
            details: Record<string, unknown>;
        };
        /** Format: date-time */
        Time: string;
        Next: string | null;
        /** @enum {string} */
        RepoKind: "user" | "output" | "code";
        RepoHead: {
            commit_id: string;
            created_at: components["schemas"]["Time"];
            author: string;
            message: string;
            file_count: number;
            size_bytes: number;
        };
        Repo: {
            name: string;
            kind: components["schemas"]["RepoKind"];
            description: string;
            created_at: components["schemas"]["Time"];
            created_by: string;
            head: components["schemas"]["RepoHead"] | null;
        };
        RepoPage: {
            results: components["schemas"]["Repo"][];
            next: components["schemas"]["Next"];
        };
        /** @enum {string} */
        RefKind: "branch" | "tag";
        Ref: {
            /** @description What a tag says about what it marks. */
            message: string | null;
            created_by: string | null;
            repo: string;
            name: string;
            kind: components["schemas"]["RefKind"];
            commit_id: string;
            updated_at: components["schemas"]["Time"];
        };
        RefPage: {
            results: components["schemas"]["Ref"][];
            next: components["schemas"]["Next"];
        };
        RefMove: {
            /** @description Names the move; grows with every move. */
            number: number;
            renamed_from: string | null;
            renamed_to: string | null;
            repo: string;
            name: string;
            kind: components["schemas"]["RefKind"];
            old_commit_id: string | null;
            new_commit_id: string | null;
            at: components["schemas"]["Time"];
            by: string;
            reason: string;
        };
        RefMovePage: {
            results: components["schemas"]["RefMove"][];
            /** @description What to pass as `before`. */
            next: number | null;
        };
        Author: {
            name: string;
            email: string | null;
        };
        InputCommit: {
            name: string;
            repo: string;
            branch: string;
            commit_id: string;
        };
        Provenance: {
            /** @enum {string} */
            origin: "repo" | "session" | "job" | "code";
            pipeline: string | null;
            pipeline_version: number | null;
            job_id: string | null;
            code: components["schemas"]["InputCommit"] | null;
            inputs: components["schemas"]["InputCommit"][];
            parameters: Record<string, unknown>;
            environment: string | null;
            /** @description The tick that clocks among the inputs stood for. */
            tick_ns: number | null;
        };
        Commit: {
            id: string;
            repo: string;
            branch: string;
            root: string;
            parents: string[];
            author: components["schemas"]["Author"];
            time_ns: number;
            created_at: components["schemas"]["Time"];
            message: string;
            global_id: string;
            metadata: {
                [key: string]: string;
            };
            provenance: components["schemas"]["Provenance"];
            file_count: number;
            size_bytes: number;
        };
        CommitPage: {
            results: components["schemas"]["Commit"][];
            next: components["schemas"]["Next"];
        };
        CommitLogPage: {
            results: components["schemas"]["Commit"][];
            next: components["schemas"]["Next"];
            /** @description How many commits were looked at for this page, those that do not fit included. */
            looked: number;
        };
        CommitCount: {
            /** @description At most as many as were asked for. */
            count: number;
            /** @description Whether there are more than that. */
            has_more: boolean;
        };
        /**
         * @description What becomes of paths that both sides changed: from a path (with all below it) or glob to
         *     `ours`, `theirs` or an address. The first that fits counts.
         */
        Choices: {
            [key: string]: string;
        };
        /**
         * @description What becomes of paths that others changed too: from a path (with all below it) to `mine`,
         *     which is staged, or `theirs`, which the branch has now. The longest that fits counts.
         */
        SessionChoices: {
            [key: string]: "mine" | "theirs";
        };
        Conflict: {
            path: string;
            /** @enum {string} */
            kind: "both-added" | "both-modified" | "ours-removed" | "theirs-removed" | "file-and-folder";
            base: components["schemas"]["File"] | null;
            ours: components["schemas"]["File"] | null;
            theirs: components["schemas"]["File"] | null;
        };
        MergeReport: {
            /** @enum {string} */
            outcome: "merged" | "fast-forward" | "up-to-date" | "conflicts";
            /** @description Where the branch is now; null for a dry run. */
            commit: components["schemas"]["Commit"] | null;
            base_commit_id: string | null;
            ours_commit_id: string;
            theirs_commit_id: string;
            /** @description What a dry run would change. */
            changes: components["schemas"]["Change"][];
            has_more: boolean;
            /** @description Of a dry run, at most 10,000 of them. */
            conflicts: components["schemas"]["Conflict"][];
            conflict_count: number;
        };
        /** @enum {string} */
        FileKind: "file" | "folder" | "symlink";
        File: {
            path: string;
            name: string;
            kind: components["schemas"]["FileKind"];
            size_bytes: number;
            mode: number;
            mtime_ns: number;
            digest: string | null;
            file_count: number;
            target: string | null;
        };
        DriveFile: {
            /** @description With the name of the mount in front: `raw/x.csv`. */
            path: string;
            name: string;
            kind: components["schemas"]["FileKind"];
            /** @description 0 for a folder. */
            size_bytes: number;
            mode: number;
            /** @description That of the commit for a folder which has none; 0 above the repos. */
            mtime_ns: number;
            is_writable: boolean;
            digest: string | null;
            target: string | null;
            /** @description Null above the repos, as are the following. */
            repo: string | null;
            ref: string | null;
            /** @description What is shown, or what the staged changes are relative to. */
            commit_id: string | null;
            session_id: string | null;
        };
        DriveFilePage: {
            results: components["schemas"]["DriveFile"][];
            next: components["schemas"]["Next"];
        };
        SharedFile: {
            path: string;
            url: string;
            /** Format: date-time */
            expires_at: string;
            size_bytes: number;
        };
        FilePage: {
            results: components["schemas"]["File"][];
            next: components["schemas"]["Next"];
        };
        /** @enum {string} */
        ChangeKind: "added" | "modified" | "removed" | "renamed";
        Change: {
            path: string;
            kind: components["schemas"]["ChangeKind"];
            old: components["schemas"]["File"] | null;
            new: components["schemas"]["File"] | null;
            /** @description Of what was renamed, the share of bytes that both have; null otherwise. */
            similarity: number | null;
            size_change_bytes: number;
        };
        ChangePage: {
            results: components["schemas"]["Change"][];
            has_more: boolean;
            next: components["schemas"]["Next"];
        };
        ChangedChild: {
            name: string;
            /** @description What became of the child itself; a folder in which something changed is modified. */
            kind: components["schemas"]["ChangeKind"];
            /** @description How many paths at and below it changed. */
            count: number;
            /** @description Whether others changed one of these paths since, so that a commit is refused. */
            is_conflict: boolean;
        };
        ChangedChildPage: {
            results: components["schemas"]["ChangedChild"][];
            next: components["schemas"]["Next"];
        };
        /** @enum {string} */
        Newline: "none" | "lf" | "crlf" | "mixed";
        Hunk: {
            old_start: number;
            old_count: number;
            new_start: number;
            new_count: number;
            /** @description Each begins with a space, `-` or `+`; a backslash says that the line before it ends without a newline. */
            lines: string[];
        };
        TextDiff: {
            is_equal: boolean;
            /** @description Whether one of them is no text; then there are no hunks. */
            is_binary: boolean;
            old_encoding: string;
            new_encoding: string;
            old_newline: components["schemas"]["Newline"];
            new_newline: components["schemas"]["Newline"];
            /** @description Lines of the whole difference. */
            added: number;
            removed: number;
            hunks: components["schemas"]["Hunk"][];
            has_more: boolean;
        };
        ColumnChange: {
            name: string;
            /** @enum {string} */
            kind: "added" | "removed" | "retyped" | "moved";
            /** @description Type in the older table; position from 1 of a moved column. */
            old: string | null;
            new: string | null;
        };
        RowChange: {
            /** @enum {string} */
            kind: "added" | "changed" | "removed";
            /** @description Values of the key's columns. */
            key: Record<string, unknown>;
            /** @description All values of a removed row, those that changed of a changed one. */
            old: Record<string, unknown> | null;
            new: Record<string, unknown> | null;
            count: number;
        };
        TableColumn: {
            name: string;
            /** @description As Arrow calls it; guessed where cells are text. */
            type: string;
        };
        FilePreview: {
            path: string;
            /** @description The commit that was read; further pages are asked for there. */
            commit_id: string;
            size_bytes: number;
            /** @enum {string} */
            kind: "table" | "text" | "json" | "notebook" | "image" | "audio" | "binary";
            media_type: string;
            facts: {
                name: string;
                value: string;
            }[];
            page: components["schemas"]["PreviewPage"];
        };
        PreviewPage: {
            columns: components["schemas"]["TableColumn"][];
            /** @description How many the table has, shown or not. */
            column_count: number;
            /** @description Cells as text. */
            rows: (string | null)[][];
            lines: string[];
            offset: number;
            /** @description Rows or lines; null where counting would read a large file. */
            total: number | null;
            estimated_total: number | null;
            has_more: boolean;
            /** @description Whether a cell or line is longer than what is shown of it. */
            is_cut: boolean;
        };
        TableStatistics: {
            path: string;
            commit_id: string;
            /** @description How many were looked at. */
            rows: number;
            /** @description Whether the table has more rows. */
            is_partial: boolean;
            column_count: number;
            columns: components["schemas"]["ColumnStatistics"][];
        };
        ColumnStatistics: {
            name: string;
            type: string;
            /** @description Values that are there. */
            count: number;
            nulls: number;
            /** @description Values that are not of the guessed type. */
            strange: number;
            /** @description About how many different values there are. */
            distinct: number;
            min: string | null;
            max: string | null;
            mean: number | null;
            deviation: number | null;
            quantiles: {
                [key: string]: string;
            };
            top: {
                value: string;
                count: number;
            }[];
            bins: {
                low: string;
                high: string;
                count: number;
            }[];
        };
        TableDiff: {
            is_equal: boolean;
            /** @description Columns by which rows were told apart; none for whole rows. */
            key: string[];
            key_is_guessed: boolean;
            columns: components["schemas"]["ColumnChange"][];
            /** @description Null when the files have equal bytes and were not read. */
            old_rows: number | null;
            new_rows: number | null;
            added: number;
            removed: number;
            changed: number;
            /** @description In how many changed rows a column changed. */
            changes_by_column: {
                [key: string]: number;
            };
            /** @description Keys that several rows of one table have. */
            duplicate_keys: number;
            rows: components["schemas"]["RowChange"][];
            has_more: boolean;
        };
        Session: {
            id: string;
            repo: string;
            branch: string;
            base_commit_id: string;
            owner: string;
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
            /** @description What tells it from others of its branch. */
            name: string | null;
            /** @description The notebook that it is for. */
            notebook: string | null;
        };
        LeftOut: {
            path: string;
            /** @description A stable code; see docs/reference/errors.md. */
            kind: string;
            message: string;
        };
        LeftOutPage: {
            results: components["schemas"]["LeftOut"][];
            next: components["schemas"]["Next"];
        };
        SessionDraft: {
            session_id: string;
            repo: string;
            branch: string;
            base_commit_id: string;
            changes: number;
            owner: string;
            saved_at: components["schemas"]["Time"];
            /** @description Whether the session is still there. */
            has_session: boolean;
        };
        SessionDraftPage: {
            results: components["schemas"]["SessionDraft"][];
            next: components["schemas"]["Next"];
        };
        SessionPage: {
            results: components["schemas"]["Session"][];
            next: components["schemas"]["Next"];
        };
        Mount: {
            mountpoint: string;
            name: string;
            repo: string;
            ref: string;
            session_id: string | null;
            created_at: components["schemas"]["Time"];
            created_by: string;
            /** @description The commit it stays at; null for what follows a branch, and for a session. */
            commit_id: string | null;
            /** @description How far behind it is; null where what it shows is gone. */
            standing: components["schemas"]["Standing"] | null;
            is_writable: boolean;
            path: string;
            /**
             * @description The folder as the file browser knows it, `lake:raw` where it is one of the drive; null if
             *     it lies outside the root.
             */
            contents_path: string | null;
        };
        Standing: {
            commit_id: string;
            /** @description The branch it is compared with. */
            branch: string;
            /** @description Commits of the branch that it does not show, at most 1000; null where the branch is gone. */
            behind: number | null;
        };
        MountPage: {
            results: components["schemas"]["Mount"][];
            next: components["schemas"]["Next"];
        };
        /** @enum {string} */
        MountMode: "fuse" | "checkout" | "drive";
        /** @enum {string} */
        MountState: "starting" | "ready" | "stale" | "stopped" | "failed";
        Mountpoint: {
            path: string;
            mode: components["schemas"]["MountMode"];
            state: components["schemas"]["MountState"];
            message: string;
            pid: number | null;
            host: string;
            updated_at: components["schemas"]["Time"];
        };
        MountpointPage: {
            results: components["schemas"]["Mountpoint"][];
            next: components["schemas"]["Next"];
        };
        /** @description The written form of a pipeline; see getSchema. */
        Spec: Record<string, unknown>;
        /** @enum {string} */
        PipelineState: "active" | "paused";
        Pipeline: {
            name: string;
            state: components["schemas"]["PipelineState"];
            version: number;
            spec: components["schemas"]["Spec"];
            code_commit_id: string;
            created_at: components["schemas"]["Time"];
            updated_at: components["schemas"]["Time"];
            created_by: string;
            latest_job: components["schemas"]["Job"] | null;
            /** @description What came in through inputs that have a trigger; empty where each commit runs it. */
            waits: components["schemas"]["InputWait"][];
        };
        InputWait: {
            input: string;
            repo: string;
            branch: string;
            /** @description Since the pipeline last read the branch. */
            commits: number;
            /** @description Of the files that these added or changed; null where the trigger does not ask for it. */
            size_bytes: number | null;
            /** @description When the first of them was made; null where nothing came in. */
            since: components["schemas"]["Time"] | null;
            /** @description When the trigger's schedule will have ticked since; null without one, or when it has. */
            next_tick: components["schemas"]["Time"] | null;
            trigger: components["schemas"]["BranchTrigger"];
            is_met: boolean;
        };
        BranchTrigger: {
            commits: number | null;
            size_bytes: number | null;
            schedule: string;
            zone: string;
            needs_all: boolean;
        };
        PipelineGroup: {
            name: string;
            pipelines: string[];
            paused_count: number;
            /** @description How many of them have a newest job in which state. */
            latest: {
                [key: string]: number;
            };
            /** @description How many of their jobs are at work at once. */
            limit: number | null;
        };
        PipelineGroupPage: {
            results: components["schemas"]["PipelineGroup"][];
            next: components["schemas"]["Next"];
        };
        NamePage: {
            results: string[];
            next: components["schemas"]["Next"];
        };
        PipelinePage: {
            results: components["schemas"]["Pipeline"][];
            next: components["schemas"]["Next"];
        };
        /**
         * @description How often the jobs have their turn; the pipeline's own when null.
         * @default null
         */
        Priority: number | null;
        Backfill: {
            steps: {
                at: components["schemas"]["Time"];
                commit_id: string | null;
                message: string;
            }[];
            /** @description Of the jobs in this order; of one over the present behind them. */
            global_ids: string[];
        };
        PipelineChangePage: {
            results: {
                pipeline: string;
                /** @enum {string} */
                action: "create" | "update" | "unchanged" | "delete";
                differs: string[];
                /** @description The file of the template that makes it; empty for none. */
                template: string;
            }[];
            next: components["schemas"]["Next"];
        };
        Slots: {
            name: string;
            count: number;
        };
        SlotsPage: {
            results: components["schemas"]["Slots"][];
            next: components["schemas"]["Next"];
        };
        Started: {
            global_id: string;
        };
        ExplainedDatum: {
            label: string;
            key: string;
            runs: boolean;
            reason: string;
        };
        PlanPage: {
            results: components["schemas"]["ExplainedDatum"][];
            next: components["schemas"]["Next"];
        };
        DatumInput: {
            name: string;
            repo: string | null;
            commit_id: string | null;
            path: string;
            digest: string;
            size_bytes: number;
            /** @description In a batch: which of its datums, from 0, this belongs to. */
            part: number | null;
            /** @description What the job knows its branch by, where another input has the same name; else empty. */
            key: string;
            label: string;
        };
        Preview: {
            datums: components["schemas"]["DatumInput"][][];
            has_more: boolean;
            /** @description Why there are none, for people; empty otherwise. */
            message: string;
        };
        ComingTick: {
            at: components["schemas"]["Time"];
            /** @description The time in the schedule's zone, ISO 8601 with its offset from UTC. */
            local: string;
            /** @description Whether the wall clock leaves out the time that the fields name, so that it ticks at the jump. */
            is_moved: boolean;
        };
        ComingTickPage: {
            results: components["schemas"]["ComingTick"][];
            next: components["schemas"]["Next"];
        };
        Parameter: {
            name: string;
            /** @enum {string} */
            type: "bool" | "int" | "float" | "str" | "list" | "dict" | "unknown";
            default: unknown;
            help: string;
        };
        Draft: {
            spec: components["schemas"]["Spec"];
            parameters: components["schemas"]["Parameter"][];
            notes: string[];
            places: components["schemas"]["ProposedPlace"][];
            /** @description The notebook's folder, to be sent back with the spec. */
            folder: string;
            /** @description Whether a pipeline of this name is there and would be updated. */
            exists: boolean;
        };
        DraftPage: {
            results: components["schemas"]["Draft"][];
            next: components["schemas"]["Next"];
        };
        ProposedPlace: {
            /** @enum {string} */
            role: "input" | "output";
            repo: string;
            branch: string;
            /** @description A file, or the folder that all the files are in; empty for the root. */
            path: string;
            /** @description How it is known. */
            sources: ("mentioned" | "observed")[];
            /** @description How many different files were observed. */
            files: number;
            /** @description The glob by which each of the files is a datum of its own. */
            each: string | null;
            /** @description The parameter that holds it. */
            variable: string | null;
            /** @description The cells that mention it, or in which it was observed, from 1. */
            cells: number[];
            /** @description Where the code finds it, if no parameter says that: relative to the notebook, or the address of the branch. */
            shown_at: string | null;
        };
        /** @enum {string} */
        JobState: "waiting" | "running" | "egressing" | "success" | "failed" | "cancelled" | "lost";
        /** @enum {string} */
        Outcome: "committed" | "unchanged" | "cut-off";
        Trigger: {
            /** @enum {string} */
            kind: "commit" | "tick" | "pipeline" | "rerun" | "backfill" | "upstream";
            subject: string;
            at_ns: number;
            reprocess: boolean;
            priority?: components["schemas"]["Priority"];
        };
        Job: {
            id: string;
            number: number;
            pipeline: string;
            pipeline_version: number;
            state: components["schemas"]["JobState"];
            outcome: components["schemas"]["Outcome"] | null;
            global_id: string;
            trigger: components["schemas"]["Trigger"];
            heads: {
                [key: string]: string;
            };
            inputs: {
                [key: string]: string;
            };
            output_commit_id: string | null;
            rows_written: number | null;
            message: string;
            created_at: components["schemas"]["Time"];
            started_at: components["schemas"]["Time"] | null;
            finished_at: components["schemas"]["Time"] | null;
            attempt: number;
            owner: string | null;
            cancel_requested: boolean;
            datum_total: number;
            datum_counts: {
                [key: string]: number;
            };
            duration_s: number | null;
        };
        JobPage: {
            results: components["schemas"]["Job"][];
            /** @description What to pass as `before`. */
            next: number | null;
        };
        /** @enum {string} */
        DatumState: "queued" | "running" | "success" | "skipped" | "failed" | "recovered";
        Datum: {
            job_id: string;
            position: number;
            key: string;
            state: components["schemas"]["DatumState"];
            inputs: components["schemas"]["DatumInput"][];
            reason: string;
            tries: number;
            started_at: components["schemas"]["Time"] | null;
            finished_at: components["schemas"]["Time"] | null;
            output_root: string | null;
            artifacts_root: string | null;
            message: string;
            label: string;
        };
        DatumPage: {
            results: components["schemas"]["Datum"][];
            /** @description What to pass as `after`. */
            next: number | null;
        };
        OutputCounts: {
            added: number;
            modified: number;
            /** @description Paths that these datums wrote when the pipeline ran last, and do not write now. */
            removed: number;
            same: number;
        };
        ComparedOutput: {
            /** @description Tree of what the output branch holds on these paths. */
            base_root: string;
            /** @description Tree of what was written. */
            made_root: string;
            counts: components["schemas"]["OutputCounts"];
        };
        TriedDatum: {
            position: number;
            label: string;
            state: components["schemas"]["DatumState"];
            tries: number;
            started_at: components["schemas"]["Time"] | null;
            finished_at: components["schemas"]["Time"] | null;
            message: string;
            /** @description Null until it ended. */
            artifacts_root: string | null;
            output: components["schemas"]["ComparedOutput"] | null;
        };
        /** @enum {string} */
        TrialState: "running" | "success" | "failed" | "cancelled" | "lost";
        Trial: {
            id: string;
            pipeline: string;
            state: components["schemas"]["TrialState"];
            /** @description What it is at, or why it failed. */
            message: string;
            /** @description What is to be said of how it was run. */
            notes: string[];
            created_at: components["schemas"]["Time"];
            created_by: string;
            finished_at: components["schemas"]["Time"] | null;
            /** @description Head of the output branch that is compared with; null where there is no output yet. */
            base_commit_id: string | null;
            /** @description Whether the datums are all that the inputs make. */
            is_whole: boolean;
            steps: components["schemas"]["TriedDatum"][];
            datums: components["schemas"]["TriedDatum"][];
            /** @description Of all datums that succeeded together; null until they have ended. */
            output: components["schemas"]["ComparedOutput"] | null;
            /** @description How that is not what the pipeline expects. */
            unexpected: string[];
        };
        TrialPage: {
            results: components["schemas"]["Trial"][];
            next: null;
        };
        /** @enum {string} */
        CellState: "waiting" | "running" | "done" | "failed";
        ExecutedCell: {
            /** @description Among all cells of the pipeline's notebook, from 0; null for the one that sets parameters. */
            index: number | null;
            state: components["schemas"]["CellState"];
            /** @description Its first line that says something. */
            title: string;
            seconds: number | null;
            /** @description What it raised; empty where it did not. */
            error: string;
            /** @description The end of it, as plain text. */
            traceback: string;
        };
        ExecutedCellPage: {
            results: components["schemas"]["ExecutedCell"][];
            next: null;
        };
        /** @enum {string} */
        Aspect: "code" | "parameters" | "inputs" | "metrics" | "output" | "time";
        ComparedValue: {
            aspect: components["schemas"]["Aspect"];
            name: string;
            /** @description Null where that run has no such value. */
            old: unknown;
            new: unknown;
            is_equal: boolean;
        };
        JobComparison: {
            old: components["schemas"]["Job"];
            new: components["schemas"]["Job"];
            values: components["schemas"]["ComparedValue"][];
            /** @description Files of the code, the first of them. */
            code_changes: components["schemas"]["Change"][];
            /** @description Files of the output, likewise. */
            output_changes: components["schemas"]["Change"][];
            has_more: boolean;
        };
        DatumLog: {
            position: number;
            label: string;
            state: components["schemas"]["DatumState"];
            /** @description A try begins a log of its own. */
            tries: number;
            /** @description How many bytes of the log come before `text`. */
            begin: number;
            /** @description Where to go on reading. */
            end: number;
            text: string;
        };
        Reopened: {
            /** @description Below the server's root. */
            folder: string;
            /** @description Below the server's root; null for a command. */
            notebook: string | null;
            /** @description Index of the cell that failed. */
            failed_cell: number | null;
            job_id: string;
            /** @description Of the datum. */
            position: number;
            pipeline: string;
            pipeline_version: number;
            /** @description In which that cell failed; null where it is not kept. */
            kernel: components["schemas"]["KeptKernel"] | null;
        };
        KeptKernel: {
            id: string;
            job_id: string;
            /** @description Of the datum. */
            position: number;
            pipeline: string;
            /** @description Name of the try among all of its job's. */
            attempt: string;
            /** @description Its working directory on the server's machine. */
            folder: string;
            until: components["schemas"]["Time"];
            /** @description Whether a Jupyter server has it open: it ends no sooner than that does. */
            is_attached: boolean;
        };
        KeptKernelList: {
            results: components["schemas"]["KeptKernel"][];
            next: null;
        };
        LogLine: {
            job_id: string;
            job_number: number;
            pipeline: string;
            /** @description Of the datum. */
            position: number;
            label: string;
            line: number;
            text: string;
        };
        LogLinePage: {
            results: components["schemas"]["LogLine"][];
            next: components["schemas"]["Next"];
        };
        LogPage: {
            results: components["schemas"]["DatumLog"][];
            /** @description What to pass as `after`. */
            next: number | null;
        };
        GlobalRecord: {
            id: string;
            created_at: components["schemas"]["Time"];
            created_by: string;
            /** @enum {string} */
            origin: "commit" | "tick" | "pipeline" | "rerun" | "backfill";
            subject: string;
        };
        GlobalPage: {
            results: components["schemas"]["GlobalRecord"][];
            next: components["schemas"]["Next"];
        };
        Observer: {
            id: string;
            host: string;
            pid: number;
            command: string;
            /** @description The kernel that it is or that started it. */
            kernel_id: string | null;
            notebook: string | null;
            /** @description Where the kernel says which one ran. */
            cell: string | null;
            /** @description Of a datum that opened them. */
            job_id: string | null;
            /** @description Its position. */
            datum: number | null;
        };
        Observation: {
            observer: components["schemas"]["Observer"];
            repo: string;
            commit_id: string;
            path: string;
            /** @enum {string} */
            kind: "read" | "write";
            session_id: string | null;
            opens: number;
            /** @description Nanoseconds since 1970. */
            first_ns: number;
            /** @description Nanoseconds since 1970. */
            last_ns: number;
            /**
             * @description A FUSE mount, this library, a kernel that said what it opens, or the mount of a datum's lazy inputs.
             * @enum {string}
             */
            seen_by: "mount" | "reader" | "kernel" | "lazy";
        };
        ObservationPage: {
            results: components["schemas"]["Observation"][];
            next: components["schemas"]["Next"];
        };
        GlobalLineage: {
            record: components["schemas"]["GlobalRecord"];
            jobs: components["schemas"]["Job"][];
            commits: components["schemas"]["Commit"][];
        };
        LineageStep: {
            commit_id: string;
            repo: string;
            depth: number;
            via: string;
            name: string;
        };
        Lineage: {
            commit: components["schemas"]["Commit"];
            upstream: components["schemas"]["LineageStep"][];
            downstream: components["schemas"]["LineageStep"][];
            /** @description What made the path: the datums that wrote it. */
            makers: components["schemas"]["Datum"][];
            /** @description What these were seen to open. */
            opened: components["schemas"]["Observation"][];
            /** @description What uses the path: datums that read it, of outputs made directly from the commit. */
            uses: components["schemas"]["FileUse"][];
        };
        FileUse: {
            /** @description Of the output, as `commit_id`. */
            repo: string;
            commit_id: string;
            job_id: string;
            /** @description Of the datum in its job. */
            position: number;
            /** @description Of the input. */
            name: string;
            /** @description What the input matched: the file, a folder around it, or something in it. */
            path: string;
        };
        LineageNode: {
            id: string;
            /** @enum {string} */
            kind: "repo" | "pipeline" | "table" | "cron" | "notebook";
            label: string;
            state: string;
            details: Record<string, unknown>;
        };
        LineageEdge: {
            source: string;
            target: string;
            /**
             * @description Whether a pipeline says so, or a program was seen to open the files.
             * @enum {string}
             */
            basis: "declared" | "observed";
        };
        LineageGraph: {
            nodes: components["schemas"]["LineageNode"][];
            edges: components["schemas"]["LineageEdge"][];
        };
        ReproductionStart: {
            /** @description What is planned. */
            reproduction: components["schemas"]["Reproduction"];
            /** @description Events behind this number tell what came of it; null of a dry run. */
            after_event: number | null;
        };
        Reproduction: {
            id: string;
            /** @description The address or job that was asked for. */
            subject: string;
            steps: components["schemas"]["ReproducedStep"][];
            verdict: components["schemas"]["ReproductionVerdict"];
        };
        /** @enum {string} */
        ReproductionVerdict: "failed" | "impossible" | "different" | "planned" | "identical";
        /** @description One job that was, or is to be, run again. */
        ReproducedStep: {
            repo: string;
            pipeline: string;
            commit_id: string | null;
            job_id: string | null;
            verdict: components["schemas"]["ReproductionVerdict"];
            message: string;
            datum_count: number;
            recorded_root: string;
            made_root: string | null;
            change_count: number;
            changes: components["schemas"]["Change"][];
            texts: {
                path: string;
                diff: components["schemas"]["TextDiff"];
            }[];
            environment: string[];
            /** @description How what was made is not what the pipeline expects. */
            unexpected: string[];
            is_repeatable: boolean | null;
            duration_s: number;
        };
        Connection: {
            name: string;
            /** @enum {string} */
            engine: "duckdb";
            options: Record<string, unknown>;
            created_at: components["schemas"]["Time"];
            created_by: string;
        };
        Remote: {
            name: string;
            url: string;
            /** @description Where its key is; null: in the environment. */
            key: string | null;
            created_at: components["schemas"]["Time"];
            created_by: string;
        };
        RemotePage: {
            results: components["schemas"]["Remote"][];
            next: components["schemas"]["Next"];
        };
        ConnectionPage: {
            results: components["schemas"]["Connection"][];
            next: components["schemas"]["Next"];
        };
        Table: {
            name: string;
            columns: {
                [key: string]: string;
            };
            row_count: number;
        };
        TablePage: {
            results: components["schemas"]["Table"][];
            next: components["schemas"]["Next"];
        };
        QueryRows: {
            columns: {
                [key: string]: string;
            };
            rows: Record<string, unknown>[];
            has_more: boolean;
        };
        Event: {
            number: number;
            at: components["schemas"]["Time"];
            kind: string;
            subject: string;
            details: Record<string, unknown>;
        };
        Notification: {
            /** @description Equal in all tries, so that a receiver can tell a repetition. */
            id: string;
            number: number;
            /** @description Empty for a test of the rules of the lake. */
            pipeline: string;
            job_id: string | null;
            occasions: ("success" | "failure" | "recovered" | "unexpected" | "timeout" | "cancelled" | "blocked" | "unclean" | "late" | "missed" | "test")[];
            /** @enum {string} */
            channel: "webhook" | "email" | "command" | "jupyter";
            /** @description Where it goes, without what may be secret. */
            target: string;
            /** @enum {string} */
            state: "armed" | "pending" | "sent" | "failed";
            tries: number;
            title: string;
            text: string;
            /** @description Why the last try failed. */
            message: string;
            created_at: components["schemas"]["Time"];
            /** @description When it is tried next. */
            next_at: components["schemas"]["Time"] | null;
            finished_at: components["schemas"]["Time"] | null;
        };
        NotificationPage: {
            results: components["schemas"]["Notification"][];
            /** @description What to pass as `before`. */
            next: number | null;
        };
        NotificationRulePage: {
            results: Record<string, unknown>[];
            next: components["schemas"]["Next"];
        };
        EventPage: {
            results: components["schemas"]["Event"][];
            /** @description What to pass as `after`. */
            next: number | null;
        };
        Status: {
            lake_id: string;
            url: string;
            packs: number;
            blobs: number;
            stored_bytes: number;
            live_jobs: number;
            /** @description Who runs the pipelines now; null when nobody does. */
            controller: string | null;
            /** @description Who collects garbage now; null when nobody does. */
            collector: string | null;
            is_encrypted: boolean;
            /** @description The most that may be stored; null for whatever there is space for. */
            quota_bytes: number | null;
            /** @description How often garbage collection may run by itself; null for never. */
            auto_gc_s: number | null;
            version: string;
            last_event: number;
            /** @description The server's mount point as the file browser knows it. */
            mountpoint: string | null;
        };
        RetentionPolicy: {
            repo: string;
            /** @description Empty for all branches without a policy of their own. */
            branch: string;
            keep_last: number | null;
            keep_for_s: number | null;
            keep_tagged: boolean;
            keep_inputs: boolean;
        };
        RetentionPolicyPage: {
            results: components["schemas"]["RetentionPolicy"][];
            next: components["schemas"]["Next"];
        };
        RetentionReport: {
            repo: string;
            is_dry_run: boolean;
            removed: number;
            /** @description Commits that stay all the same, and what needs them; at most 100. */
            needed: {
                [key: string]: string[];
            };
        };
        RetentionReportPage: {
            results: components["schemas"]["RetentionReport"][];
            next: components["schemas"]["Next"];
        };
        CollectionRun: {
            number: number;
            owner: string;
            started_at: components["schemas"]["Time"];
            /** @description Null while it runs, and when it was killed. */
            finished_at: components["schemas"]["Time"] | null;
            /** @description Counts by name. */
            report: Record<string, unknown>;
        };
        CollectionStart: {
            /** @description Of a dry run. */
            report: components["schemas"]["CollectionReport"] | null;
            /** @description Events behind this number tell of the run. */
            after_event: number | null;
        };
        /** @description What a run of gc did, or would do. */
        CollectionReport: {
            is_dry_run: boolean;
            phase: string;
            repos: {
                repo: string;
                commits: number;
                /** @description That only these commits needed; only of a dry run. */
                bytes: number;
            }[];
            deleted_repos: number;
            results: number;
            marked_blobs: number;
            condemned_blobs: number;
            condemned_bytes: number;
            pardoned_blobs: number;
            waiting_blobs: number;
            swept_blobs: number;
            swept_bytes: number;
            repacked_packs: number;
            written_packs: number;
            written_bytes: number;
            damaged_packs: number;
            retired_packs: number;
            retired_bytes: number;
            deleted_packs: number;
            deleted_bytes: number;
            unknown_packs: number;
            unknown_bytes: number;
            swept_uploads: number;
        };
        Usage: {
            pack_bytes: number;
            blob_bytes: number;
            /** @description Needed by several repos. */
            shared_bytes: number;
            /** @description Needed by none. */
            other_bytes: number;
            repos: {
                repo: string;
                commits: number;
                logical_bytes: number;
                stored_bytes: number;
                /** @description That no other repo needs. */
                exclusive_bytes: number;
            }[];
        };
        CollectionRunPage: {
            results: components["schemas"]["CollectionRun"][];
            next: components["schemas"]["Next"];
        };
        DoctorFinding: {
            name: string;
            /** @enum {string} */
            verdict: "ok" | "warn" | "fail";
            found: string;
            advice: string;
        };
        FindingPage: {
            results: components["schemas"]["DoctorFinding"][];
            next: components["schemas"]["Next"];
        };
    };
    responses: {
        /** @description What went wrong. */
        Error: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"];
            };
        };
    };
    parameters: {
        repo: string;
        /** @description A ref expression. */
        ref: string;
        branch: string;
        session: string;
        mount: string;
        pipeline: string;
        /** @description A group of pipelines, such as etl/daily. */
        group: string;
        /** @description An id, or its beginning. */
        trial: string;
        /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
        triedDatum: number;
        /** @description Of what this datum wrote; of all of them together by default. */
        writtenBy: number;
        /** @description An id, or its beginning. */
        job: string;
        connection: string;
        /** @description An id, or its beginning. */
        notification: string;
        remote: string;
        /** @description Within the repo; its root when left out. */
        path: string;
        /** @description Within the repo. */
        requiredPath: string;
        /** @description As below the mount point: `raw/x.csv`, `raw@v1/x.csv`. */
        drivePath: string;
        /** @description The `next` of the page before. */
        after: string;
        /** @description How many come before the page. */
        offset: number;
        /** @description Ref expression of the commit that is compared with what is staged; left out, the one that the session is based on. */
        oldOfSession: string;
        /** @description The older file: `repo@ref/path`. */
        oldAddress: string;
        /** @description The newer file: `repo@ref/path`. */
        newAddress: string;
        limit: number;
    };
    requestBodies: {
        Declaration: {
            content: {
                "application/json": {
                    /** @description A folder of specs, or a file that holds some, below the server's root. */
                    folder?: string;
                    /** @description Specs in place of a folder of them. */
                    specs?: {
                        spec: components["schemas"]["Spec"];
                        /** @description Where its notebook and helper files are, below the server's root. */
                        folder: string;
                    }[];
                    /**
                     * @description Whether pipelines go that are not declared there.
                     * @default false
                     */
                    prune?: boolean;
                } & (unknown | unknown);
            };
        };
        NewRef: {
            content: {
                "application/json": {
                    name: string;
                    /**
                     * @description A ref expression.
                     * @default main
                     */
                    at?: string;
                };
            };
        };
        NewTag: {
            content: {
                "application/json": {
                    name: string;
                    /**
                     * @description A ref expression.
                     * @default main
                     */
                    at?: string;
                    /** @description What it says about what it marks. */
                    message?: string;
                };
            };
        };
        PipelineSource: {
            content: {
                "application/json": {
                    spec: components["schemas"]["Spec"];
                    /**
                     * @description Folder below the server's root that holds the notebook and helper files.
                     * @default
                     */
                    folder?: string;
                    /**
                     * @description Of an update; take the notebook and the helper files as they were published last, and not from the folder.
                     * @default false
                     */
                    keep_files?: boolean;
                    /**
                     * @description Of an update; take newer packages into an environment of its own.
                     * @default false
                     */
                    upgrade?: boolean;
                };
            };
        };
        Replication: {
            content: {
                "application/json": {
                    /**
                     * @description Repos, each with all its refs, or repo@ref; all repos when empty.
                     * @default []
                     */
                    selections?: string[];
                    /**
                     * @description Also where commits of the other side are left behind.
                     * @default false
                     */
                    force?: boolean;
                    /**
                     * @description Also what the commits were made from.
                     * @default false
                     */
                    with_inputs?: boolean;
                };
            };
        };
        Run: {
            content: {
                "application/json": {
                    /**
                     * @description Run every datum, also those whose results are known.
                     * @default false
                     */
                    reprocess?: boolean;
                    /**
                     * @description How often the jobs have their turn.
                     * @default null
                     */
                    priority?: number | null;
                };
            };
        };
    };
    headers: never;
    pathItems: never;
}
export type Error = components['schemas']['Error'];
export type Time = components['schemas']['Time'];
export type Next = components['schemas']['Next'];
export type RepoKind = components['schemas']['RepoKind'];
export type RepoHead = components['schemas']['RepoHead'];
export type Repo = components['schemas']['Repo'];
export type RepoPage = components['schemas']['RepoPage'];
export type RefKind = components['schemas']['RefKind'];
export type Ref = components['schemas']['Ref'];
export type RefPage = components['schemas']['RefPage'];
export type RefMove = components['schemas']['RefMove'];
export type RefMovePage = components['schemas']['RefMovePage'];
export type Author = components['schemas']['Author'];
export type InputCommit = components['schemas']['InputCommit'];
export type Provenance = components['schemas']['Provenance'];
export type Commit = components['schemas']['Commit'];
export type CommitPage = components['schemas']['CommitPage'];
export type CommitLogPage = components['schemas']['CommitLogPage'];
export type CommitCount = components['schemas']['CommitCount'];
export type Choices = components['schemas']['Choices'];
export type SessionChoices = components['schemas']['SessionChoices'];
export type Conflict = components['schemas']['Conflict'];
export type MergeReport = components['schemas']['MergeReport'];
export type FileKind = components['schemas']['FileKind'];
export type File = components['schemas']['File'];
export type DriveFile = components['schemas']['DriveFile'];
export type DriveFilePage = components['schemas']['DriveFilePage'];
export type SharedFile = components['schemas']['SharedFile'];
export type FilePage = components['schemas']['FilePage'];
export type ChangeKind = components['schemas']['ChangeKind'];
export type Change = components['schemas']['Change'];
export type ChangePage = components['schemas']['ChangePage'];
export type ChangedChild = components['schemas']['ChangedChild'];
export type ChangedChildPage = components['schemas']['ChangedChildPage'];
export type Newline = components['schemas']['Newline'];
export type Hunk = components['schemas']['Hunk'];
export type TextDiff = components['schemas']['TextDiff'];
export type ColumnChange = components['schemas']['ColumnChange'];
export type RowChange = components['schemas']['RowChange'];
export type TableColumn = components['schemas']['TableColumn'];
export type FilePreview = components['schemas']['FilePreview'];
export type PreviewPage = components['schemas']['PreviewPage'];
export type TableStatistics = components['schemas']['TableStatistics'];
export type ColumnStatistics = components['schemas']['ColumnStatistics'];
export type TableDiff = components['schemas']['TableDiff'];
export type Session = components['schemas']['Session'];
export type LeftOut = components['schemas']['LeftOut'];
export type LeftOutPage = components['schemas']['LeftOutPage'];
export type SessionDraft = components['schemas']['SessionDraft'];
export type SessionDraftPage = components['schemas']['SessionDraftPage'];
export type SessionPage = components['schemas']['SessionPage'];
export type Mount = components['schemas']['Mount'];
export type Standing = components['schemas']['Standing'];
export type MountPage = components['schemas']['MountPage'];
export type MountMode = components['schemas']['MountMode'];
export type MountState = components['schemas']['MountState'];
export type Mountpoint = components['schemas']['Mountpoint'];
export type MountpointPage = components['schemas']['MountpointPage'];
export type Spec = components['schemas']['Spec'];
export type PipelineState = components['schemas']['PipelineState'];
export type Pipeline = components['schemas']['Pipeline'];
export type InputWait = components['schemas']['InputWait'];
export type BranchTrigger = components['schemas']['BranchTrigger'];
export type PipelineGroup = components['schemas']['PipelineGroup'];
export type PipelineGroupPage = components['schemas']['PipelineGroupPage'];
export type NamePage = components['schemas']['NamePage'];
export type PipelinePage = components['schemas']['PipelinePage'];
export type Priority = components['schemas']['Priority'];
export type Backfill = components['schemas']['Backfill'];
export type PipelineChangePage = components['schemas']['PipelineChangePage'];
export type Slots = components['schemas']['Slots'];
export type SlotsPage = components['schemas']['SlotsPage'];
export type Started = components['schemas']['Started'];
export type ExplainedDatum = components['schemas']['ExplainedDatum'];
export type PlanPage = components['schemas']['PlanPage'];
export type DatumInput = components['schemas']['DatumInput'];
export type Preview = components['schemas']['Preview'];
export type ComingTick = components['schemas']['ComingTick'];
export type ComingTickPage = components['schemas']['ComingTickPage'];
export type Parameter = components['schemas']['Parameter'];
export type Draft = components['schemas']['Draft'];
export type DraftPage = components['schemas']['DraftPage'];
export type ProposedPlace = components['schemas']['ProposedPlace'];
export type JobState = components['schemas']['JobState'];
export type Outcome = components['schemas']['Outcome'];
export type Trigger = components['schemas']['Trigger'];
export type Job = components['schemas']['Job'];
export type JobPage = components['schemas']['JobPage'];
export type DatumState = components['schemas']['DatumState'];
export type Datum = components['schemas']['Datum'];
export type DatumPage = components['schemas']['DatumPage'];
export type OutputCounts = components['schemas']['OutputCounts'];
export type ComparedOutput = components['schemas']['ComparedOutput'];
export type TriedDatum = components['schemas']['TriedDatum'];
export type TrialState = components['schemas']['TrialState'];
export type Trial = components['schemas']['Trial'];
export type TrialPage = components['schemas']['TrialPage'];
export type CellState = components['schemas']['CellState'];
export type ExecutedCell = components['schemas']['ExecutedCell'];
export type ExecutedCellPage = components['schemas']['ExecutedCellPage'];
export type Aspect = components['schemas']['Aspect'];
export type ComparedValue = components['schemas']['ComparedValue'];
export type JobComparison = components['schemas']['JobComparison'];
export type DatumLog = components['schemas']['DatumLog'];
export type Reopened = components['schemas']['Reopened'];
export type KeptKernel = components['schemas']['KeptKernel'];
export type KeptKernelList = components['schemas']['KeptKernelList'];
export type LogLine = components['schemas']['LogLine'];
export type LogLinePage = components['schemas']['LogLinePage'];
export type LogPage = components['schemas']['LogPage'];
export type GlobalRecord = components['schemas']['GlobalRecord'];
export type GlobalPage = components['schemas']['GlobalPage'];
export type Observer = components['schemas']['Observer'];
export type Observation = components['schemas']['Observation'];
export type ObservationPage = components['schemas']['ObservationPage'];
export type GlobalLineage = components['schemas']['GlobalLineage'];
export type LineageStep = components['schemas']['LineageStep'];
export type Lineage = components['schemas']['Lineage'];
export type FileUse = components['schemas']['FileUse'];
export type LineageNode = components['schemas']['LineageNode'];
export type LineageEdge = components['schemas']['LineageEdge'];
export type LineageGraph = components['schemas']['LineageGraph'];
export type ReproductionStart = components['schemas']['ReproductionStart'];
export type Reproduction = components['schemas']['Reproduction'];
export type ReproductionVerdict = components['schemas']['ReproductionVerdict'];
export type ReproducedStep = components['schemas']['ReproducedStep'];
export type Connection = components['schemas']['Connection'];
export type Remote = components['schemas']['Remote'];
export type RemotePage = components['schemas']['RemotePage'];
export type ConnectionPage = components['schemas']['ConnectionPage'];
export type Table = components['schemas']['Table'];
export type TablePage = components['schemas']['TablePage'];
export type QueryRows = components['schemas']['QueryRows'];
export type Event = components['schemas']['Event'];
export type Notification = components['schemas']['Notification'];
export type NotificationPage = components['schemas']['NotificationPage'];
export type NotificationRulePage = components['schemas']['NotificationRulePage'];
export type EventPage = components['schemas']['EventPage'];
export type Status = components['schemas']['Status'];
export type RetentionPolicy = components['schemas']['RetentionPolicy'];
export type RetentionPolicyPage = components['schemas']['RetentionPolicyPage'];
export type RetentionReport = components['schemas']['RetentionReport'];
export type RetentionReportPage = components['schemas']['RetentionReportPage'];
export type CollectionRun = components['schemas']['CollectionRun'];
export type CollectionStart = components['schemas']['CollectionStart'];
export type CollectionReport = components['schemas']['CollectionReport'];
export type Usage = components['schemas']['Usage'];
export type CollectionRunPage = components['schemas']['CollectionRunPage'];
export type DoctorFinding = components['schemas']['DoctorFinding'];
export type FindingPage = components['schemas']['FindingPage'];
export type ResponseError = components['responses']['Error'];
export type ParameterRepo = components['parameters']['repo'];
export type ParameterRef = components['parameters']['ref'];
export type ParameterBranch = components['parameters']['branch'];
export type ParameterSession = components['parameters']['session'];
export type ParameterMount = components['parameters']['mount'];
export type ParameterPipeline = components['parameters']['pipeline'];
export type ParameterGroup = components['parameters']['group'];
export type ParameterTrial = components['parameters']['trial'];
export type ParameterTriedDatum = components['parameters']['triedDatum'];
export type ParameterWrittenBy = components['parameters']['writtenBy'];
export type ParameterJob = components['parameters']['job'];
export type ParameterConnection = components['parameters']['connection'];
export type ParameterNotification = components['parameters']['notification'];
export type ParameterRemote = components['parameters']['remote'];
export type ParameterPath = components['parameters']['path'];
export type ParameterRequiredPath = components['parameters']['requiredPath'];
export type ParameterDrivePath = components['parameters']['drivePath'];
export type ParameterAfter = components['parameters']['after'];
export type ParameterOffset = components['parameters']['offset'];
export type ParameterOldOfSession = components['parameters']['oldOfSession'];
export type ParameterOldAddress = components['parameters']['oldAddress'];
export type ParameterNewAddress = components['parameters']['newAddress'];
export type ParameterLimit = components['parameters']['limit'];
export type RequestBodyDeclaration = components['requestBodies']['Declaration'];
export type RequestBodyNewRef = components['requestBodies']['NewRef'];
export type RequestBodyNewTag = components['requestBodies']['NewTag'];
export type RequestBodyPipelineSource = components['requestBodies']['PipelineSource'];
export type RequestBodyReplication = components['requestBodies']['Replication'];
export type RequestBodyRun = components['requestBodies']['Run'];
export type $defs = Record<string, never>;
export interface operations {
    listRepos: {
        parameters: {
            query?: {
                prefix?: string;
                /** @description Whether the repos that keep pipelines' code are wanted too. */
                include_code?: boolean;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of repos. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RepoPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    createRepo: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    /** @default  */
                    description?: string;
                };
            };
        };
        responses: {
            /** @description The new repo. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Repo"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getRepo: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The repo. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Repo"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteRepo: {
        parameters: {
            query?: {
                /** @description Also when sessions are open on it, or data of other repos was made from it. */
                force?: boolean;
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    updateRepo: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    description: string;
                };
            };
        };
        responses: {
            /** @description The repo. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Repo"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    setLimit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Null for no limit. */
                    limit_bytes: number | null;
                };
            };
        };
        responses: {
            /** @description Set. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    restoreRepo: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The repo. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Repo"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listRetentions: {
        parameters: {
            query?: {
                /** @description Of this repo only. */
                repo?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Policies. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionPolicyPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    setRetention: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Left out for all branches without a policy of their own. */
                    branch?: string;
                    keep_last?: number | null;
                    keep_for_s?: number | null;
                    keep_tagged?: boolean;
                    keep_inputs?: boolean;
                };
            };
        };
        responses: {
            /** @description The policy. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionPolicy"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteRetention: {
        parameters: {
            query?: {
                branch?: string;
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    applyRetention: {
        parameters: {
            query?: {
                /** @description Only count. */
                dry_run?: boolean;
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What went. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionReportPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listRefs: {
        parameters: {
            query?: {
                kind?: components["schemas"]["RefKind"];
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of refs. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getRef: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ref. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ref"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    createBranch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody: components["requestBodies"]["NewRef"];
        responses: {
            /** @description The new branch. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ref"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteBranch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    createTag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody: components["requestBodies"]["NewTag"];
        responses: {
            /** @description The new tag. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ref"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteTag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                tag: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    renameRef: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The new name. */
                    name: string;
                };
            };
        };
        responses: {
            /** @description The ref under its new name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ref"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    undoRef: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description Number of the move that is meant; refused when the ref moved since. */
                    move?: number;
                    /** @default false */
                    force?: boolean;
                };
            };
        };
        responses: {
            /** @description The move that undid it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefMove"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    resetRef: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A ref expression. */
                    to: string;
                    /** @description Where the branch must be; refused when it is elsewhere. */
                    expected?: string;
                    /**
                     * @description Although a session or job depends on where it is.
                     * @default false
                     */
                    force?: boolean;
                };
            };
        };
        responses: {
            /** @description The branch. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ref"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listMoves: {
        parameters: {
            query?: {
                /** @description One ref only. */
                name?: string;
                /** @description Only moves before the one of this number. */
                before?: number;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who moved which ref from where to where. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefMovePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listCommits: {
        parameters: {
            query?: {
                /** @description Only commits that changed what is at or below it. */
                path?: string;
                /** @description Whether the path is followed to the names it had before. */
                follow?: boolean;
                /** @description Whether what was merged in is left out. */
                first_parent?: boolean;
                /** @description With this in the message. */
                text?: string;
                /** @description With this in the author's name or address. */
                author?: string;
                /** @description From this time on, ISO 8601; UTC unless it says otherwise. */
                since?: string;
                /** @description Up to this time. */
                until?: string;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of commits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommitLogPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    searchCommits: {
        parameters: {
            query?: {
                /** @description With this in its metadata: a key, or key=value. */
                metadata?: string;
                /** @description With a global id that begins so. */
                global_id?: string;
                /** @description Only of repos whose name fits; * is any text, ? one character. */
                repos?: string;
                /** @description With this in the message. */
                text?: string;
                /** @description With this in the author's name or address. */
                author?: string;
                /** @description From this time on, ISO 8601; UTC unless it says otherwise. */
                since?: string;
                /** @description Up to this time. */
                until?: string;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of commits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommitPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getCommit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The commit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commit"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    countCommits: {
        parameters: {
            query: {
                /** @description The other one. */
                beyond: string;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommitCount"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    diffCommits: {
        parameters: {
            query: {
                old: string;
                new?: string;
                /** @description Within the repo; its root when left out. */
                path?: components["parameters"]["path"];
                /** @description Whether what is at another path is one change, of kind `renamed` with its old path in `old.path`. All differences below `path` are looked at for it. */
                renames?: boolean;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Changes by path. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    mergeCommit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A ref expression. */
                    ref: string;
                    /**
                     * @default allow
                     * @enum {string}
                     */
                    fast_forward?: "allow" | "only" | "never";
                    message?: string;
                    choices?: components["schemas"]["Choices"];
                    /** @default false */
                    dry_run?: boolean;
                    /**
                     * @description Of a dry run; at most so many changes.
                     * @default 1000
                     */
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description What was done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MergeReport"];
                };
            };
            /**
             * @description Paths conflict (`paths-conflict`): `details.paths` lists at most 100 of them,
             *     `details.conflicts` what each side has there, `details.count` how many there are.
             *     Nothing changed.
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    squashCommit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A ref expression; this commit stays. */
                    since: string;
                    message?: string;
                };
            };
        };
        responses: {
            /** @description The commit. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commit"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    revertCommit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A ref expression. */
                    ref: string;
                    /** @description Which parent of a merge to compare with. */
                    parent?: number;
                    message?: string;
                    choices?: components["schemas"]["Choices"];
                    /** @default false */
                    dry_run?: boolean;
                    /**
                     * @description Of a dry run; at most so many changes.
                     * @default 1000
                     */
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description What was done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MergeReport"];
                };
            };
            /**
             * @description Paths conflict (`paths-conflict`): `details.paths` lists at most 100 of them,
             *     `details.conflicts` what each side has there, `details.count` how many there are.
             *     Nothing changed.
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    cherryPick: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                branch: components["parameters"]["branch"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A ref expression. */
                    ref: string;
                    /** @description Which parent of a merge to compare with. */
                    parent?: number;
                    message?: string;
                    choices?: components["schemas"]["Choices"];
                    /** @default false */
                    dry_run?: boolean;
                    /**
                     * @description Of a dry run; at most so many changes.
                     * @default 1000
                     */
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description What was done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MergeReport"];
                };
            };
            /**
             * @description Paths conflict (`paths-conflict`): `details.paths` lists at most 100 of them,
             *     `details.conflicts` what each side has there, `details.count` how many there are.
             *     Nothing changed.
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    diffText: {
        parameters: {
            query: {
                /** @description The older file: `repo@ref/path`. */
                old: components["parameters"]["oldAddress"];
                /** @description The newer file: `repo@ref/path`. */
                new: components["parameters"]["newAddress"];
                /** @description How many come before the page. */
                offset?: components["parameters"]["offset"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of hunks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TextDiff"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    diffTable: {
        parameters: {
            query: {
                /** @description The older file: `repo@ref/path`. */
                old: components["parameters"]["oldAddress"];
                /** @description The newer file: `repo@ref/path`. */
                new: components["parameters"]["newAddress"];
                /** @description Columns that name a row, as one line of CSV. Left out, they are guessed; empty, whole rows are compared. */
                key?: string;
                /** @description How many come before the page. */
                offset?: components["parameters"]["offset"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts and a page of rows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TableDiff"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listFiles: {
        parameters: {
            query?: {
                /** @description Within the repo; its root when left out. */
                path?: components["parameters"]["path"];
                /** @description Whether folders come with the size and count of what is below them. */
                measure?: boolean;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of files. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getFile: {
        parameters: {
            query?: {
                /** @description Within the repo; its root when left out. */
                path?: components["parameters"]["path"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file or folder. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    readFile: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
            };
            header?: {
                Range?: string;
            };
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The whole file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description The range. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            416: components["responses"]["Error"];
            default: components["responses"]["Error"];
        };
    };
    putFile: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                message?: string;
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The new head of the branch. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commit"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteFile: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                message?: string;
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new head of the branch. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commit"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    previewFile: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                /** @description How many come before the page. */
                offset?: components["parameters"]["offset"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilePreview"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    describeFile: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                /** @description Names of columns, as one line of CSV; the first 200 if left out. */
                columns?: string;
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The statistics. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TableStatistics"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    shareFile: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default 3600 */
                    expires_s?: number;
                };
            };
        };
        responses: {
            /** @description The link. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SharedFile"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    copyFile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description An address: repo@ref/path. */
                    source: string;
                    /** @description An address: repo@branch/path. */
                    target: string;
                    message?: string;
                };
            };
        };
        responses: {
            /** @description The new head of the target's branch. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commit"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    renameFile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description repo@branch/path */
                    address: string;
                    /** @description Where it is to be; what is there must be a file or nothing. */
                    path: string;
                    message?: string;
                };
            };
        };
        responses: {
            /** @description The new head of the branch. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commit"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    restoreFile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description An address: repo@ref/path. */
                    source: string;
                    /** @default main */
                    branch?: string;
                    message?: string;
                };
            };
        };
        responses: {
            /** @description The new head of the branch. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commit"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listSessions: {
        parameters: {
            query?: {
                repo?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    createSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    repo: string;
                    /** @default main */
                    branch?: string;
                };
            };
        };
        responses: {
            /** @description The new session. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteSession: {
        parameters: {
            query?: {
                /** @description The machine that kept it is gone, and what was staged there is given up. */
                lost?: boolean;
                /** @description Whether its draft stays, to be recovered. */
                keep_draft?: boolean;
            };
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    diffSession: {
        parameters: {
            query?: {
                /** @description Ref expression of the commit that is compared with what is staged; left out, the one that the session is based on. */
                old?: components["parameters"]["oldOfSession"];
                /** @description Within the repo; its root when left out. */
                path?: components["parameters"]["path"];
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Changes by path. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listChanged: {
        parameters: {
            query?: {
                /** @description Within the repo; its root when left out. */
                path?: components["parameters"]["path"];
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Children by name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedChildPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    diffSessionText: {
        parameters: {
            query: {
                /** @description Ref expression of the commit that is compared with what is staged; left out, the one that the session is based on. */
                old?: components["parameters"]["oldOfSession"];
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                /** @description How many come before the page. */
                offset?: components["parameters"]["offset"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of hunks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TextDiff"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    diffSessionTable: {
        parameters: {
            query: {
                /** @description Ref expression of the commit that is compared with what is staged; left out, the one that the session is based on. */
                old?: components["parameters"]["oldOfSession"];
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                /** @description Columns that name a row, as one line of CSV. Left out, they are guessed; empty, whole rows are compared. */
                key?: string;
                /** @description How many come before the page. */
                offset?: components["parameters"]["offset"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts and a page of rows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TableDiff"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    readSession: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
            };
            header?: {
                Range?: string;
            };
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The whole file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description The range. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            416: components["responses"]["Error"];
            default: components["responses"]["Error"];
        };
    };
    writeSession: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                /** @description Where in the file the bytes go, -1 for its end; by default it holds nothing else. */
                offset?: number;
            };
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The file as it is now. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    writeAll: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The files that were left out. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeftOutPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    commitSession: {
        parameters: {
            query?: never;
            header?: {
                "If-Match"?: string;
            };
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    message: string;
                    metadata?: {
                        [key: string]: string;
                    };
                    choices?: components["schemas"]["SessionChoices"];
                };
            };
        };
        responses: {
            /** @description The new commit. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Commit"];
                };
            };
            /**
             * @description Others changed the same paths (`paths-conflict`): `details.paths` lists at most 100 of
             *     them, `details.count` how many there are, `details.base` and `details.head` between
             *     which commits. Nothing changed.
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    commitTogether: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Ids of sessions on different branches. */
                    sessions: string[];
                    message: string;
                    metadata?: {
                        [key: string]: string;
                    };
                };
            };
        };
        responses: {
            /** @description The new commits, of one global id; one for each session that held something. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommitPage"];
                };
            };
            /** @description Others changed the same paths of one of the branches (`paths-conflict`), or a session is open elsewhere (`session-busy`). Nothing was committed. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    restoreSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description An address: repo@ref/path. */
                    source: string;
                };
            };
        };
        responses: {
            /** @description Staged. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    discardSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Everything when left out. */
                    paths?: string[];
                };
            };
        };
        responses: {
            /** @description Dropped. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    listDrafts: {
        parameters: {
            query?: {
                repo?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionDraftPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    saveSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The draft. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionDraft"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    dropDraft: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Dropped. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    recoverSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["parameters"]["session"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new session. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listMounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MountPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    createMount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    repo: string;
                    /** @default main */
                    ref?: string;
                    /** @description By default true for a branch that people may write to. */
                    writable?: boolean;
                    mode?: components["schemas"]["MountMode"];
                    /** @description Name of a session of its own, in the folder repo@ref+session. */
                    session?: string;
                    /** @description The notebook that this session is for. */
                    notebook?: string;
                };
            };
        };
        responses: {
            /** @description The new mount. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mount"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getMount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mount: components["parameters"]["mount"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The mount. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mount"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteMount: {
        parameters: {
            query?: {
                /** @description Drop what is staged. */
                discard?: boolean;
            };
            header?: never;
            path: {
                mount: components["parameters"]["mount"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Unmounted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    switchMount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                mount: components["parameters"]["mount"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    ref: string;
                    /** @description By default true for a branch that people may write to. */
                    writable?: boolean;
                };
            };
        };
        responses: {
            /** @description The mount as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mount"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listMountpoints: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MountpointPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listDriveFiles: {
        parameters: {
            query?: {
                /** @description As below the mount point: `raw/data`, `raw@v1/data`. */
                path?: string;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DriveFilePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getDriveFile: {
        parameters: {
            query: {
                /** @description As below the mount point: `raw/x.csv`, `raw@v1/x.csv`. */
                path: components["parameters"]["drivePath"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file or folder. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DriveFile"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteDriveFile: {
        parameters: {
            query: {
                /** @description As below the mount point: `raw/x.csv`, `raw@v1/x.csv`. */
                path: components["parameters"]["drivePath"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is removed in the session. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    readDriveFile: {
        parameters: {
            query: {
                /** @description As below the mount point: `raw/x.csv`, `raw@v1/x.csv`. */
                path: components["parameters"]["drivePath"];
            };
            header?: {
                Range?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The whole file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description The range. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            416: components["responses"]["Error"];
            default: components["responses"]["Error"];
        };
    };
    putDriveFile: {
        parameters: {
            query: {
                /** @description As below the mount point: `raw/x.csv`, `raw@v1/x.csv`. */
                path: components["parameters"]["drivePath"];
                /** @description Where in the file the bytes go, -1 for its end; by default it holds nothing else. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description The file as it is now. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DriveFile"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    makeFolder: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    path: string;
                };
            };
        };
        responses: {
            /** @description The folder. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DriveFile"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    renameDriveFile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    path: string;
                    new_path: string;
                    /**
                     * @description Whether a file at the new path makes way.
                     * @default false
                     */
                    replace?: boolean;
                };
            };
        };
        responses: {
            /** @description It is there now. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DriveFile"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    copyDriveFile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    path: string;
                    new_path: string;
                };
            };
        };
        responses: {
            /** @description The copy. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DriveFile"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listPipelines: {
        parameters: {
            query?: {
                /** @description Of a group only */
                group?: string;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of pipelines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PipelinePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    createPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["PipelineSource"];
        responses: {
            /** @description The new pipeline. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pipeline. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    updatePipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody: components["requestBodies"]["PipelineSource"];
        responses: {
            /** @description The pipeline. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deletePipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    listGroups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PipelineGroupPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    pauseGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A group of pipelines, such as etl/daily. */
                group: components["parameters"]["group"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The names of its pipelines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NamePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    resumeGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A group of pipelines, such as etl/daily. */
                group: components["parameters"]["group"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The names of its pipelines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NamePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    runGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A group of pipelines, such as etl/daily. */
                group: components["parameters"]["group"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Run"];
        responses: {
            /** @description Follow the events of this global id. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    pausePipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pipeline. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    resumePipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pipeline. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    runPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Run"];
        responses: {
            /** @description Follow the events of this global id. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    backfillPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A day or a time, or for commits a ref expression. */
                    start: string;
                    /** @description The last one that belongs to the range. */
                    end: string;
                    /**
                     * @description The input that is gone over.
                     * @default null
                     */
                    input?: string | null;
                    /** @default false */
                    reprocess?: boolean;
                    /**
                     * @description How often the jobs have their turn.
                     * @default null
                     */
                    priority?: number | null;
                    /**
                     * @description Only tell what would be gone over.
                     * @default false
                     */
                    dry_run?: boolean;
                };
            };
        };
        responses: {
            /** @description What is gone over and the global ids of the jobs. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Backfill"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    exportPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    to: "airflow" | "kubernetes";
                    /**
                     * @description For Kubernetes: an image in which datalake is installed.
                     * @default null
                     */
                    image?: string | null;
                    /**
                     * @description For Kubernetes: a Secret that holds environment variables.
                     * @default null
                     */
                    secret?: string | null;
                };
            };
        };
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        text: string;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    diffPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["Declaration"];
        responses: {
            /** @description In the order in which it would be done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PipelineChangePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    applyAll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["Declaration"];
        responses: {
            /** @description What was done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PipelineChangePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    writePipeline: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    pipelines: string[];
                    /** @description A YAML file below the server's root that is not there yet. */
                    path: string;
                    /**
                     * @description Whether those are written too that these read, or that read these.
                     * @default false
                     */
                    connected?: boolean;
                };
            };
        };
        responses: {
            /** @description What was written, below the server's root; what was there as it is is not. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        results: string[];
                        next: null;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listSlots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All limits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SlotsPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    setSlots: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                resource: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    count: number;
                };
            };
        };
        responses: {
            /** @description The limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Slots"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteSlots: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                resource: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    planPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                pipeline: components["parameters"]["pipeline"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Every datum. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    previewPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    spec: components["schemas"]["Spec"];
                    /**
                     * @description Position, from 0, of the last datum that was seen already.
                     * @default -1
                     */
                    after?: number;
                    /** @default 100 */
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description The datums. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    previewSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description @every 24h, @daily, or the five fields of cron. */
                    schedule: string;
                    /**
                     * @description Time zone whose wall clock the fields are read by.
                     * @default UTC
                     */
                    zone?: string;
                    /**
                     * @description Ticks behind this time; from now on when null.
                     * @default null
                     */
                    after?: components["schemas"]["Time"] | null;
                    /** @default 3 */
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description The ticks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ComingTickPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    promotePipeline: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Path below the server's root. */
                    notebook: string;
                };
            };
        };
        responses: {
            /** @description The draft. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Draft"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    promoteAll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    notebooks: string[];
                };
            };
        };
        responses: {
            /** @description The drafts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DraftPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    renderPipeline: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A template as a document; docs/reference/template.schema.json. */
                    template: Record<string, unknown>;
                    /**
                     * @description Values by the names of the arguments.
                     * @default {}
                     */
                    arguments?: Record<string, unknown>;
                };
            };
        };
        responses: {
            /** @description The spec. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        spec: components["schemas"]["Spec"];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getTemplateSchema: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A template as a document. */
                    template: Record<string, unknown>;
                };
            };
        };
        responses: {
            /** @description The schema. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        schema: Record<string, unknown>;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getSchema: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schema. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, unknown>;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listJobs: {
        parameters: {
            query?: {
                pipeline?: string;
                /** @description Of a group of pipelines only. */
                group?: string;
                global_id?: string;
                state?: components["schemas"]["JobState"];
                /** @description Only jobs with smaller numbers. */
                before?: number;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of jobs. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    cancelAll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default null */
                    pipeline?: string | null;
                    /** @default null */
                    group?: string | null;
                };
            };
        };
        responses: {
            /** @description The jobs as they are now; the events tell when they have stopped. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The job as it is now; the events tell when it has stopped. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    rerunJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Run every datum
                     * @default false
                     */
                    reprocess?: boolean;
                    /**
                     * @description Read the commits and the tick that the job read.
                     * @default false
                     */
                    same_inputs?: boolean;
                };
            };
        };
        responses: {
            /** @description Follow the events of this global id. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    resumeJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Follow the events of this global id. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listDatums: {
        parameters: {
            query?: {
                state?: components["schemas"]["DatumState"];
                /** @description Only datums with larger positions. */
                after?: number;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of datums. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatumPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getLogs: {
        parameters: {
            query?: {
                /** @description Of one datum only; -3 is the step checks, -2 on_start, -1 finally. */
                datum?: number;
                /** @description With `datum`, begin at this byte; an earlier answer called it `end`. */
                offset?: number;
                /** @description Only of datums with larger positions, and of steps, which come before all of them. */
                after?: number;
                limit?: number;
            };
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One log per datum. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    searchLogs: {
        parameters: {
            query: {
                text: string;
                /** @description In one job only. */
                job?: string;
                /** @description In jobs of one pipeline only. */
                pipeline?: string;
                /** @description In one datum only, of the job that is given. */
                datum?: number;
                /** @description Only in datums with this in what they were cut from. */
                label?: string;
                ignore_case?: boolean;
                /** @description How many jobs to look into, the newest. */
                jobs?: number;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of lines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogLinePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getNotebook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The notebook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, unknown>;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listCells: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cells; none where there is no executed notebook (yet). */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutedCellPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    compareJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
                /** @description The beginning of another job's id. */
                other: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The comparison. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobComparison"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    reopenJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                job: components["parameters"]["job"];
                datum: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Below the server's root; must not exist.
                     * @default null
                     */
                    folder?: string | null;
                };
            };
        };
        responses: {
            /** @description The folder. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reopened"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listKernels: {
        parameters: {
            query?: {
                /** @description Only those of this job. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The kernels. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeptKernelList"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    endKernel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kernel: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It ends. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    publishFix: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Below the server's root. */
                    folder: string;
                };
            };
        };
        responses: {
            /** @description The pipeline in its next version. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pipeline"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listLineage: {
        parameters: {
            query?: {
                /** @description Only those begun before this moment, in ISO 8601. */
                before?: string;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GlobalPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listObserved: {
        parameters: {
            query?: {
                repo?: string;
                session?: string;
                notebook?: string;
                /** @description Only what datums of this job opened. */
                job?: string;
                /** @description Only this datum of the job. */
                datum?: number;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ObservationPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getGlobal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                global_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The change and what hangs on it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GlobalLineage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getLineage: {
        parameters: {
            query?: {
                /** @description Within the repo; its root when left out. */
                path?: components["parameters"]["path"];
            };
            header?: never;
            path: {
                repo: components["parameters"]["repo"];
                /** @description A ref expression. */
                ref: components["parameters"]["ref"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ancestry and progeny. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Lineage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getGraph: {
        parameters: {
            query?: {
                /** @description Keep only what hangs on this change. */
                global_id?: string;
                /** @description The graph as it was at this moment, in ISO 8601. */
                at?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nodes and edges in a stable order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageGraph"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    reproduceLineage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description A commit that a pipeline made, or a path in it.
                     * @default null
                     */
                    address?: string | null;
                    /**
                     * @description A job, in place of an address.
                     * @default null
                     */
                    job?: string | null;
                    /**
                     * @description Only this datum of the job.
                     * @default null
                     */
                    datum?: number | null;
                    /**
                     * @description So many steps of what it was made from too.
                     * @default 0
                     */
                    upstream?: number | "all";
                    /**
                     * @default current
                     * @enum {string}
                     */
                    environment?: "current" | "locked";
                    /**
                     * @description Run what differs once more.
                     * @default false
                     */
                    twice?: boolean;
                    /** @default false */
                    dry_run?: boolean;
                    /**
                     * @description Whether on_start and finally are run around the datums.
                     * @default true
                     */
                    steps?: boolean;
                    /**
                     * @description Datums that run at once; 2 where null.
                     * @default null
                     */
                    workers?: number | null;
                    /**
                     * @description So many of the paths that differ are told.
                     * @default 100
                     */
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description Of a dry run. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReproductionStart"];
                };
            };
            /** @description Begun. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReproductionStart"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listDifferences: {
        parameters: {
            query?: {
                /** @description Of several jobs that were run, the number of one, from 0; the last one where it is -1. */
                step?: number;
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                /** @description The subject of the event reproduction.ended. */
                reproduction: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Changes by path; what was recorded is the older one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listTrials: {
        parameters: {
            query?: {
                /** @description Of one pipeline only. */
                pipeline?: string;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trials. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrialPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    runTrial: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    spec: components["schemas"]["Spec"];
                    /**
                     * @description Where the notebook and the helper files are, below the server's root.
                     * @default
                     */
                    folder?: string;
                    /**
                     * @description So many datums are run, the first ones.
                     * @default 3
                     */
                    datums?: number;
                    /**
                     * @description Those to run instead, as previewPipeline counts them, from 0.
                     * @default null
                     */
                    positions?: number[] | null;
                    /**
                     * @description Whether on_start and finally are run around the datums.
                     * @default true
                     */
                    steps?: boolean;
                    /**
                     * @description Datums that run at once; 2 where null.
                     * @default null
                     */
                    workers?: number | null;
                };
            };
        };
        responses: {
            /** @description Begun. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trial"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getTrial: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trial. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trial"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteTrial: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    cancelTrial: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is being stopped. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trial"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getTrialLog: {
        parameters: {
            query?: {
                /** @description Begin at this byte; an earlier answer called it `end`. */
                offset?: number;
            };
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: components["parameters"]["triedDatum"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The log. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DatumLog"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getTrialNotebook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: components["parameters"]["triedDatum"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The notebook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, unknown>;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listTrialCells: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
                /** @description Its position; -3 is the step checks, -2 on_start, -1 finally. */
                datum: components["parameters"]["triedDatum"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cells; none where there is no executed notebook (yet). */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutedCellPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listTrialDifferences: {
        parameters: {
            query?: {
                /** @description Of what this datum wrote; of all of them together by default. */
                datum?: components["parameters"]["writtenBy"];
                /** @description The `next` of the page before. */
                after?: components["parameters"]["after"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Changes by path; what the branch holds is the older one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    diffTrialText: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                /** @description Of what this datum wrote; of all of them together by default. */
                datum?: components["parameters"]["writtenBy"];
                /** @description How many come before the page. */
                offset?: components["parameters"]["offset"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of hunks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TextDiff"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    diffTrialTable: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                /** @description Of what this datum wrote; of all of them together by default. */
                datum?: components["parameters"]["writtenBy"];
                /** @description Columns that name a row, as one line of CSV. Left out, they are guessed; empty, whole rows are compared. */
                key?: string;
                /** @description How many come before the page. */
                offset?: components["parameters"]["offset"];
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts and a page of rows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TableDiff"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    readTrial: {
        parameters: {
            query: {
                /** @description Within the repo. */
                path: components["parameters"]["requiredPath"];
                /** @description Of what this datum wrote; of all of them together by default. */
                datum?: components["parameters"]["writtenBy"];
                /** @description Whether that of the output branch is wanted. */
                base?: boolean;
            };
            header?: {
                Range?: string;
            };
            path: {
                /** @description An id, or its beginning. */
                trial: components["parameters"]["trial"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The whole file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description The range. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            416: components["responses"]["Error"];
            default: components["responses"]["Error"];
        };
    };
    listRemotes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemotePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    createRemote: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    /** @description Where it is, without a password. */
                    url: string;
                    /** @description Where its key is: file:PATH, env:VARIABLE or keyring. */
                    key?: string | null;
                };
            };
        };
        responses: {
            /** @description The new remote. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Remote"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getRemote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                remote: components["parameters"]["remote"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The remote. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Remote"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteRemote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                remote: components["parameters"]["remote"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    pushRemote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                remote: components["parameters"]["remote"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Replication"];
        responses: {
            /** @description Begun. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Remote"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    pullRemote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                remote: components["parameters"]["remote"];
            };
            cookie?: never;
        };
        requestBody?: components["requestBodies"]["Replication"];
        responses: {
            /** @description Begun. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Remote"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listConnections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    createConnection: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    /** @description duckdb:///folder/file.duckdb */
                    url: string;
                };
            };
        };
        responses: {
            /** @description The new connection. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connection"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: components["parameters"]["connection"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connection. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connection"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    deleteConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: components["parameters"]["connection"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    listTables: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: components["parameters"]["connection"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TablePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    queryConnection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connection: components["parameters"]["connection"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    sql: string;
                    /** @default 100 */
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description The rows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueryRows"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    listEvents: {
        parameters: {
            query?: {
                after?: number;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    followEvents: {
        parameters: {
            query?: {
                /** @description Send what happened behind this number first; from now on when left out. */
                after?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Switching to a websocket. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    listNotifications: {
        parameters: {
            query?: {
                pipeline?: string;
                /** @description An id, or its beginning. */
                job?: string;
                /** @description Those that wait to see whether a job is late are left out without it. */
                state?: "armed" | "pending" | "sent" | "failed";
                /** @description Only numbers below this one. */
                before?: number;
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of notifications. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getNotification: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                notification: components["parameters"]["notification"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The notification. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Notification"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    retryNotification: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id, or its beginning. */
                notification: components["parameters"]["notification"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A controller sends it. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Notification"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    testNotification: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Whose rules; null: those of the lake.
                     * @default null
                     */
                    pipeline?: string | null;
                };
            };
        };
        responses: {
            /** @description A controller sends them. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getNotificationRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As in a spec. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationRulePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    setNotificationRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description As a spec has them under notify. */
                    rules: Record<string, unknown>[];
                };
            };
        };
        responses: {
            /** @description The rules. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotificationRulePage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lake. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    backupLake: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    setQuota: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Null for no quota. */
                    quota_bytes: number | null;
                };
            };
        };
        responses: {
            /** @description Set. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    listRuns: {
        parameters: {
            query?: {
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Runs. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionRunPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    gcLake: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default false */
                    dry_run?: boolean;
                    /**
                     * @description How long deletions and moves of refs can be undone.
                     * @default null
                     */
                    undo_s?: number | null;
                    /**
                     * @description How long garbage waits at each stage.
                     * @default null
                     */
                    grace_s?: number | null;
                    /**
                     * @description Wait for nothing; a writer at work may have to repeat its work.
                     * @default false
                     */
                    now?: boolean;
                    /**
                     * @description Also delete packs with commits that the database does not know.
                     * @default false
                     */
                    delete_unknown?: boolean;
                };
            };
        };
        responses: {
            /** @description Of a dry run. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionStart"];
                };
            };
            /** @description Begun. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectionStart"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    cancelGc: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who ran it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Null where nobody did. */
                        owner: string | null;
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    setAutoGc: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Null for never. */
                    every_s: number | null;
                };
            };
        };
        responses: {
            /** @description Set. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Error"];
        };
    };
    getUsage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sizes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Usage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
    getDoctor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Findings. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingPage"];
                };
            };
            default: components["responses"]["Error"];
        };
    };
}
