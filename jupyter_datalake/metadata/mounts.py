"""Mount points and what they show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, NotFoundError
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, time_of
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.mounts import Mount, MountMode, Mountpoint, MountState


class Mounts(TableGroup):
    """Statements about `mountpoints` and `mounts`."""

    def find_point(self, path: str) -> Mountpoint | None:
        """Return a mount point, or None."""
        points = tables.mountpoints
        row = self._connection.execute(select(points).where(points.c.path == path)).one_or_none()
        return None if row is None else _point(row)

    def list_points(self) -> list[Mountpoint]:
        """Return all mount points, by path."""
        return [
            _point(row)
            for row in self._connection.execute(
                select(tables.mountpoints).order_by(tables.mountpoints.c.path)
            )
        ]

    def set_point(
        self,
        path: str,
        *,
        mode: MountMode,
        state: MountState,
        message: str,
        pid: int | None,
        host: str,
    ) -> None:
        """Insert a mount point or record its new state."""
        values = {
            "mode": str(mode),
            "state": str(state),
            "message": message,
            "pid": pid,
            "host": host,
            "updated_ns": self._now_ns,
        }
        self._insert_missing(tables.mountpoints, [{"path": path, **values}])
        self._connection.execute(
            update(tables.mountpoints).where(tables.mountpoints.c.path == path).values(**values)
        )

    def delete_point(self, path: str) -> None:
        """Forget a mount point and what it shows."""
        self._connection.execute(delete(tables.mounts).where(tables.mounts.c.mountpoint == path))
        self._connection.execute(
            delete(tables.mountpoints).where(tables.mountpoints.c.path == path)
        )

    def add(
        self,
        mountpoint: str,
        name: str,
        repo: RepoRow,
        ref: str,
        *,
        session_id: str | None,
        by: str,
        commit_id: CommitId | None = None,
    ) -> Mount:
        """Insert a mount, or raise `AlreadyExistsError`."""
        if any(mount.name == name for mount in self.list(mountpoint)):
            raise AlreadyExistsError(
                f"{mountpoint}/{name} is mounted already",
                kind=ErrorKind.MOUNT_EXISTS,
                hint=f"Unmount it first: datalake mounts delete {name}",
                mount=name,
            )
        self._connection.execute(
            insert(tables.mounts).values(
                mountpoint=mountpoint,
                name=name,
                repo_id=repo.id,
                ref=ref,
                session_id=session_id,
                commit_id=commit_id,
                created_ns=self._now_ns,
                created_by=by,
            )
        )
        return self.get(mountpoint, name)

    def show(
        self,
        mountpoint: str,
        name: str,
        ref: str,
        *,
        session_id: str | None,
        commit_id: CommitId | None,
    ) -> Mount:
        """Let a mount show another ref of its repo, or raise `NotFoundError`."""
        mounts = tables.mounts
        self._connection.execute(
            update(mounts)
            .where(mounts.c.mountpoint == mountpoint, mounts.c.name == name)
            .values(ref=ref, session_id=session_id, commit_id=commit_id)
        )
        return self.get(mountpoint, name)

    def list(self, mountpoint: str | None = None) -> list[Mount]:
        """Return the mounts of one mount point or of all, by path."""
        mounts, repos = tables.mounts, tables.repos
        statement = (
            select(mounts, repos.c.name.label("repo"))
            .join(repos, repos.c.id == mounts.c.repo_id)
            .order_by(mounts.c.mountpoint, mounts.c.name)
        )
        if mountpoint is not None:
            statement = statement.where(mounts.c.mountpoint == mountpoint)
        return [_mount(row) for row in self._connection.execute(statement)]

    def get(self, mountpoint: str, name: str) -> Mount:
        """Return a mount, or raise `NotFoundError`."""
        for mount in self.list(mountpoint):
            if mount.name == name:
                return mount
        raise NotFoundError(
            f"Nothing is mounted at {mountpoint}/{name}",
            kind=ErrorKind.MOUNT_NOT_FOUND,
            hint="'datalake mounts list' shows what is mounted",
            mount=name,
        )

    def delete(self, mountpoint: str, name: str) -> None:
        """Forget a mount; its session stays."""
        mounts = tables.mounts
        self._connection.execute(
            delete(mounts).where(mounts.c.mountpoint == mountpoint, mounts.c.name == name)
        )


def _point(row: Row[Any]) -> Mountpoint:
    return Mountpoint(
        row.path,
        MountMode(row.mode),
        MountState(row.state),
        row.message,
        row.pid,
        row.host,
        time_of(row.updated_ns),
    )


def _mount(row: Row[Any]) -> Mount:
    return Mount(
        row.mountpoint,
        row.name,
        row.repo,
        row.ref,
        row.session_id,
        time_of(row.created_ns),
        row.created_by,
        row.commit_id,
    )
