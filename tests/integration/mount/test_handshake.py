"""What a real kernel and libfuse agree on, with the promise that is added to their words."""

import os

import pytest

from tests.integration.mount.conftest import daemon_pid, kill, log_of, wait_until

SINCE = 5, 12
RELEASE = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])


@pytest.mark.skipif(RELEASE < SINCE, reason="the kernel does not know the promise")
def test_the_kernel_is_promised_that_privileges_are_taken_at_each_start(lake, point, raw):
    def promises():
        return log_of(lake, point).count("need not ask for capabilities")

    assert promises() == 1
    kill(daemon_pid(lake, point))
    wait_until(lambda: promises() == 2)
    (raw / "written").write_bytes(b"after it came back")
    assert (raw / "written").read_bytes() == b"after it came back"
