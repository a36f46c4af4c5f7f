"""Programs that the tests of this folder run as processes of their own, and kill.

``python programs.py NAME LAKE …``: the functions below, by name. Each says on its output, line by
line, how far it is.
"""

import contextlib
import itertools
import os
import sys
import threading
from concurrent.futures import Future

from jupyter_datalake.errors import AlreadyExistsError, ConflictError, ErrorKind
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.sessions import WorkSession
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.testing.faults import CrashPoint

ME = Author("another process")


def say(*words):
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def heard():
    """Wait for a line and return it; end when nobody is there to send one."""
    line = sys.stdin.readline()
    if not line:
        os._exit(0)
    return line.strip()


# --- dying at a chosen step ----------------------------------------------------------------------


def crash(url, act, *arguments):
    """For each number that comes in, do `act` in a child that dies at its step of that number.

    The answer is the child's exit code: -9 while it was killed, 0 when it was done before.
    """
    if act == "run_jobs":
        import jupyter_datalake.lake.controllers  # noqa: F401  # so that no child has to
    say("ready")
    while True:
        at = int(heard())
        child = os.fork()
        if child == 0:
            point = CrashPoint(at)
            point.watch_files(url)
            ACTS[act](url, point, *arguments)
            os._exit(0)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def watched(url, point):
    lake = Lake.open(url, author=ME)
    return Lake(point.watch(lake.core), ME)


def make_lake(url, point):
    Lake.create(url, author=ME)


def make_repo(url, point, name):
    watched(url, point).repos.create(name)


def commit_session(url, point):
    lake = watched(url, point)
    (session,) = lake.sessions.list()
    lake.sessions.commit(session.id, "killed or not")


def commit_together(url, point):
    lake = watched(url, point)
    ids = [one.id for one in lake.sessions.list()]
    lake.sessions.commit_together(ids, "killed or not")


def stage(url, point):
    lake = watched(url, point)
    (info,) = lake.sessions.list()
    with lake.sessions.open(info.id) as session:
        session.put("new/inline", b"few bytes")
        session.put("new/large", b"many bytes" * 50_000)
        session.rename("kept", "moved")
        session.delete("gone")
        session.make_folder("empty")


def put_file(url, point, text):
    watched(url, point).files.put("raw@main/put", text * 30_000)


def collect(url, point):
    """A run of gc that leaves nothing for another: everything it does is watched."""
    at_once = GcPolicy(undo_s=0, grace_s=0, reader_s=0, unknown_s=0, small_pack_count=2)
    watched(url, point).maintenance.gc(at_once)


def expire(url, point):
    watched(url, point).retention.apply("raw")


class InlineExecutor:
    """Runs datums in this process, so that one kill meets everything that a job does."""

    slots = 1

    def __init__(self, runner):
        self._runner = runner

    def has_room(self, spec):
        return True

    def submit(self, tasks):
        futures = [Future() for _ in tasks]
        outcomes = [self._runner.run(task) for task in tasks]
        self._runner.settle()
        for future, outcome in zip(futures, outcomes, strict=True):
            future.set_result(outcome)
        return futures

    def cancel(self, task):
        """Nothing runs any more when somebody could ask for this."""


def run_jobs(url, point):
    from jupyter_datalake.config import ControllerConfig
    from jupyter_datalake.jobs.runner import DatumRunner
    from jupyter_datalake.pipelines.controller import Controller

    core = watched(url, point).core
    config = ControllerConfig(workers=1, poll_s=0.01, lease_s=0.001, job_lease_s=0.001)
    executor = InlineExecutor(DatumRunner(core, run_query=None))
    Controller(core, executor, config, ME).run(threading.Event(), until_idle=True)


ACTS = {
    one.__name__: one
    for one in (
        make_lake,
        make_repo,
        commit_session,
        commit_together,
        stage,
        put_file,
        run_jobs,
        collect,
        expire,
    )
}


# --- dying at any moment -------------------------------------------------------------------------


def writers(url):
    """For each line that comes in, start a child that commits until it is killed."""
    say("ready")
    while True:
        first = int(heard())
        child = os.fork()
        if child == 0:
            lake = Lake.open(url, author=ME)
            say("pid", os.getpid())
            for number in itertools.count(first):
                lake.files.put(f"raw@main/{number % 7}", f"{number} " * (1 + number * 997 % 20_000))
                say("committed", number)
        os.waitpid(child, 0)
        say("dead")


# --- gc ------------------------------------------------------------------------------------------


def collect_for_ever(url):
    """Run gc again and again, waiting for nothing, until a line comes in; say how often it was."""
    at_once = GcPolicy(undo_s=0, grace_s=0, reader_s=0, small_pack_count=4)
    told = threading.Event()
    threading.Thread(target=lambda: (heard(), told.set()), daemon=True).start()
    runs = swept = 0
    with Lake.open(url, author=ME) as lake:
        say("ready")
        while not told.is_set():
            try:
                swept += lake.maintenance.gc(at_once).swept_blobs
                runs += 1
            except ConflictError as error:
                if error.kind is not ErrorKind.LEASE_HELD:
                    raise
    say(runs, swept)


def rewrite(url, name, count):
    """Commit and stage the same few contents again and again, so that they come and go."""
    repeated = 0
    with Lake.open(url, author=ME) as lake:
        say("ready")
        heard()
        for number in range(int(count)):
            while True:
                try:
                    lake.files.put(f"raw@{name}/a", f"{number % 5}" * 50_000)
                    with lake.sessions.create("raw", name) as session:
                        session.put("b", f"{number % 3}" * 60_000)
                        session.discard()
                    break
                except ConflictError as error:
                    if error.kind is not ErrorKind.CONTENT_COLLECTED:
                        raise
                    repeated += 1
            lake.refs.reset("raw", name, f"{name}~1" if number % 4 == 3 else name)
    say("repeated", repeated)


# --- several at once -----------------------------------------------------------------------------


def put_many(url, prefix, count):
    """Commit files of one's own to the branch that others commit to as well."""
    with Lake.open(url, author=ME) as lake:
        say("ready")
        heard()
        for number in range(int(count)):
            lake.files.put(f"raw@main/{prefix}/{number}", f"{prefix} {number}")
    say("done")


def sign(url, name, count):
    """Add to the text of a file that others add to as well, again where they came first."""
    conflicts = 0
    with Lake.open(url, author=ME) as lake, lake.sessions.create("raw") as session:
        say("ready")
        heard()
        for number in range(int(count)):
            while True:
                with session.open("guests") as file:
                    session.put("guests", file.read() + f"{name}{number} ".encode())
                try:
                    session.commit("sign")
                    break
                except ConflictError as error:
                    if error.context.get("paths") != ["guests"]:
                        raise
                    conflicts += 1
                    session.discard()
                    session._session.rebase()
    say("conflicts", conflicts)


def make_same(url, what):
    """Make a repo, or a lake, that others make at the same moment."""
    if what == "repo":
        lake = Lake.open(url, author=ME)
    say("ready")
    heard()
    try:
        if what == "repo":
            lake.repos.create("same")
        else:
            Lake.create(url, author=ME)
    except AlreadyExistsError as error:
        say(error.kind)
    else:
        say("made")


def hold_session(url):
    """Keep a session with a staged file open until killed."""
    lake = Lake.open(url, author=ME)
    session: WorkSession = lake.sessions.create("raw")
    session.put("staged", "by the holder")
    say("session", session._session.id)
    heard()


def hold_database(url):
    """Keep the database's write lock until told to let go."""
    with Lake.open(url, author=ME) as lake, lake.core.metadata.write():
        say("holding")
        heard()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        globals()[sys.argv[1]](*sys.argv[2:])
