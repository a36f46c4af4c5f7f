"""How long many staged changes take to look at, save, discard and commit, and how much memory.

::

    python tests/benchmarks/staged.py 100000 fuse checkout

Each file is a small one of its own content, a hundred in a folder. What is printed is seconds of
wall clock, as whoever asked had to wait, seconds of this process's processors, and the most
memory that a process had: this one, and the one behind a FUSE mount. ``session`` is no mount: the
files are put into a session one by one.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.sessions import WorkSession
from jupyter_datalake.mount.control import MountClient

_IN_A_FOLDER = 100


class _Took(dict[str, tuple[float, ...]]):
    """The seconds of each act: of wall clock, and of this process's processors."""

    def act(self, name: str, what: Callable[[], object]) -> None:
        began, spent = time.perf_counter(), time.process_time()
        what()
        self[name] = time.perf_counter() - began, time.process_time() - spent


def run(place: Path, count: int, mode: str) -> _Took:
    """Return the seconds of each act on `count` staged files in a mount of a mode."""
    took = _Took()
    act = took.act
    with Lake.create(str(place / mode)) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/begin", "begin")
        mount = lake.mounts.create("raw", at=str(place / f"shown-{mode}"), mode=mode)
        session = mount.session_id
        assert session is not None
        folder = Path(mount.path)
        act("write them", lambda: _write(folder, count))
        act("first change", lambda: lake.sessions.diff(session, limit=1))
        act("first 100 changes", lambda: lake.sessions.diff(session, limit=100))
        act("first 100 changes, again", lambda: lake.sessions.diff(session, limit=100))
        act("those of one folder", lambda: lake.sessions.diff(session, path="new/7"))
        act("all changes", lambda: _check(len(lake.sessions.diff(session)), count))
        act("discard one file", lambda: lake.sessions.discard(session, ["new/7/7"]))
        act("discard one folder", lambda: lake.sessions.discard(session, ["new/8"]))
        act("save a draft", lambda: lake.sessions.save(session))
        act("commit", lambda: lake.sessions.commit(session, "Add them"))
        _check(lake.files.get("raw@main/new").file_count, count - _IN_A_FOLDER - 1)
        act("first change after it", lambda: lake.sessions.diff(session, limit=1))
        point = str(place / f"shown-{mode}")
        took["peak MiB here"] = (_peak(os.getpid()),)
        if mode == "fuse":
            took["peak MiB of the mount"] = (_peak(MountClient(lake.core, point).ping()["pid"]),)
        lake.mounts.stop(point)
    return took


def run_session(place: Path, count: int) -> _Took:
    """Return the seconds of each act on `count` files that are put into a session."""
    took = _Took()
    act = took.act
    with Lake.create(str(place / "session")) as lake:
        lake.repos.create("raw")
        session = lake.sessions.create("raw")
        act("put them", lambda: _put(session, count))
        session.close()
        act("open it again", lambda: lake.sessions.diff(session.id, limit=1))
        session = lake.sessions.open(session.id)
        act("discard one file", lambda: session.discard("new/7/7"))
        lake.files.put("raw@main/beside", "what somebody else commits")
        act("commit, onto a branch that moved", lambda: session.commit("Add them"))
        session.close()
        _check(lake.files.get("raw@main/new").file_count, count - 1)
        took["peak MiB here"] = (_peak(os.getpid()),)
    return took


def _put(session: WorkSession, count: int) -> None:
    for number in range(count):
        name, last = divmod(number, _IN_A_FOLDER)
        session.put(f"new/{name}/{last}", str(number))  # no pack of its own


def _peak(pid: int) -> float:
    """Return the most memory that a process ever had, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return round(int(found[1]) / 1024) if found else 0.0


def _write(folder: Path, count: int) -> None:
    for number in range(count):
        name, last = divmod(number, _IN_A_FOLDER)
        above = folder / "new" / str(name)
        if last == 0:
            above.mkdir(parents=True)
        (above / str(last)).write_text(f"{number} " * 20)


def _check(found: int, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"There are {found} changes, and {wanted} were made")


def main(count: int, *modes: str) -> None:
    """Print a table."""
    for mode in modes or ("fuse", "checkout"):
        with tempfile.TemporaryDirectory() as place:
            here = Path(place)
            took = run_session(here, count) if mode == "session" else run(here, count, mode)
            for name, figures in took.items():
                shown = " ".join(f"{figure:8.2f}" for figure in figures)
                print(f"{mode:9} {name:34} {shown}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, *sys.argv[2:])
