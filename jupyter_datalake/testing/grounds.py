"""Grounds: where the lakes of the crash harness are, and how one is copied behind its back.

A lake is known by a folder on every ground. On a local disk (`LocalGround`) it lies there; of one
in S3 (`s3_grounds`) the folder holds what this machine keeps.

Nothing here goes through the code under test: files and objects are copied as they are, databases
by their server.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.lake.opening import DATABASE, DESCRIPTION, OBJECTS, WORK
from jupyter_datalake.storage.base import ObjectStore
from jupyter_datalake.testing.faults import CrashPoint


class Ground(Protocol):
    """Where lakes are; see the module."""

    @property
    def has_sqlite(self) -> bool:
        """Whether metadata are in SQLite."""

    @property
    def can_fail(self) -> bool:
        """Whether the disk of lakes can be made to be full, or to fail."""

    def prepare(self) -> None:
        """Do once, before anything is forked, what each child would have to do otherwise."""

    def config(self, folder: Path) -> LakeConfig:
        """Return how the lake of a folder is opened."""

    def watch(self, point: CrashPoint, folder: Path) -> None:
        """Let a crash point count by what this process changes lakes from now on."""

    def holds(self, folder: Path) -> bool:
        """Tell whether there is a lake."""

    def database(self, folder: Path) -> Path | None:
        """Return the SQLite database of a lake; None where it has none, or is none."""

    def copy_site(self, source: Path, target: Path, lakes: tuple[str, ...]) -> None:
        """Make a folder the copy of another one, with the lakes in it that have these names.

        Nobody may have one of them open.
        """

    def copy_objects(self, source: Path, target: Path) -> None:
        """Make a lake that has lost its database; the lake it is copied from may be open."""

    def remove(self, folder: Path) -> None:
        """Remove a lake."""

    def make_room(self, folder: Path) -> None:
        """Make a place for a new lake, and remove what is there."""

    def clear(self) -> None:
        """Remove everything but folders."""

    def leftovers(self, folder: Path, objects: ObjectStore) -> list[str]:
        """Return what a lake's store holds, after gc, that nobody will ever remove."""


@dataclass(frozen=True, slots=True)
class LocalGround:
    """Lakes on a local disk, with SQLite."""

    has_sqlite: ClassVar[bool] = True
    can_fail: ClassVar[bool] = True

    def prepare(self) -> None:
        """Do nothing: there is no server."""

    def config(self, folder: Path) -> LakeConfig:
        """Return how the lake of a folder is opened."""
        return LakeConfig(str(folder), staged_count=2)  # so that sessions fold, too

    def watch(self, point: CrashPoint, folder: Path) -> None:
        """Count every system call by which a disk changes, and what changes a database."""
        point.watch_system(str(folder))

    def holds(self, folder: Path) -> bool:
        """Tell whether there is a lake."""
        return (folder / OBJECTS / DESCRIPTION).exists()

    def database(self, folder: Path) -> Path | None:
        """Return the database of a lake; None where it has lost it."""
        found = folder / DATABASE
        return found if found.exists() else None

    def copy_site(self, source: Path, target: Path, lakes: tuple[str, ...]) -> None:
        """Copy the folder."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)

    def copy_objects(self, source: Path, target: Path) -> None:
        """Copy the folder, without database and working files."""
        shutil.rmtree(target, ignore_errors=True)
        ignore = shutil.ignore_patterns(f"{DATABASE}*", WORK)
        shutil.copytree(source, target, ignore=ignore)

    def remove(self, folder: Path) -> None:
        """Remove the folder."""
        shutil.rmtree(folder, ignore_errors=True)

    def make_room(self, folder: Path) -> None:
        """Remove the folder."""
        self.remove(folder)

    def clear(self) -> None:
        """Do nothing: the folders are their caller's."""

    def leftovers(self, folder: Path, objects: ObjectStore) -> list[str]:
        """Return nothing: gc itself tells how many packs it does not know."""
        return []


LOCAL = LocalGround()
