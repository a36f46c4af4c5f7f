"""A secret in the environment of the controller reaches no disk, log, notebook or answer."""

import json
import os
import subprocess
import sys

import pytest

from jupyter_datalake.storage.base import origin_of

SECRET = "hunter2-of-the-tests"  # it is made up


@pytest.mark.kernel
def test_n16_a_secret_of_the_controller_is_nowhere_in_what_its_jobs_leave(runner, monkeypatch):
    for name in ("SNOWFLAKE_PASSWORD", "AWS_SECRET_ACCESS_KEY", "JUPYTER_TOKEN", "MY_OWN"):
        monkeypatch.setenv(name, SECRET)
    runner.lake.files.put("raw@main/a", "one")
    runner.command("command", "env; env > pfs/out/env; false", ("raw", "/"))
    cells = ["out = ''", "import os\nprint(dict(os.environ))\nos.environ['MY_OWN']"]
    runner.notebook("notebook", cells, ("raw", "/"))
    runner.run()
    lake = runner.lake
    left = [json.dumps([str(event) for event in lake.events.list(after=0, limit=1000)])]
    for name in ("command", "notebook"):
        job = runner.job(name)
        assert str(job.state) == "failed"
        (log,) = lake.jobs.logs(job.id)
        assert "PATH" in log.text
        left += [str(job), log.text, str(lake.jobs.list_datums(job.id))]
        left += [str(lake.lineage.get(f"{name}.code@main"))]
    left.append(lake.jobs.get_notebook(runner.job("notebook").id, 0).decode())
    assert "MY_OWN" in left[-1]  # it looked, and did not find
    assert not [text for text in left if SECRET in text]
    stored = list(_stored(lake.core))
    assert len(stored) > 5
    assert not [place for place, data in stored if SECRET.encode() in data]


def _stored(core):
    """Yield where and what everything is that a lake has stored, in a folder or in S3."""
    for file in core.work_folder.parent.rglob("*"):
        if file.is_file():
            yield file, file.read_bytes()
    objects = origin_of(core.objects)
    for one in objects.list(""):
        yield one.name, objects.read(one.name, 0, one.size_bytes)


def test_what_a_command_refuses_repeats_no_password(runner):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "jupyter_datalake.cli.main", "--lake", runner.lake.url),
            *("warehouse", "create", "dwh", f"snowflake://ada:{SECRET}@account/db"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANG": "C"},
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "snowflake://ada:***@account/db" in line
    assert SECRET not in line
