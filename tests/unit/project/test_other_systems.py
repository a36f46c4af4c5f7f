"""Only the mount knows Linux: what others lack is named nowhere else, or asked for with care."""

import ast
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "jupyter_datalake"
ROOMS_OF_LINUX = {"mount", "testing"}

LINUX_ONLY = re.compile(
    r"O_(DIRECT|TMPFILE|PATH|NOATIME)|sched_[gs]etaffinity|posix_fadvise|posix_fallocate|fdatasync"
    r"|copy_file_range|splice|eventfd|memfd_create|pidfd_open|pipe2|getrandom|[gs]etxattr|listxattr"
    r"|removexattr|setns|unshare|epoll|sigwaitinfo|sigtimedwait|SO_PEERCRED|MSG_NOSIGNAL|prlimit"
    r"|CLOCK_BOOTTIME|SOCK_CLOEXEC"
)
MODULES = {"os", "select", "signal", "socket", "resource", "time", "fcntl"}

GUARDED = {
    ("jobs/zygote.py", "pidfd_open"): "`jobs/forked_notebooks.py` looks for it before it forks",
    ("storage/cache.py", "O_DIRECT"): "used where `hasattr` found it",
}
"""Names of Linux that are used elsewhere, and why that is no harm on other systems."""

READS_PROC = {
    "environment.py": "takes all variables for inherited, where a process cannot see which are",
    "jobs/processes.py": "asks psutil for children, where they are not listed",
    "lake/kernel_opens.py": "leaves out what lies there",
    "metadata/rules.py": "says who holds a lock, where that can be found out",
    "storage/file_systems.py": "knows nothing of a file system, where the table is missing",
}
"""Files with a path below /proc, and why they work without it."""


@cache
def sources():
    """Return path below the package and tree of all files that should not need Linux."""
    paths = [path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))]
    return [
        (path.as_posix(), ast.parse((PACKAGE / path).read_text(encoding="utf-8")))
        for path in paths
        if path.parts[0] not in ROOMS_OF_LINUX
    ]


def names_of_linux(tree):
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in MODULES
            and LINUX_ONLY.fullmatch(node.attr)
        ):
            yield node.attr
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield from (one.name for one in node.names if LINUX_ONLY.fullmatch(one.name))


def test_names_that_only_linux_has_are_used_by_the_mount_alone():
    found = {(name, used) for name, tree in sources() for used in names_of_linux(tree)}
    assert found == set(GUARDED)


def test_only_what_can_do_without_looks_into_proc():
    found = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.match(r"/(proc|sys)/|/(proc|sys)$", node.value)
    }
    assert found == set(READS_PROC)
