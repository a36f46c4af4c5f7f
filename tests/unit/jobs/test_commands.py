"""Running commands."""

import sys

import pytest

from jupyter_datalake.errors import JobFailedError
from jupyter_datalake.jobs.commands import run_command
from jupyter_datalake.jobs.workspace import CappedLog


def run(tmp_path, *argv, **environment):
    with CappedLog(tmp_path / "log") as log:
        run_command(argv, folder=tmp_path, environment=environment, log=log)
    return (tmp_path / "log").read_text()


def test_output_and_errors_go_to_the_log_in_order(tmp_path):
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    assert run(tmp_path, sys.executable, "-c", code) == "out\nerr\n"


def test_the_environment_is_exactly_what_is_given(tmp_path):
    code = "import os; print(sorted(k for k in os.environ if k != 'LC_CTYPE'))"
    assert run(tmp_path, sys.executable, "-c", code, ONLY="this") == "['ONLY']\n"


def test_n4_arguments_meet_no_shell(tmp_path):
    code = "import sys; print(sys.argv[1])"
    assert run(tmp_path, sys.executable, "-c", code, "; rm -rf $HOME `id`") == (
        "; rm -rf $HOME `id`\n"
    )


def test_nothing_can_be_read_from_the_input(tmp_path):
    code = "import sys; print(repr(sys.stdin.read()))"
    assert run(tmp_path, sys.executable, "-c", code) == "''\n"


def test_another_code_than_0_fails(tmp_path):
    with pytest.raises(JobFailedError, match="ended with code 3"):
        run(tmp_path, sys.executable, "-c", "raise SystemExit(3)")


def test_a_signal_is_named(tmp_path):
    with pytest.raises(JobFailedError, match="SIGSEGV"):
        run(tmp_path, sys.executable, "-c", "import os; os.kill(os.getpid(), 11)")


def test_a_missing_program_is_named(tmp_path):
    with pytest.raises(JobFailedError, match="'no-such-program' cannot be run"):
        run(tmp_path, "no-such-program")


def test_output_that_is_no_text_is_escaped(tmp_path):
    code = "import sys; sys.stdout.buffer.write(b'a\\xffb')"
    assert run(tmp_path, sys.executable, "-c", code) == "a\\xffb"
