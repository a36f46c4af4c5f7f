"""What holds for every test: a clean environment, no unexpected warning in the log, and skips
that say why."""

import logging
import os
import re
import signal
import subprocess

import pytest
from hypothesis import HealthCheck, settings

from jupyter_datalake.mount import doctor
from jupyter_datalake.testing import fixtures

# The machine is shared and small, so a slow example is no finding. What a push is judged by is the
# same everywhere: the examples follow from the test's own source. `--hypothesis-profile=nightly`
# looks longer, and elsewhere each time.
settings.register_profile(
    "push",
    max_examples=50,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly", max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("push")


def pytest_configure(config):
    # In the background of a shell Ctrl-C is ignored, also by every process that is started there.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "logs(pattern): the test causes log warnings, all of which match the pattern"
    )
    config.addinivalue_line("markers", "disk_mib(size): how large the fixture `small_disk` is")
    if not config.pluginmanager.is_registered(fixtures):  # installed, pytest loads it by itself
        config.pluginmanager.register(fixtures, "jupyter_datalake.testing.fixtures")


def pytest_collection_modifyitems(items):
    mounting = [item for item in items if item.get_closest_marker("fuse")]
    reason = _why_no_fuse() if mounting else None
    for item in mounting:
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def _why_no_fuse():
    """Return what keeps this machine from mounting, as the doctor sees it, or None."""
    for finding in doctor.examine_machine():
        if finding.verdict is doctor.Verdict.FAIL:
            return f"needs FUSE: {finding.found}"
    return None


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No test sees, or depends on, the lake of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("DATALAKE_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_unexpected_warnings(request, caplog):
    """A warning in the log is a finding, unless the test says that it is its subject."""
    yield
    marker = request.node.get_closest_marker("logs")
    expected = re.compile(marker.args[0]) if marker else None
    unexpected = [
        f"{record.levelname} {record.name}: {record.getMessage()}"
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.levelno >= logging.WARNING
        and not (expected and expected.search(record.getMessage()))
        # what the tests run on may be such a disk
        and "where locks may not hold" not in record.getMessage()
    ]
    assert not unexpected, "unexpected warnings in the log:\n" + "\n".join(unexpected)


@pytest.fixture
def small_disk(tmp_path, request):
    """A file system of 24 MiB, or of as many as the mark `disk_mib` says."""
    mark = request.node.get_closest_marker("disk_mib")
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={mark.args[0] if mark else 24}m", "tmpfs"]
    if subprocess.run(["mount", *options, disk], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield SmallDisk(disk)
    subprocess.run(["umount", "-l", disk], check=True)


class SmallDisk:
    """A disk that a test fills up, and empties again."""

    def __init__(self, folder):
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, left_bytes=0):
        """Take everything but `left_bytes`."""
        with open(self._ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue
            file.truncate(max(file.tell() - left_bytes, 0))

    def free(self):
        """Give it all back."""
        self._ballast.unlink(missing_ok=True)
