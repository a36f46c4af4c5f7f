"""The environment variables this package knows; nothing else reads the environment.

==========================  ====================================================================
``DATALAKE_URL``            the lake that commands, ``lake://`` paths and ``Lake.open()`` use;
                            ``jupyter_datalake/lake`` in the user's data folder without it
``DATALAKE_DATABASE_URL``   ``postgresql://…``, with a password or without: where new lakes keep
                            their metadata, and where one that was made so finds them now
``DATALAKE_MOUNTPOINT``     the folder under which repos are mounted, for notebooks and jobs
``DATALAKE_USER``           the author of commits, where it is not the system's user
``DATALAKE_KEY_FILE``       the file that holds the key of an encrypted lake
``DATALAKE_KEY``            the key itself, 64 hex digits, where there is no file
``DATALAKE_STATE_FOLDER``   where lakes that are not in a folder keep what is this machine's;
                            ``jupyter_datalake/lakes`` in the user's state folder without it
``DATALAKE_CACHE_BYTES``    disk that copies of what was read from S3 may take; 10 GiB without it
``DATALAKE_MEMORY_BYTES``   memory that a process may take, about; 512 MiB without it
``DATALAKE_OBSERVE``        ``0``: record nowhere who opened what; ``1``: also record what Python
                            programs outside of kernels and jobs read and write by this library
``DATALAKE_COMPARE_DUPLICATES``
                            ``1``: compare what is written byte by byte with what the lake has of
                            the same digest; see docs/adr/0018
``DATALAKE_ALLOW_OTHER``    ``1``: mounts let other users of the machine in, as far as owners and
                            modes do; needs root, or ``user_allow_other`` in ``/etc/fuse.conf``
``DATALAKE_SMTP_HOST``      the mail server of notifications, ``host`` or ``host:port``
``DATALAKE_SMTP_FROM``      whom their letters are from; the user where that is an address
``DATALAKE_SMTP_USER``      who logs in there, with ``DATALAKE_SMTP_PASSWORD``; nobody without it
``DATALAKE_SMTP_SECURITY``  ``starttls``, which is the default, ``tls``, or ``none`` without a login
``DATALAKE_NOTIFY_…``       what rules of notifications name: URLs and keys that are secret
==========================  ====================================================================

Credentials for S3 are found by boto3, in ``AWS_…`` variables among other places; those for Postgres
by libpq, in ``PGPASSWORD``, ``PGPASSFILE`` and ``~/.pgpass``.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from jupyter_datalake.errors import InvalidInputError

URL_VARIABLE = "DATALAKE_URL"
DATABASE_VARIABLE = "DATALAKE_DATABASE_URL"
MOUNTPOINT_VARIABLE = "DATALAKE_MOUNTPOINT"
USER_VARIABLE = "DATALAKE_USER"
KEY_FILE_VARIABLE = "DATALAKE_KEY_FILE"
KEY_VARIABLE = "DATALAKE_KEY"
STATE_VARIABLE = "DATALAKE_STATE_FOLDER"
CACHE_VARIABLE = "DATALAKE_CACHE_BYTES"
MEMORY_VARIABLE = "DATALAKE_MEMORY_BYTES"
COMPARE_VARIABLE = "DATALAKE_COMPARE_DUPLICATES"
OTHERS_VARIABLE = "DATALAKE_ALLOW_OTHER"
JOB_VARIABLE = "DATALAKE_JOB_ID"
DATUM_VARIABLE = "DATALAKE_DATUM"
"""With it, and set with it: which datum of the job, by position."""
SHOWN_VARIABLE = "DATALAKE_SHOWN"
"""Set for a datum's program: where it finds what ``lake://`` addresses name."""
_SMTP = "DATALAKE_SMTP_"
_NOTIFY = "DATALAKE_NOTIFY_"
OBSERVE_VARIABLE = "DATALAKE_OBSERVE"
NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"
"""Set by the Jupyter server for the kernels that it starts."""

_CACHE_BYTES = 10 * 1024**3

T = TypeVar("T")

# What a datum's process gets of our own environment: enough to run, nothing that could be secret.
_DATUM_VARIABLES = frozenset(
    [
        "HOME",
        "LANG",
        "LANGUAGE",
        "LOGNAME",
        "PATH",
        "SHELL",
        "TMPDIR",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
        "CONDA_DEFAULT_ENV",
        "CONDA_EXE",
        "CONDA_PREFIX",
        "CONDA_PYTHON_EXE",
        "CONDA_SHLVL",
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_CONFIG_PATH",
        "JUPYTER_DATA_DIR",
        "JUPYTER_PATH",
        "JUPYTER_PLATFORM_DIRS",
        "JUPYTER_PREFER_ENV_PATH",
        "JUPYTER_RUNTIME_DIR",
    ]
)
# No prefix of a program that takes secrets from its variables, as JUPYTER_TOKEN is one.
_DATUM_PREFIXES = ("LC_", "OMP_", "OPENBLAS_", "MKL_")


def lake_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the lake that the environment names, else the user's own."""
    named = environ.get(URL_VARIABLE)
    if named:
        return named
    data = environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(data, "jupyter_datalake", "lake")


def database_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the Postgres database that the environment names, or None."""
    return environ.get(DATABASE_VARIABLE) or None


def mountpoint(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the mount point that the environment names, or None."""
    return environ.get(MOUNTPOINT_VARIABLE) or None


def key_file(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the file that holds the key of an encrypted lake, or None."""
    return environ.get(KEY_FILE_VARIABLE) or None


def secret(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the value of a variable that somebody chose to hold a secret, or None."""
    return environ.get(name) or None


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in."""

    host: str
    port: int
    sender: str
    """Whom they are from."""
    user: str
    """Empty where nobody logs in."""
    password: str = field(repr=False)
    security: str
    """``starttls``, ``tls`` or ``none``."""


_MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def mail_server(environ: Mapping[str, str] = os.environ) -> MailServer | None:
    """Return the mail server that the environment names, or None.

    Raises
    ------
    InvalidInputError
        Its port, sender or security cannot be, or a password would be sent in clear.
    """
    host, _, port = (environ.get(f"{_SMTP}HOST") or "").strip().rpartition(":")
    if not host:
        host, port = port, ""
    if not host:
        return None
    security = environ.get(f"{_SMTP}SECURITY") or "starttls"
    if security not in _MAIL_PORTS:
        raise InvalidInputError(
            f"{_SMTP}SECURITY is {security!r}, and not one of {', '.join(_MAIL_PORTS)}"
        )
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise InvalidInputError(f"{_SMTP}HOST names the port {port!r}, which is none")
    user = environ.get(f"{_SMTP}USER") or ""
    sender = environ.get(f"{_SMTP}FROM") or user
    if "@" not in sender or any(one.isspace() for one in sender):
        raise InvalidInputError(f"{_SMTP}FROM holds no e-mail address")
    if user and security == "none":
        raise InvalidInputError(
            f"{_SMTP}SECURITY is none, and the password of {_SMTP}USER would be sent in clear"
        )
    password = environ.get(f"{_SMTP}PASSWORD") or ""
    return MailServer(host, int(port or _MAIL_PORTS[security]), sender, user, password, security)


def notify_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that are meant for notifications."""
    return {name: value for name, value in environ.items() if name.startswith(_NOTIFY)}


def user_name(environ: Mapping[str, str] = os.environ) -> str:
    """Return who makes commits: the named user, or the one the process runs as."""
    named = environ.get(USER_VARIABLE)
    if named:
        return named
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"  # a container may run as a number without a name


def state_folder(environ: Mapping[str, str] = os.environ) -> str:
    """Return where lakes that are not in a folder keep what is this machine's, by lake."""
    named = environ.get(STATE_VARIABLE)
    if named:
        return os.path.abspath(os.path.expanduser(named))
    return os.path.join(_user_state(environ), "lakes")


def cells_folder(environ: Mapping[str, str] = os.environ) -> str:
    """Return where kernels of this user say which cell they run, whatever the lake."""
    return os.path.join(_user_state(environ), "cells")


def notebook(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the notebook that this process was started for as a kernel, or None."""
    return environ.get(NOTEBOOK_VARIABLE) or None


def is_job(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this process works on a datum of a pipeline."""
    return JOB_VARIABLE in environ


def datum(environ: Mapping[str, str] = os.environ) -> tuple[str, int] | None:
    """Return the job that this process works for and the position of its datum, or None."""
    job_id, position = environ.get(JOB_VARIABLE), environ.get(DATUM_VARIABLE, "")
    is_known = job_id and position.removeprefix("-").isdecimal()
    return (job_id, int(position)) if job_id and is_known else None


def shown_branches(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return what says where a datum's program finds branches, or None.

    None also where the program has named a lake by itself.
    """
    return None if environ.get(URL_VARIABLE) else environ.get(SHOWN_VARIABLE) or None


def is_inherited(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a variable is as this process was given it, and not set by its own code.

    Where the system does not tell, which is anywhere but on Linux, all are taken for inherited.
    """
    try:
        with open("/proc/self/environ", "rb") as file:
            found = file.read().split(b"\0")
    except OSError:
        return True
    return os.fsencode(f"{name}={environ.get(name, '')}") in found


def observes(environ: Mapping[str, str] = os.environ) -> bool | None:
    """Tell whether it is recorded who opens what; None: of mounts, kernels and jobs.

    Raises
    ------
    InvalidInputError
        The variable is neither 0 nor 1.
    """
    named = environ.get(OBSERVE_VARIABLE)
    if not named:
        return None
    if named not in {"0", "1"}:
        raise InvalidInputError(
            f"{OBSERVE_VARIABLE} is {named!r}",
            hint="Write 0 to record nothing, 1 to record all programs, or leave it out",
        )
    return named == "1"


def _user_state(environ: Mapping[str, str]) -> str:
    state = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(state, "jupyter_datalake")


def read_cache_bytes(environ: Mapping[str, str] = os.environ) -> int:
    """Return how much disk copies of what was read from a distant store may take.

    Raises
    ------
    InvalidInputError
        The variable is no whole number of bytes.
    """
    hint = f"Write for instance {CACHE_VARIABLE}=20000000000, or 0 for no cache"
    return _bytes_of(environ, CACHE_VARIABLE, _CACHE_BYTES, hint)


def memory_bytes(environ: Mapping[str, str] = os.environ) -> int | None:
    """Return how much memory a process that uses a lake may take, about, or None.

    Raises
    ------
    InvalidInputError
        The variable is no whole number of bytes.
    """
    hint = f"Write for instance {MEMORY_VARIABLE}=1000000000"
    return _bytes_of(environ, MEMORY_VARIABLE, None, hint)


def compares_duplicates(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether what is written is compared byte by byte with what the lake has of it.

    Raises
    ------
    InvalidInputError
        The variable is neither 0 nor 1.
    """
    return _is_set(environ, COMPARE_VARIABLE, "Write 1 to compare, or 0 not to")


def allows_others(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether mounts let other users of the machine in.

    Raises
    ------
    InvalidInputError
        The variable is neither 0 nor 1.
    """
    return _is_set(environ, OTHERS_VARIABLE, "Write 1 to let them in, or 0 not to")


def _is_set(environ: Mapping[str, str], name: str, hint: str) -> bool:
    named = environ.get(name) or "0"
    if named not in {"0", "1"}:
        raise InvalidInputError(f"{name} is {named!r}", hint=hint)
    return named == "1"


def _bytes_of(environ: Mapping[str, str], name: str, default: T, hint: str) -> int | T:
    named = environ.get(name)
    if not named:
        return default
    if not named.isascii() or not named.isdigit():
        raise InvalidInputError(f"{name} is {named!r}, which is no number of bytes", hint=hint)
    return int(named)


# What a process needs to open the stores of a lake. Worth money to who finds it: `AWS_` holds keys.
_STORE_PREFIXES = ("AWS_", "DATALAKE_", "PG", "UV_")
_STORE_VARIABLES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "NETRC"})
_HANDED = "DATALAKE_HANDED_"


def handed_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables by which a lake's stores are reached, under names of our own.

    For a worker: it opens the lake inside `store_environment`, and what it runs finds no keys.
    """
    return {
        f"{_HANDED}{name}": value
        for name, value in environ.items()
        if (name.startswith(_STORE_PREFIXES) or name.upper() in _STORE_VARIABLES)
        and not name.startswith((_SMTP, _NOTIFY))
    }


@contextmanager
def store_environment() -> Iterator[None]:
    """Have what `handed_environment` handed over for as long as the block runs, then no more."""
    handed = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_HANDED)}
    before = dict(os.environ)
    os.environ.update({name[len(_HANDED) :]: value for name, value in handed.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def uv_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that uv gets: how it reaches package indexes, and where its cache is.

    In a worker, to be called inside `store_environment`: an index may need a password.
    """
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(("UV_", "XDG_", "LC_"))
        or name in {"HOME", "LANG", "PATH", "TMPDIR", "USER"}
        or name.upper() in _STORE_VARIABLES
    }


def datum_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that a datum's process may see, by an allow-list."""
    return {name: value for name, value in environ.items() if is_for_datums(name)}


def is_for_datums(name: str) -> bool:
    """Tell whether a datum's process may see a variable of this name."""
    return name in _DATUM_VARIABLES or name.startswith(_DATUM_PREFIXES)
