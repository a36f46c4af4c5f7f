"""The README's examples, run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_datalake.environment import URL_VARIABLE

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a reader would try it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python_example():
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    return example


def test_the_python_example_gives_what_it_says(folder):
    """Every comment that is a value is what the expression before it gives."""
    lines = python_example().splitlines()
    claims = []
    program = []
    for number, line in enumerate(lines):
        value = re.search(r"# (\[.*\]|\d+|b'.*'|'.*')(?:,.*)?$", line)
        if value is None:
            program.append(line)
            continue
        expression = line[: value.start()].strip() or program.pop()
        program.append(f"found[{number}] = {expression}")
        claims.append((number, expression, eval(value.group(1))))
    found = {}
    namespace = {"found": found}
    exec(compile("\n".join(program), "README.md", "exec"), namespace)
    namespace["lake"].close()
    assert len(claims) == 5
    for number, expression, claimed in claims:
        assert found[number] == claimed, expression


def test_the_shell_examples_work_on_the_lake_of_the_python_example(folder):
    exec(compile(python_example(), "README.md", "exec"), {})
    (block,) = [one for one in README.split("\n\n") if "export DATALAKE_URL" in one]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    commands = [line.strip() for line in block.splitlines()]
    # 'doctor' ends with what this machine lacks, which is no matter of the README.
    asserted = [line for line in commands if not line.startswith("datalake doctor")]
    assert len(asserted) == len(commands) - 1
    script = "\n".join(["set -eux", *asserted, "ls lake/raw", "datalake mounts stop"])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Add Grace" in done.stdout
    assert "people.csv" in done.stdout
    assert URL_VARIABLE in block
