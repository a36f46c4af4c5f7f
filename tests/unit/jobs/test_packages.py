"""Locking packages, and the cache of environments that are built from locks."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from jupyter_client.kernelspec import KernelSpec

from jupyter_datalake.errors import (
    InvalidInputError,
    MissingDependencyError,
    NotFoundError,
    StorageError,
)
from jupyter_datalake.jobs import environment_cache, uv
from jupyter_datalake.jobs.environment_cache import (
    EnvironmentCache,
    activation,
    python_in,
    wanted_of,
)
from jupyter_datalake.jobs.environments import lock_bytes
from jupyter_datalake.jobs.forked_notebooks import can_be_forked
from jupyter_datalake.jobs.packages import (
    Request,
    lock_packages,
    packages_lock,
    read_requirements,
    rebuilt,
    request_of,
)
from jupyter_datalake.jobs.uv import own_python
from tests.wheels import HAS_UV, offline_uv, write_tiny, write_wheel

pytestmark = pytest.mark.skipif(not HAS_UV, reason="needs uv, which scripts/setup.sh installs")


@pytest.fixture
def wheels(tmp_path):
    """Return a folder of wheels with two versions of a package."""
    for version in ("1.0", "2.0"):
        write_tiny(tmp_path / "wheels", version)
    return tmp_path / "wheels"


@pytest.fixture
def offline(wheels, tmp_path):
    """Return what uv's environment holds: no network, and a cache of its own."""
    return offline_uv(tmp_path, wheels)


def asked(*requirements, python=""):
    return request_of(requirements, python, is_notebook=False)


def wanted_by(request, locked):
    return wanted_of(lock_bytes(packages_lock(request, locked)), locked.text.encode())


@pytest.fixture
def wanted(offline):
    request = asked("tiny==1.0")
    return wanted_by(request, lock_packages(request, None, offline))


@pytest.fixture
def cache(tmp_path, offline):
    return EnvironmentCache(tmp_path / "environments", offline)


# --- locking -------------------------------------------------------------------------------------


def test_a_requirements_file_is_read_line_by_line():
    text = "# all\n\nnumpy>=2 # fast\n  pandas[parquet] ; python_version > '3'\nx @ https://a/b#c\n"
    assert read_requirements(text, "r.txt") == (
        "numpy>=2",
        "pandas[parquet] ; python_version > '3'",
        "x @ https://a/b#c",
    )


@pytest.mark.parametrize(
    "line", ["-r other.txt", "--index-url https://x", "-e .", "numpy==1 \\", "--hash=sha256:00"]
)
def test_options_are_refused_with_their_line(line):
    with pytest.raises(InvalidInputError, match=r"r\.txt, line 2: .* is an option"):
        read_requirements(f"tiny\n{line}\n", "r.txt")


def test_a_password_is_refused_and_not_repeated():
    with pytest.raises(InvalidInputError, match="line 1 holds a password") as raised:
        read_requirements("tiny @ https://ada:hunter2@example.org/tiny.whl", "r.txt")
    assert "hunter2" not in str(raised.value)


def test_a_notebook_needs_a_kernel_and_nothing_is_asked_for_twice():
    assert request_of(("tiny",), "3.12", is_notebook=True).requirements == ("tiny", "ipykernel")
    again = request_of(("IPyKernel>=7",), "", is_notebook=True)
    assert again == Request(("IPyKernel>=7",), own_python())


def test_a_lock_has_versions_and_hashes_and_a_digest_of_what_is_installed(offline):
    request = asked("tiny<2")
    locked = lock_packages(request, None, offline)
    assert locked.packages() == {"tiny": "1.0"}
    assert "--hash=sha256:" in locked.text
    lock = packages_lock(request, locked)
    assert (lock["python"], lock["packages"]) == (own_python(), {"tiny": "1.0"})
    other = asked("tiny==1.0")
    again = lock_packages(other, None, offline)
    assert packages_lock(other, again) == lock


def test_the_same_request_keeps_its_lock_without_asking_anybody(offline, monkeypatch):
    request = asked("tiny<2")
    locked = lock_packages(request, None, offline)
    monkeypatch.setattr(uv, "find_uv", lambda: pytest.fail("uv was asked"))
    assert lock_packages(request, locked, offline) is locked


def test_another_request_keeps_what_fits_unless_newer_ones_are_wanted(offline):
    locked = lock_packages(asked("tiny<2"), None, offline)
    wider = asked("tiny")
    assert lock_packages(wider, locked, offline).packages() == {"tiny": "1.0"}
    assert lock_packages(wider, locked, offline, upgrade=True).packages() == {"tiny": "2.0"}
    newer = lock_packages(asked("tiny>1"), locked, offline)
    assert newer.packages() == {"tiny": "2.0"}


def test_what_cannot_be_met_is_told_in_one_line(offline):
    with pytest.raises(InvalidInputError, match="nothere was not found") as raised:
        lock_packages(asked("nothere"), None, offline)
    assert "\n" not in str(raised.value)
    with pytest.raises(InvalidInputError, match="cannot be made"):
        lock_packages(asked("not a requirement ==="), None, offline)


def test_no_network_is_told_as_such(offline):
    away = {**offline, "UV_OFFLINE": "1"}
    del away["UV_CONFIG_FILE"]
    with pytest.raises(StorageError, match="could not be fetched") as raised:
        lock_packages(asked("tiny-but-elsewhere"), None, away)
    assert raised.value.retryable


def test_a_password_in_what_uv_says_is_left_out():
    said = "error: Failed to fetch: `https://ada:hunter2@example.org/simple/x/`"
    error = uv._error_of(said)
    assert "hunter2" not in str(error)
    assert "https://example.org/simple/x/" in str(error)


def test_a_python_that_is_not_here_is_named(offline):
    with pytest.raises(NotFoundError, match=r"no Python 3\.99 on this machine"):
        lock_packages(asked("tiny", python="3.99"), None, offline)


def test_no_uv_names_what_installs_it(offline, monkeypatch):
    monkeypatch.setattr(uv.shutil, "which", lambda *_, **__: None)
    with pytest.raises(MissingDependencyError, match="pip install uv"):
        lock_packages(asked("tiny"), None, offline)


# --- building ------------------------------------------------------------------------------------


def test_an_environment_holds_what_was_locked_and_nothing_else(cache, wanted):
    with cache.use(wanted) as place:
        path = activation(place, os.environ["PATH"])["PATH"]
        told = subprocess.run(["say-tiny"], env={"PATH": path}, capture_output=True, check=True)
        code = "import sys, tiny; print(tiny.VALUE, sys.prefix)\nimport jupyter_datalake"
        lone = subprocess.run(
            ["python", "-I", "-c", code],
            env={"PATH": path},
            capture_output=True,
            check=False,
        )
    assert told.stdout == b"tiny 1.0\n"
    assert lone.stdout.decode() == f"1.0 {place}\n"
    assert b"No module named 'jupyter_datalake'" in lone.stderr


def test_it_is_built_once_and_used_by_many(cache, wanted, monkeypatch):
    built = []
    make = EnvironmentCache._make

    def counted(*arguments):
        built.append(arguments[1].name)
        return make(*arguments)

    monkeypatch.setattr(EnvironmentCache, "_make", counted)
    places = []
    inside = threading.Barrier(3, timeout=60)

    def use():
        with cache.use(wanted) as place:
            inside.wait()  # all are in it at once
            places.append(place)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(places), len(set(places)), built) == (3, 1, [wanted.name])


def test_what_was_built_by_half_is_not_used(cache, wanted, tmp_path):
    half = tmp_path / "environments" / f"{wanted.name}.tmp"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").write_text("half of it")
    with cache.use(wanted) as place:
        assert not half.exists()
        assert (place / "bin" / "say-tiny").exists()


def test_a_build_that_fails_leaves_nothing_and_the_next_one_goes_on(
    cache, wanted, offline, tmp_path
):
    broken = EnvironmentCache(tmp_path / "environments", {**offline, "UV_FIND_LINKS": "/nowhere"})
    with pytest.raises(InvalidInputError, match="cannot be made"), broken.use(wanted):
        pytest.fail("it was built of nothing")
    assert [one.suffix for one in (tmp_path / "environments").iterdir()] == [".lock"]
    with cache.use(wanted) as place:
        assert place.is_dir()


def test_a_build_is_stopped_when_its_job_is(cache, wanted, tmp_path):
    class StoppedError(StorageError):
        pass

    def check():
        raise StoppedError("cancelled")

    uv_ran = environment_cache.run_uv

    def run(arguments, **options):
        assert options["check"] is check
        check()
        return uv_ran(arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment_cache, "run_uv", run)
        with pytest.raises(StoppedError), cache.use(wanted, check):
            pytest.fail("it was built all the same")
    assert not (tmp_path / "environments" / wanted.name).exists()


def test_a_package_that_is_not_what_was_locked_is_refused(tmp_path, offline, wanted, wheels):
    write_wheel(wheels, "tiny", "1.0", {"tiny.py": "VALUE = 'forged'\n"})
    elsewhere = {**offline, "UV_CACHE_DIR": str(tmp_path / "another machine's")}
    cache = EnvironmentCache(tmp_path / "environments", elsewhere)
    with pytest.raises(InvalidInputError, match=r"(?i)hash"), cache.use(wanted):
        pytest.fail("it took another package")


def test_a_program_cannot_write_into_its_environment(cache, wanted):
    with cache.use(wanted) as place:
        folders = [place for place, _, _ in os.walk(place)]
        assert all(os.stat(one).st_mode & 0o222 == 0 for one in folders[1:])


def test_what_is_long_unused_goes_and_what_is_used_stays(tmp_path, offline):
    cache = EnvironmentCache(tmp_path / "environments", offline, age_s=60)
    requests = [asked("tiny==1.0"), asked("tiny==2.0")]
    first, second = [wanted_by(one, lock_packages(one, None, offline)) for one in requests]
    old = time.time() - 120
    with cache.use(first) as used:
        os.utime(f"{used}.lock", (old, old))
        with cache.use(second) as place:
            assert used.is_dir()  # it is old, and held
    os.utime(f"{used}.lock", (old, old))
    cache.clean()
    assert (used.is_dir(), place.is_dir()) == (False, True)
    with cache.use(first) as again:
        assert again.is_dir()


def test_what_takes_too_much_room_goes_the_longest_unused_first(tmp_path, offline):
    cache = EnvironmentCache(tmp_path / "environments", offline)
    requests = [asked("tiny==1.0"), asked("tiny==2.0")]
    places = []
    for age, one in zip((50, 10), requests, strict=True):
        with cache.use(wanted_by(one, lock_packages(one, None, offline))) as place:
            places.append(place)
        when = time.time() - age
        os.utime(f"{place}.lock", (when, when))
    size = int((places[1] / "datalake-size").read_text())
    EnvironmentCache(tmp_path / "environments", offline, limit_bytes=size).clean()
    assert [place.is_dir() for place in places] == [False, True]
    EnvironmentCache(tmp_path / "environments", offline, limit_bytes=0).clean()
    assert [place.is_dir() for place in places] == [False, False]


def test_the_kernel_of_an_environment_is_its_own_python(cache, wanted):
    with cache.use(wanted) as place:
        told = place / "share" / "jupyter" / "kernels" / "datalake" / "kernel.json"
        argv = json.loads(told.read_text())["argv"]
        assert argv[0] == str(place / "bin" / "python")
        # Both may be links to one interpreter; what is installed is another matter.
        assert not can_be_forked(KernelSpec(argv=argv))
        assert can_be_forked(KernelSpec(argv=[sys.executable, *argv[1:]]))


def test_what_was_installed_can_be_had_again_by_names_and_versions(cache):
    lock = {"python": f"{own_python()}.99", "packages": {"tiny": "1.0"}}
    wanted = rebuilt(lock)
    with cache.use(wanted) as place:
        assert (place / "bin" / "say-tiny").exists()
        assert python_in(place).startswith(f"{own_python()}.")
    assert rebuilt(lock) == wanted
    assert rebuilt({**lock, "packages": {"tiny": "2.0"}}).name != wanted.name
    assert rebuilt({**lock, "language": "R"}) is None
    assert rebuilt({"packages": {}}) is None
