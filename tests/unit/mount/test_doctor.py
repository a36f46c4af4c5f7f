"""The doctor's findings, on machines of all kinds."""

import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime

import pytest

from jupyter_datalake.model.mounts import MountMode, Mountpoint, MountState
from jupyter_datalake.mount import doctor
from jupyter_datalake.mount.doctor import Verdict


@pytest.fixture
def machine(monkeypatch):
    """A machine on which everything works; set what does not."""

    class Machine:
        def without_device(self):
            monkeypatch.setattr(doctor, "DEVICE", "/dev/nothing-like-fuse")

        def without_library(self):
            monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda _: None)

        def without_helper(self):
            monkeypatch.setattr(doctor.shutil, "which", lambda _: None)

        def process(self, **status):
            monkeypatch.setattr(doctor, "_process_status", lambda: status)

    monkeypatch.setattr(doctor, "DEVICE", "/dev/null")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}")
    machine = Machine()
    machine.process(NoNewPrivs="0", CapEff="0000000000000000")
    return machine


def test_fuse_is_chosen_where_it_can_be_used(machine):
    assert doctor.choose_mode()[0] is MountMode.FUSE


@pytest.mark.parametrize(
    ("lack", "word"),
    [
        ("without_device", "/dev/nothing-like-fuse is missing"),
        ("without_library", "pyfuse3 is not installed"),
        ("without_helper", "fusermount3 is missing"),
    ],
)
def test_checkouts_are_chosen_where_something_is_missing_and_say_what(machine, lack, word):
    getattr(machine, lack)()
    mode, reason = doctor.choose_mode()
    assert mode is MountMode.CHECKOUT
    assert word in reason


@pytest.mark.parametrize("lack", ["without_device", "without_library", "without_helper"])
def test_the_doctor_names_the_mode_the_reason_and_how_to_get_a_better_one(machine, lack):
    better = doctor.examine_machine(try_mount=False)[0]
    assert (better.name, better.verdict) == ("mode", Verdict.OK)
    assert "fuse" in better.found
    getattr(machine, lack)()
    mode, *rest = doctor.examine_machine(try_mount=False)
    (lacking,) = (one for one in rest if one.verdict is Verdict.FAIL)
    assert mode.verdict is Verdict.WARN
    assert mode.found == f"new mounts are checkouts, because {lacking.found}"
    assert lacking.advice in mode.advice


def test_no_place_for_a_trial_is_told(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nothing")
    finding = doctor.check_trial_mount()
    assert finding.verdict is Verdict.WARN
    assert "TMPDIR" in finding.advice


def test_root_needs_no_helper(machine):
    machine.without_helper()
    machine.process(NoNewPrivs="0", CapEff="000001ffffffffff")
    assert doctor.choose_mode()[0] is MountMode.FUSE


def test_a_device_without_permission_is_told_apart(machine, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.os, "open", refuse)
    finding = doctor.check_device()
    assert finding.verdict is Verdict.FAIL
    assert "Permission denied" in finding.found
    assert finding.advice


def test_a_process_that_may_gain_nothing_is_warned_of(machine):
    machine.process(NoNewPrivs="1", CapEff="0000000000000000")
    assert doctor.check_privileges().verdict is Verdict.WARN
    machine.process(NoNewPrivs="1", CapEff="000001ffffffffff")
    assert doctor.check_privileges().verdict is Verdict.OK


def test_a_trial_that_hangs_or_fails_is_a_finding(monkeypatch):
    monkeypatch.setattr(doctor, "TRIAL_S", 0.2)
    monkeypatch.setattr(doctor, "_TRIAL", "import time; time.sleep(30)")
    assert "did not answer" in doctor.check_trial_mount().found
    monkeypatch.setattr(doctor, "TRIAL_S", 20.0)
    monkeypatch.setattr(doctor, "_TRIAL", "import sys; sys.exit('fuse: mount failed: EPERM')")
    finding = doctor.check_trial_mount()
    assert finding.verdict is Verdict.FAIL
    assert "fuse: mount failed: EPERM" in finding.found


@pytest.mark.parametrize(
    ("state", "verdict", "word"),
    [
        (MountState.FAILED, Verdict.FAIL, "it broke"),
        (MountState.STOPPED, Verdict.OK, "stopped"),
        (MountState.READY, Verdict.WARN, "process is gone"),
        (MountState.STARTING, Verdict.WARN, "process is gone"),
    ],
)
def test_mount_points_are_asked_how_they_are(memory_lake, state, verdict, word):
    point = Mountpoint(
        "/x", MountMode.FUSE, state, "it broke", 1, socket.gethostname(), datetime.now(UTC)
    )
    finding = doctor.check_mountpoint(memory_lake.core, point)
    assert finding.verdict is verdict
    assert word in finding.found
    assert "/x" in finding.name


def test_everything_is_examined(memory_lake):
    names = [finding.name for finding in doctor.examine(memory_lake.core, try_mount=False)]
    assert names == ["mode", "device", "library", "helper", "privileges"]
    assert all(finding.found for finding in memory_lake.mounts.doctor())


def test_looking_imports_no_fuse():
    script = (
        "import sys\n"
        "import jupyter_datalake.mount.control, jupyter_datalake.mount.doctor\n"
        "import jupyter_datalake.lake.mounts\n"
        "from jupyter_datalake.mount.doctor import choose_mode\n"
        "choose_mode()\n"
        "print(*sorted({'pyfuse3', 'trio'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
