"""Channels: one message sent to one place, now.

What goes wrong is a `NotSentError` whose text is stored and shown: it never holds a URL from a
variable, a key, a password, or what a server said.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import formatdate
from http.client import HTTPException
from typing import Any

from jupyter_datalake.environment import (
    MailServer,
    datum_environment,
    mail_server,
    notify_variables,
    secret,
)
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.jobs.processes import kill_tree
from jupyter_datalake.model.notification_rules import is_web_url
from jupyter_datalake.model.notifications import (
    Channel,
    Email,
    InJupyter,
    Notification,
    NotifyCommand,
    Webhook,
)

TIMEOUT_S = 10.0
"""How long an answer of a server is waited for."""
COMMAND_S = 60.0
"""How long a command may take."""

_STANDARD_KEY = "whsec_"
_SHOWN = 200


class NotSentError(Exception):
    """A try to send a message failed; the text says why, without secrets."""


def send(channel: Channel, notification: Notification, facts: dict[str, Any], lake: str) -> None:
    """Send a message, or raise `NotSentError` if it did not arrive, as far as one can tell.

    Parameters
    ----------
    facts
        What is told, as JSON.
    lake
        The URL of the lake it comes from.
    """
    told = {
        "id": notification.id,
        "occasions": [str(one) for one in notification.occasions],
        "lake": lake,
        **facts,
    }
    match channel:
        case Webhook():
            _post(channel, notification.id, told)
        case Email(to):
            _mail(to, notification.id, told)
        case NotifyCommand(argv):
            _run(argv, told)
        case InJupyter():
            raise AssertionError("is sent in the transaction in which it is written")


# --- webhooks ------------------------------------------------------------------------------------


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Redirects are answers like others: what is signed for one place is not sent to another."""

    def redirect_request(self, *args: Any) -> None:
        """Follow none."""


def _post(channel: Webhook, notification_id: str, told: dict[str, Any]) -> None:
    body = json.dumps(told).encode()
    stamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "jupyter-datalake",
        "webhook-id": notification_id,
        "webhook-timestamp": stamp,
    }
    if channel.key_from:
        key = _variable(channel.key_from)
        headers["webhook-signature"] = signature(key, notification_id, stamp, body)
    url = channel.url
    if channel.url_from:
        url = _variable(channel.url_from)
        if not is_web_url(url):
            raise NotSentError(f"the variable {channel.url_from} holds no http or https URL")
    request = urllib.request.Request(url, body, headers)  # noqa: S310  # `is_web_url` looked
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        with error:
            raise NotSentError(f"the server answered with status {error.code}") from None
    except urllib.error.URLError as error:
        raise NotSentError(f"the server was not reached: {_reason(error.reason)}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise NotSentError(f"the server was not reached: {_reason(error)}") from None


def signature(key: str, notification_id: str, stamp: str, body: bytes) -> str:
    """Return what the header ``webhook-signature`` holds, as the Standard Webhooks say.

    Parameters
    ----------
    key
        A text, or ``whsec_`` and the key's bytes in base64.
    """
    secret_bytes = key.encode()
    if key.startswith(_STANDARD_KEY):
        try:
            secret_bytes = base64.b64decode(key.removeprefix(_STANDARD_KEY), validate=True)
        except ValueError:
            raise NotSentError(f"the key begins with {_STANDARD_KEY} and is no base64") from None
    signed = f"{notification_id}.{stamp}.".encode() + body
    digest = hmac.new(secret_bytes, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _variable(name: str) -> str:
    value = secret(name)
    if value is None:
        raise NotSentError(f"the controller has no environment variable {name}")
    return value


# --- letters -------------------------------------------------------------------------------------


def _mail(to: tuple[str, ...], notification_id: str, told: dict[str, Any]) -> None:
    try:
        server = mail_server()
    except InvalidInputError as error:
        raise NotSentError(error.message) from None
    if server is None:
        raise NotSentError("the controller has no environment variable DATALAKE_SMTP_HOST")
    letter = EmailMessage()
    letter["Subject"] = _text(" ".join(told["title"].split()))
    letter["From"] = server.sender
    letter["To"] = ", ".join(to)
    letter["Date"] = formatdate()
    letter["Message-ID"] = f"<{notification_id}@{server.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(_text(f"{told['text']}\nlake {told['lake']}\n"))
    try:
        with _connect(server) as connection:
            if server.user:
                connection.login(server.user, server.password)
            refused = connection.send_message(letter, server.sender, list(to))
    except smtplib.SMTPAuthenticationError as error:
        raise NotSentError(f"the mail server refused the login ({error.smtp_code})") from None
    except smtplib.SMTPResponseException as error:
        raise NotSentError(f"the mail server answered {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
        raise NotSentError(f"the mail server refused all addresses ({codes})") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotSentError(f"the mail server was not reached: {_reason(error)}") from None
    if refused:
        # Tried again, the others would get it twice.
        raise PartlySentError(f"the mail server refused {', '.join(sorted(refused))}")


class PartlySentError(NotSentError):
    """It arrived at some of its addresses: no try is worth another."""


def _connect(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    if server.security == "starttls":
        try:
            connection.starttls(context=context)
        except BaseException:
            connection.close()
            raise
    return connection


def _text(text: str) -> str:
    """Return a text that a letter can hold: names of files need not be Unicode."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


# --- commands ------------------------------------------------------------------------------------


def _run(argv: tuple[str, ...], told: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="datalake-notify-") as folder:
        try:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env={**datum_environment(), **notify_variables(), **_variables_of(told)},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NotSentError(f"{argv[0]} cannot be run: {_reason(error)}") from None
        try:
            process.communicate(json.dumps(told).encode(), COMMAND_S)
        except subprocess.TimeoutExpired:
            raise NotSentError(f"{argv[0]} was ended after {COMMAND_S:g} s") from None
        finally:
            if process.poll() is None:
                kill_tree(process.pid)
                process.communicate()
        if process.returncode:
            raise NotSentError(f"{argv[0]} ended with code {process.returncode}")


def _variables_of(told: Mapping[str, Any]) -> dict[str, str]:
    """Return what a command sees; not under the names that datums have: it works on none."""
    job = told.get("job", {})
    return {
        "DATALAKE_URL": told["lake"],
        "DATALAKE_NOTIFICATION_ID": told["id"],
        "DATALAKE_NOTIFICATION_TITLE": _text(told["title"]),
        "DATALAKE_NOTIFICATION_OCCASIONS": ",".join(told["occasions"]),
        "DATALAKE_NOTIFICATION_PIPELINE": told["pipeline"],
        "DATALAKE_NOTIFICATION_JOB": job.get("id", ""),
        "DATALAKE_NOTIFICATION_STATE": job.get("state", ""),
    }


def _reason(error: object) -> str:
    """Return why something failed, in few words that come from here and not from the other side."""
    match error:
        case TimeoutError():
            return "it took too long"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message})"
        case socket.gaierror():
            return "there is no such host"
        case OSError() if error.strerror:
            return error.strerror[:_SHOWN]
    return type(error).__name__


Send = Callable[[Channel, Notification, dict[str, Any], str], None]
"""Sends a message, as `send` does."""
