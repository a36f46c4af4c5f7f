"""S3 servers that the tests start, one of each for all tests."""

import shutil
import tempfile
from pathlib import Path

import pytest

from jupyter_datalake.testing.s3_servers import S3Server, ceph_server, missing_ceph, moto_server


@pytest.fixture(scope="session")
def moto():
    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def ceph():
    reason = missing_ceph()
    if reason:
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="ceph-"))  # sockets need a short path
    try:
        with ceph_server(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def s3(request):
    """The most real server there is: Ceph where it is installed, else moto."""
    return request.getfixturevalue("moto" if missing_ceph() else "ceph")


@pytest.fixture
def s3_environment(monkeypatch, tmp_path):
    """Credentials of the tests' servers, as boto3 finds them; and a place for the lakes' state."""
    for name, value in S3Server("").environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATALAKE_STATE_FOLDER", str(tmp_path / "state"))
