"""Inputs that are fetched when a program reads them: on a real mount, and where there is none."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine.commits import commit_by_id
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.jobs.workspace import Workspace
from jupyter_datalake.lake import lazy_inputs
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.lazy_inputs import LAZY_FOLDER, LazyMount, MountedInputs
from jupyter_datalake.model.ids import GlobalId
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.model.pipeline_specs import parse_spec
from jupyter_datalake.mount.mountpoints import unmount
from tests.integration.conftest import Runner
from tests.integration.pipelines.conftest import is_gone, wait_until

fuse = pytest.mark.fuse

LOOK = """
import hashlib, json, os, sys
found = {}
for name in ("raw", "rates"):
    top = os.environ.get(name)
    for place, folders, files in os.walk(top) if top else ():
        for one in files:
            path = os.path.join(place, one)
            about = os.stat(path)
            content = open(path, "rb").read()
            found[path] = [
                about.st_size, about.st_mode, about.st_mtime_ns, hashlib.md5(content).hexdigest()
            ]
batch = os.environ.get("DATALAKE_BATCH")
given = json.load(open(batch)) if batch else None
text = json.dumps([found, given], sort_keys=True)
open(f"pfs/out/{hashlib.md5(text.encode()).hexdigest()}", "w").write(text)
"""


def reads(repo, glob, **more):
    return {"repo": {"name": repo, "glob": glob, **more}}


def fill(lake, repo, *paths, text="the text of"):
    if repo not in {one.name for one in lake.repos.list()}:
        lake.repos.create(repo)
    with lake.sessions.create(repo) as session:
        for path in paths:
            session.put(path, f"{text} {repo}/{path}")
        session.commit("fill")


def mounts_below(folder):
    """Return the mount points below a folder, be their processes alive or not."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split(" ")[4] for line in lines if line.split(" ")[4].startswith(f"{folder}/")]


def log_of(runner, pipeline):
    return "".join(one.text for one in runner.lake.jobs.logs(runner.job(pipeline).id))


@pytest.fixture(autouse=True)
def nothing_stays_mounted(tmp_path):
    yield
    left = mounts_below(tmp_path)
    for point in left:
        unmount(point)
    assert left == []


INPUTS = {
    "glob": lambda **more: reads("raw", "/*", **more),
    "whole": lambda **more: {"cross": [reads("raw", "/", **more), reads("rates", "/(*)", **more)]},
    "outer": lambda **more: {
        "join": [
            reads("raw", "/(*)/**", on="$1", outer=True, **more),
            reads("rates", "/(*)", on="$1", outer=True, **more),
        ]
    },
    "grouped": lambda **more: {
        "group": [reads("raw", "/(*)/**", by="$1", **more), reads("rates", "/(*)", by="$1")]
    },
    "either": lambda **more: {
        "union": [reads("raw", "/d/**", **more), reads("rates", "/*", **{"as": "raw", **more})]
    },
}


@fuse
def test_a_program_finds_the_same_whether_its_inputs_are_lazy_or_not(runner):
    fill(runner.lake, "raw", "d/a", "d/e/b", "f/ä ö", "x")
    fill(runner.lake, "rates", "d", "g")
    names = []
    for name, given in INPUTS.items():
        for size in (None, 2) if name in {"glob", "grouped"} else (None,):
            for lazy in (False, True):
                names.append(f"{name}-{size}-{lazy}".lower())
                policy = {"tries": 1, **({} if size is None else {"batch": size})}
                spec = {"command": [sys.executable, "-c", LOOK], "input": given(lazy=lazy)}
                runner.publish({"pipeline": names[-1], "datums": policy, **spec})
    runner.run()
    assert set(runner.states().values()) == {("success", "committed")}
    for copied, lazy in zip(names[::2], names[1::2], strict=True):
        assert runner.files(f"{lazy}@main") == runner.files(f"{copied}@main") != {}
        assert list(runner.datums(lazy)) == list(runner.datums(copied))
        assert "is copied" not in log_of(runner, lazy)


@fuse
@pytest.mark.kernel
@pytest.mark.parametrize("fork", [True, False], ids=["forked", "started"])
def test_a_notebook_reads_lazy_inputs(runner, fork):
    fill(runner.lake, "raw", "d/a", "d/e/b")
    runner.notebook(
        "p",
        [
            'raw = "elsewhere"\nout = "out"',
            "from pathlib import Path\n"
            "found = {str(p.relative_to(raw)): p.read_text()"
            " for p in Path(raw).rglob('*') if p.is_file()}\n"
            "assert Path(raw).is_symlink()\n"
            "Path(out, 'found').write_text(str(sorted(found.items())))",
        ],
        input=reads("raw", "/", lazy=True),
        environment={"fork": fork},
    )
    runner.run()
    assert runner.states() == {"p": ("success", "committed")}
    expected = [("d/a", "the text of raw/d/a"), ("d/e/b", "the text of raw/d/e/b")]
    assert runner.files("p@main") == {"found": str(expected)}


@fuse
def test_what_a_program_links_or_copies_of_a_lazy_input_is_kept_as_of_a_copied_one(runner):
    fill(runner.lake, "raw", "d/a", "d/e/b")
    script = "ln -s ../raw/d/a pfs/out/one; ln -s ../raw/d pfs/out/some; cp -r pfs/raw pfs/out/all"
    for lazy in (False, True):
        runner.command(f"p-{lazy}".lower(), script, input=reads("raw", "/", lazy=lazy))
    runner.run()
    a, b = "the text of raw/d/a", "the text of raw/d/e/b"
    kept = {"one": a, "some/a": a, "some/e/b": b, "all/d/a": a, "all/d/e/b": b}
    assert runner.files("p-false@main") == kept
    assert runner.files("p-true@main") == kept


@fuse
@pytest.mark.everywhere
def test_a_lazy_input_takes_no_room_and_can_neither_be_changed_nor_be_left(runner):
    runner.lake.files.put("raw@main/big", os.urandom(8 << 20))
    fill(runner.lake, "secret", "s")
    script = """
    test -h pfs/raw
    du -sk . | cut -f1 > pfs/out/kib
    head -c 3 pfs/raw/big | wc -c > pfs/out/read
    ! touch pfs/raw/new
    ! rm pfs/raw/big
    ls pfs/raw/.. > pfs/out/others
    ! test -e pfs/raw/../secret
    ! test -e pfs/raw/../secret@main
    """
    runner.command("p", script, input=reads("raw", "/", lazy=True))
    runner.run()
    assert runner.states() == {"p": ("success", "committed")}
    found = runner.files("p@main")
    assert int(found["kib"]) < 1024
    assert (found["read"], found["others"]) == ("3\n", "")
    assert [one.path for one in runner.lake.files.list("raw@main")] == ["big"]


@fuse
def test_a_lazy_input_that_becomes_a_copied_one_runs_nothing(runner):
    fill(runner.lake, "raw", "a", "b")
    for lazy, state in [(True, "success"), (False, "skipped"), (True, "skipped")]:
        runner.command("p", "cp pfs/raw/* pfs/out/", input=reads("raw", "/*", lazy=lazy))
        runner.run()
        assert {one for one, _ in runner.datums("p").values()} == {state}


@fuse
def test_an_encrypted_lake_shows_lazy_inputs(tmp_path, monkeypatch):
    config = LakeConfig(str(tmp_path / "lake"), key=f"file:{tmp_path / 'key'}")
    (tmp_path / "work").mkdir()
    with Lake.create(config) as lake:
        monkeypatch.setenv("DATALAKE_KEY_FILE", str(tmp_path / "key"))
        runner = Runner(lake, tmp_path / "work")
        fill(lake, "raw", "a")
        script = "test -h pfs/raw; cat pfs/raw/a > pfs/out/a"
        runner.command("p", script, input=reads("raw", "/", lazy=True))
        runner.run()
        assert runner.files("p@main") == {"a": "the text of raw/a"}


# --- what is read --------------------------------------------------------------------------------


def task_of(lake, given):
    """Return what a worker is given for the one datum of a spec."""
    spec = parse_spec({"pipeline": "p", "command": ["true"], "input": given})
    (inputs,) = lake.pipelines.preview(spec)[0]
    code = lake.commits.get("code").id
    return DatumTask("job", 0, 1, 1, GlobalId("0" * 32), spec, code, inputs)


def prepared(lake, task, mount):
    """Make the folder of a datum as a worker does; return it, and what its log is told."""
    core = lake.core
    workspace = Workspace.of(core, task)

    def snapshot_of(commit_id):
        return core.snapshot(commit_by_id(core, commit_id))

    return workspace, workspace.prepare(snapshot_of, task, MountedInputs(mount.folder))


@pytest.fixture
def mount(local_lake):
    local_lake.repos.create("raw")
    local_lake.repos.create("code")
    one = LazyMount(local_lake.url, local_lake.core.work_folder / LAZY_FOLDER)
    yield one
    one.close()


def bytes_read(pid):
    """Return what a process has read, by whatever call, wherever from."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


@fuse
def test_only_what_a_program_reads_is_fetched(local_lake, mount):
    local_lake.files.put("raw@main/big", os.urandom(64 << 20))
    mount.start()
    before = bytes_read(mount.pid)
    workspace, notes = prepared(
        local_lake, task_of(local_lake, reads("raw", "/", lazy=True)), mount
    )
    assert notes == []
    assert os.stat(workspace.inputs / "raw" / "big").st_size == 64 << 20
    assert bytes_read(mount.pid) - before < 1 << 20
    with open(workspace.inputs / "raw" / "big", "rb") as file:
        file.seek(30 << 20)
        assert len(file.read(1 << 20)) == 1 << 20
    read = bytes_read(mount.pid) - before
    assert read < 16 << 20


# --- who dies ------------------------------------------------------------------------------------


@fuse
@pytest.mark.logs("worker died")
def test_a_worker_that_is_killed_leaves_the_mount_alone(runner):
    fill(runner.lake, "raw", "a")
    script = """
    test -h pfs/raw
    cat pfs/raw/a > pfs/out/a
    test "$DATALAKE_ATTEMPT" = 2 || kill -9 $PPID
    """
    policy = {"tries": 2, "backoff": "1ms"}
    runner.command("p", script, input=reads("raw", "/", lazy=True), datums=policy)
    runner.run(workers=1)
    assert runner.states() == {"p": ("success", "committed")}
    assert runner.files("p@main") == {"a": "the text of raw/a"}


KILL_THE_MOUNT = """
import os, psutil, time
point = os.path.dirname(os.readlink("pfs/raw"))
if os.environ["DATALAKE_ATTEMPT"] == "1":
    for one in psutil.process_iter():
        if "--datum-inputs" in one.cmdline() and point in one.cmdline():
            one.kill()
            while one.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
print(open("pfs/raw/a").read(), file=open("pfs/out/a", "w"), end="")
"""


@fuse
def test_a_mount_that_is_killed_is_brought_back_for_the_next_try(runner):
    fill(runner.lake, "raw", "a")
    spec = {
        "command": [sys.executable, "-c", KILL_THE_MOUNT],
        "input": reads("raw", "/", lazy=True),
    }
    policy = {"tries": 2, "backoff": "1ms"}
    runner.publish({"pipeline": "p", "datums": policy, **spec})
    runner.run(workers=1)
    assert runner.states() == {"p": ("success", "committed")}
    assert runner.files("p@main") == {"a": "the text of raw/a"}
    assert "is copied" not in log_of(runner, "p")


@fuse
@pytest.mark.logs("Lazy inputs are copied")
def test_a_mount_that_is_killed_again_and_again_is_given_up(local_lake, mount, monkeypatch):
    monkeypatch.setattr(lazy_inputs, "_MAX_STARTS", 1)
    local_lake.files.put("raw@main/a", "one")
    task = task_of(local_lake, reads("raw", "/", lazy=True))
    mount.start()
    psutil.Process(mount.pid).kill()
    # Not only its first thread, which is a zombie while others still answer.
    wait_until(lambda: mount._process.poll() is not None)
    workspace, notes = prepared(local_lake, task, mount)
    assert notes == ["the lazy input raw is copied: the process behind the mount was killed"]
    mount.start()
    workspace, notes = prepared(local_lake, task, mount)
    assert notes == ["the lazy input raw is copied: The mount's process died 1 times"]
    assert (workspace.inputs / "raw" / "a").read_text() == "one"
    assert mount.pid is None


def reading_for_ever(runner):
    """Publish a pipeline whose one datum reads until it is killed."""
    runner.lake.files.put("raw@main/big", os.urandom(1 << 20))
    script = "while true; do cat pfs/raw/big | wc -c; done"
    runner.command("p", script, input=reads("raw", "/", lazy=True), datums={"tries": 1})


def is_reading(runner):
    jobs = runner.lake.jobs.list(pipeline="p", limit=1)
    return jobs and "1048576" in "".join(one.text for one in runner.lake.jobs.logs(jobs[0].id))


@fuse
def test_a_cancelled_job_leaves_no_dead_mount_and_its_controller_takes_it_away(shared, start):
    controller = start()
    reading_for_ever(shared)
    wait_until(lambda: is_reading(shared), "the datum to read")
    (point,) = mounts_below(shared.lake.url)
    job = shared.lake.jobs.cancel(shared.job("p").id)
    wait_until(lambda: not list((shared.lake.core.work_folder / "jobs" / job.id).glob("*/run")))
    assert os.listdir(point) == []  # and no error: somebody answers
    assert controller.end() == 0
    assert mounts_below(shared.lake.url) == []
    assert not os.path.exists(point)


def mount_process(controller):
    children = psutil.Process(controller.process.pid).children()
    (found,) = [one for one in children if "--datum-inputs" in one.cmdline()]
    return found.pid


@fuse
def test_a_controller_that_is_killed_takes_its_mount_with_it(shared, start):
    controller = start()
    reading_for_ever(shared)
    wait_until(lambda: is_reading(shared), "the datum to read")
    pid = mount_process(controller)
    controller.kill()
    wait_until(lambda: is_gone(pid), "the mount to end")
    assert mounts_below(shared.lake.url) == []


@fuse
def test_a_dead_mount_that_nobody_could_take_away_is_swept_by_the_next_controller(shared, start):
    controller = start()
    reading_for_ever(shared)
    wait_until(lambda: is_reading(shared), "the datum to read")
    pid = mount_process(controller)
    controller.send(signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_gone(pid), "the mount's process to end")
    controller.kill()
    (point,) = mounts_below(shared.lake.url)
    with pytest.raises(OSError) as refused:
        os.listdir(point)
    # the other one where something was asked for when the process died
    assert refused.value.errno in {errno.ENOTCONN, errno.ECONNABORTED}
    shared.lake.jobs.cancel_all()
    start()
    wait_until(lambda: not os.path.lexists(point), "the mount to be swept")
    assert mounts_below(shared.lake.url) == []


@fuse
def test_two_controllers_have_a_mount_each(local_lake, mount):
    other = LazyMount(local_lake.url, local_lake.core.work_folder / LAZY_FOLDER)
    for one in (mount, other):
        one.start()
    assert mount.folder != other.folder
    assert sorted(mounts_below(local_lake.url)) == sorted([str(mount.folder), str(other.folder)])
    other.close()
    assert mounts_below(local_lake.url) == [str(mount.folder)]
    assert os.listdir(mount.folder) == []


@fuse
def test_a_mount_that_no_datum_needs_ends_and_comes_back(local_lake):
    mount = LazyMount(local_lake.url, local_lake.core.work_folder / LAZY_FOLDER, idle_s=0.01)
    for _ in range(2):
        mount.hold()
        mount.hold()
        mount.release()
        assert mounts_below(local_lake.url) == [str(mount.folder)]
        mount.release()
        wait_until(lambda: not mounts_below(local_lake.url), "the mount to end")
    mount.close()


# --- where there is no mount ---------------------------------------------------------------------


@pytest.mark.here
@pytest.mark.logs("Lazy inputs are copied: FUSE cannot be used here: there is none")
def test_without_fuse_inputs_are_copied_and_the_log_says_why(runner, monkeypatch):
    why = "FUSE cannot be used here: there is none"
    monkeypatch.setattr(lazy_inputs, "choose_mode", lambda: (MountMode.CHECKOUT, why))
    fill(runner.lake, "raw", "d/a", "d/e/b")
    script = "test ! -h pfs/raw; cp -r pfs/raw/* pfs/out/"
    runner.command("p", script, input=reads("raw", "/*", lazy=True))
    runner.run()
    assert runner.files("p@main") == {
        "d/a": "the text of raw/d/a",
        "d/e/b": "the text of raw/d/e/b",
    }
    assert log_of(runner, "p").count(f"[datalake] the lazy input raw is copied: {why}\n") == 1


@fuse
@pytest.mark.logs("Lazy inputs are copied: The folder .* is not empty")
def test_what_keeps_the_mount_from_serving_is_in_the_log_of_the_datum(local_lake, mount):
    local_lake.files.put("raw@main/a", "one")
    mount.folder.mkdir()
    (mount.folder / "in the way").write_text("")
    mount.start()
    assert mount.pid is None
    workspace, (note,) = prepared(
        local_lake, task_of(local_lake, reads("raw", "/", lazy=True)), mount
    )
    assert f"the lazy input raw is copied: The folder {mount.folder} is not empty" in note
    assert (workspace.inputs / "raw" / "a").read_text() == "one"
    assert os.listdir(mount.folder) == ["in the way"]


@fuse
@pytest.mark.logs("Lazy inputs are copied: The mount's process did not start")
def test_a_mount_that_does_not_start_is_tried_once(local_lake, mount, monkeypatch):
    monkeypatch.setattr(lazy_inputs, "PROCESS", "jupyter_datalake.lake.no_such_process")
    mount.start()
    assert mount.pid is None
    assert "no_such_process" in mount.folder.with_suffix(".err").read_text()
    started = []
    monkeypatch.setattr(subprocess, "Popen", started.append)
    mount.start()
    assert started == []


@fuse
@pytest.mark.logs("Lazy inputs are copied: The mount's process took more than 0 s")
def test_a_mount_that_takes_too_long_is_tried_again(local_lake, mount, monkeypatch):
    local_lake.files.put("raw@main/a", "one")
    task = task_of(local_lake, reads("raw", "/", lazy=True))
    monkeypatch.setattr(lazy_inputs, "_START_S", 0)
    mount.start()
    assert prepared(local_lake, task, mount)[1] != []
    monkeypatch.setattr(lazy_inputs, "_START_S", 60.0)
    mount.start()
    workspace, notes = prepared(local_lake, task, mount)
    assert notes == []
    assert (workspace.inputs / "raw" / "a").read_text() == "one"


@fuse
def test_which_files_a_datum_opened_is_known_by_job_datum_and_output(runner):
    lake = runner.lake
    fill(lake, "raw", "a/one", "a/two", "b/one", "b/two")
    script = "import sys; place = 'pfs/raw'\nimport os\nfor top in os.listdir(place):\n"
    script += "    open(f'pfs/out/{top}', 'w').write(open(f'{place}/{top}/one').read())"
    spec = {"command": [sys.executable, "-c", script], "input": reads("raw", "/*", lazy=True)}
    runner.publish({"pipeline": "p", **spec})
    runner.run()
    job = runner.job("p")
    observed = lake.lineage.observed(job=job.id)
    found = {(one.observer.datum, one.path) for one in observed}
    assert found == {(0, "a/one"), (1, "b/one")}
    assert {str(one.seen_by) for one in observed} == {"lazy"}
    (only,) = lake.lineage.observed(job=job.id, datum=1)
    assert (only.path, only.commit_id) == ("b/one", lake.commits.get("raw").id)
    lineage = lake.lineage.get("p@main/a")
    assert [one.path for one in lineage.opened] == ["a/one"]
    assert [one.path for one in lake.lineage.observed("raw", job=job.id, datum=0)] == ["a/one"]
