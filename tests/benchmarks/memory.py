"""Peak memory of verbs over large things, each in a process of its own.

``python tests/benchmarks/memory.py VERB FOLDER`` does one; `run` does all and returns the peaks.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import measure
from trees import AUTHOR, PER_FOLDER, fill

from jupyter_datalake.engine.blobs import register_packs
from jupyter_datalake.engine.commits import BY_HAND
from jupyter_datalake.engine.core import new_global_id
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import CommitDraft
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.model.packs import BlobKind

BUDGET_MIB = 512
GIGABYTE = 1 << 30


def run(place: Path, *, scale: float = 1.0) -> dict[str, Any]:
    """Return peak memory and time of each verb, and whether all are within the budget."""
    shutil.rmtree(place / "memory", ignore_errors=True)
    (place / "memory").mkdir(parents=True)
    figures: dict[str, dict[str, float]] = {}
    for verb in VERBS:
        cost = measure(
            [sys.executable, __file__, verb, place / "memory"],
            folder=place / "memory",
            environment={"BENCH_SCALE": str(scale)},
        )
        figures[verb] = cost.as_dict()
        print(f"{verb:37} {cost.peak_mib:6.0f} MiB {cost.wall_s:7.1f} s", file=sys.stderr)
    shutil.rmtree(place / "memory")
    peaks = [figure["peak_mib"] for figure in figures.values()]
    return {
        "benchmark": "memory",
        "scale": scale,
        "budget_mib": BUDGET_MIB,
        "is_within_budget": max(peaks) <= BUDGET_MIB,
        "verbs": figures,
    }


def _scaled(count: int) -> int:
    return max(int(count * float(os.environ.get("BENCH_SCALE", "1"))), 1)


def _lake(place: Path) -> Lake:
    folder = str(place / "lake")
    return Lake.open(folder) if Path(folder).exists() else Lake.create(folder)


def _put_large_file(place: Path) -> None:
    """20 GB: stretches of noise in a sparse file."""
    path = place / "large"
    size = _scaled(20 * GIGABYTE)
    with open(path, "wb") as file:
        for start in range(0, size, GIGABYTE):
            file.seek(start)
            file.write(os.urandom(min(64 << 20, size - start)))
        file.truncate(size)
    with _lake(place) as lake:
        lake.repos.create("large")
        lake.files.put("large@main/file", path)
    path.unlink()


def _read_large_file(place: Path) -> None:
    with _lake(place) as lake, lake.files.open("large@main/file") as file:
        while file.read(1 << 20):
            pass


def _export_large_file(place: Path) -> None:
    with _lake(place) as lake:
        lake.files.export("large@main/file", place / "out")
    (place / "out").unlink()


def _import_tree(place: Path) -> None:
    """A million files."""
    folder = place / "tree"
    for number in range(_scaled(1_000_000)):
        if number % 1000 == 0:
            below = folder / f"{number // 1000:05d}"
            below.mkdir(parents=True)
        (below / f"{number % 1000:03d}").write_bytes(b"%d" % number * 20)
    with _lake(place) as lake:
        lake.repos.create("tree")
        lake.files.put_tree("tree@main", folder)
    shutil.rmtree(folder)


def _list_tree(place: Path) -> None:
    with _lake(place) as lake:
        tree = lake.core.snapshot(lake.commits.get("tree", "main"))
        deque(tree.iter_files(), maxlen=0)


def _delete_half_and_diff(place: Path) -> None:
    with _lake(place) as lake:
        before = lake.core.snapshot(lake.commits.get("tree", "main"))
        for number in range(0, _scaled(1_000_000) // 1000, 2):
            if number < 20:
                lake.files.delete(f"tree@main/{number:05d}")
        after = lake.core.snapshot(lake.commits.get("tree", "main"))
        deque(before.changed_paths(after), maxlen=0)


def _move_all(place: Path) -> None:
    """Move the whole tree into a folder, and commit that."""
    with _lake(place) as lake, lake.sessions.create("tree") as session:
        for info in list(session.list()):
            session.rename(info.path, f"all/{info.path}")
        session.commit("move all")
        session.delete_session()


def _restore_all(place: Path) -> None:
    """Stage the tree as it was before, and commit that."""
    with _lake(place) as lake, lake.sessions.create("tree") as session:
        session.restore("tree@main~1")
        session.commit("as it was")
        session.delete_session()


def _make_history(place: Path) -> None:
    """100,000 commits."""
    with _lake(place) as lake:
        lake.repos.create("long")
        roots = [lake.files.put("long@main/file", text).root for text in (b"a", b"b")]
        head = lake.commits.get("long", "main")
        core, left = lake.core, _scaled(100_000)
        with core.writer() as writer:
            while left:
                drafts, parent = [], head.id
                for number in range(min(left, 1000)):
                    commit, data = CommitDraft(
                        repo="long",
                        branch="main",
                        root=roots[number % 2],
                        parents=(parent,),
                        author=AUTHOR,
                        time_ns=core.clock(),
                        message=f"commit {left - number}",
                        global_id=new_global_id(),
                        provenance=BY_HAND,
                        file_count=1,
                        size_bytes=1,
                    ).seal()
                    writer.add(BlobKind.COMMIT, data)
                    drafts.append(commit)
                    parent = commit.id
                packs = writer.seal()
                with core.metadata.write() as tx:
                    register_packs(tx, packs)
                    repo = tx.repos.get("long")
                    for commit in drafts:
                        tx.commits.add(repo.id, commit)
                    tx.refs.move(
                        repo, "main", expected=head.id, new=parent, by="benchmark", reason="fill"
                    )
                head, left = drafts[-1], left - len(drafts)


def _walk_history(place: Path) -> None:
    with _lake(place) as lake:
        after = None
        while page := lake.commits.list("long", "main", after=after, limit=1000):
            after = page[-1].id


def _cut_history(place: Path) -> None:
    with _lake(place) as lake:
        lake.retention.set("long", keep_last=10)
        lake.retention.apply("long")
        lake.maintenance.gc(GcPolicy(grace_s=0, reader_s=0))


def _merge(place: Path) -> None:
    """Two branches that have each changed half a million files of a million."""
    count = _scaled(1_000_000)
    with _lake(place) as lake:
        lake.repos.create("merged")
        fill(lake, "merged", count)
        lake.refs.create_branch("merged", "other")
        for number, branch in enumerate(("main", "other"), 1):
            fill(lake, "merged", count, branch=branch, changed=number)
        lake.commits.merge("merged", "other", dry_run=True)
        lake.commits.merge("merged", "other")


def _mount_checkout(place: Path) -> None:
    """Write a million files as an ordinary folder."""
    with _lake(place) as lake:
        lake.repos.create("shown")
        fill(lake, "shown", _scaled(1_000_000))
        lake.refs.create_tag("shown", "first")
        lake.mounts.create("shown", at=str(place / "point"), mode=MountMode.CHECKOUT)


def _change_half(place: Path, text: str) -> None:
    for number in range(0, _scaled(1_000_000), 2):
        above, last = divmod(number, PER_FOLDER)
        (place / "point" / "shown" / f"{above:06d}" / f"{last:02d}.txt").write_text(text)


def _look_at_checkout(place: Path) -> None:
    """Half of its files, changed: the first pages, what a file browser marks, and a draft."""
    _change_half(place, "ours")
    with _lake(place) as lake:
        session = str(lake.mounts.get("shown", at=str(place / "point")).session_id)
        first = lake.sessions.diff(session, limit=1000)
        lake.sessions.diff(session, after=first[-1].path, limit=1000)
        lake.sessions.list_changed(session, first[0].path.rpartition("/")[0])
        lake.sessions.save(session)


def _remount_checkout(place: Path) -> None:
    """Unmount it, which stages what was changed, and mount it with that."""
    with _lake(place) as lake:
        lake.mounts.delete("shown", at=str(place / "point"))
        lake.mounts.create("shown", at=str(place / "point"), mode=MountMode.CHECKOUT)


def _commit_checkout(place: Path) -> None:
    """Commit half of its files onto a branch on which each other file was changed."""
    with _lake(place) as lake:
        fill(lake, "shown", _scaled(1_000_000), changed=2)
        session = str(lake.mounts.get("shown", at=str(place / "point")).session_id)
        lake.sessions.commit(session, "half of them")


def _discard_checkout(place: Path) -> None:
    _change_half(place, "again")
    with _lake(place) as lake:
        session = str(lake.mounts.get("shown", at=str(place / "point")).session_id)
        lake.sessions.discard(session)


def _switch_checkout(place: Path) -> None:
    """Show a tag in its folder, read-only, and unmount that."""
    with _lake(place) as lake:
        lake.mounts.switch("shown", "first", at=str(place / "point"))
        lake.mounts.delete("shown", at=str(place / "point"))


def _verify(place: Path) -> None:
    with _lake(place) as lake:
        report = lake.maintenance.verify()
        if not report.is_clean:
            raise RuntimeError(f"the lake is damaged: {report}")


def _fill_and_commit(place: Path) -> None:
    with _lake(place) as lake:
        lake.repos.create("filled", description=AUTHOR.name)
        fill(lake, "filled", _scaled(10_000_000))


VERBS: dict[str, Callable[[Path], None]] = {
    "put a file of 20 GB": _put_large_file,
    "read it": _read_large_file,
    "export it": _export_large_file,
    "put a tree of 1M files": _import_tree,
    "list it": _list_tree,
    "delete and diff in it": _delete_half_and_diff,
    "move all of it in a session": _move_all,
    "restore it in a session": _restore_all,
    "merge two changes of half of 1M files": _merge,
    "make 100k commits": _make_history,
    "list them": _walk_history,
    "keep ten of them and collect the rest": _cut_history,
    "commit a tree of 10M entries": _fill_and_commit,
    "mount a checkout of 1M files": _mount_checkout,
    "look at its changes, of half of it": _look_at_checkout,
    "unmount and mount it again": _remount_checkout,
    "commit them, bring in as many": _commit_checkout,
    "change half of it and discard": _discard_checkout,
    "switch it to a tag and unmount": _switch_checkout,
    "verify everything": _verify,
}


if __name__ == "__main__":
    VERBS[sys.argv[1]](Path(sys.argv[2]))
