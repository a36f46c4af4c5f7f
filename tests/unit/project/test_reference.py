"""The generated reference is what the code says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_reference_is_up_to_date():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "80", "PATH": "", "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
