"""One S3 server as this package talks to it. The only module that imports boto3.

boto3's own retries are off: it does not take up a body that broke off, and it hides from its
caller that an earlier attempt may have had its effect, which decides what an answer means.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar

import boto3
import botocore.exceptions
import botocore.loaders
import botocore.parsers
import botocore.session
import urllib3.exceptions
from botocore.config import Config

from jupyter_datalake.config import S3Location
from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.forking import renew_after_fork
from jupyter_datalake.storage.retrying import Backoff, Patience

T = TypeVar("T")

RIGHTS = (
    "The credentials need s3:ListBucket and s3:ListBucketMultipartUploads on the bucket, and"
    " s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload below the prefix"
)

_PIECE_BYTES = 1 << 20
_CONNECTIONS = 32
_WITH_MD5 = frozenset({"put_object", "upload_part"})
"""Requests that carry bytes of ours, and their Content-MD5."""

_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})
_TRANSIENT_CODES = frozenset(
    {
        "BadDigest",  # bytes changed on their way
        "ConditionalRequestConflict",
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "XAmzContentSHA256Mismatch",
    }
)
_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"}
)
_WRONG_KEYS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch"})
_FULL = frozenset({"QuotaExceeded", "StorageFull", "XMinioStorageFull", "InsufficientStorage"})
_WRONG_REGION = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)

_BROKEN = (
    botocore.exceptions.ConnectionError,  # nobody there, or not in time
    botocore.exceptions.HTTPClientError,  # answers that time out, closed connections
    botocore.exceptions.IncompleteReadError,
    botocore.parsers.ResponseParserError,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    TimeoutError,
)


class S3Error(Exception):
    """What became of one request; `storage.s3` decides what it means to the caller."""

    def __init__(
        self, code: str, *, status: int = 0, is_transient: bool = False, skew_s: float = 0.0
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        """Of the answer; 0 where there was none."""
        self.is_transient = is_transient
        """Whether asking again may help. The request may have had its effect all the same."""
        self.skew_s = skew_s
        """By how much this machine's clock is ahead of the server's."""


class S3Client:
    """Requests to one S3 server. Safe to share between threads, and renewed in forked children."""

    def __init__(self, location: S3Location, patience: Patience | None = None) -> None:
        self.location = location
        self._patience = patience or Patience(location.attempts, location.patience_s)
        self._lock = threading.Lock()
        self._session: Any = None
        self._boto: Any = None
        self._boto_of_bodies: Any = None
        renew_after_fork(self, S3Client._forget_connections)
        self._connected()  # now, so that what is wrong with the configuration is said now

    def request(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one request of the bucket, once; the names are boto3's.

        Fails with `S3Error` when no answer comes, or one that is not a success.
        """
        try:
            call = getattr(self._connected(operation), operation)
            answer: dict[str, Any] = call(Bucket=self.location.bucket, **parameters)
        except _BROKEN as error:
            raise S3Error(_reason(error), is_transient=True) from error
        except botocore.exceptions.ClientError as error:
            raise _failure(error.response) from error
        except botocore.exceptions.BotoCoreError as error:
            raise self._configuration_error(error) from error
        except RecursionError:
            # boto3 follows a server that sends it to another region, in which it is sent on.
            raise S3Error("PermanentRedirect", status=301) from None
        return answer

    def pieces(self, answer: dict[str, Any]) -> Iterator[bytes]:
        """Yield the body of an answer as it comes.

        Fails with `S3Error` when it breaks off; what was yielded is right.
        """
        body = answer["Body"]
        try:
            while piece := body.read(_PIECE_BYTES):
                yield piece
        except _BROKEN as error:
            raise S3Error(_reason(error), is_transient=True) from error
        finally:
            body.close()

    def retrying(self, subject: str, act: Callable[[], T], backoff: Backoff | None = None) -> T:
        """Return what `act` returns, trying again where a failure is transient.

        Parameters
        ----------
        subject
            What is being done, for the error: ``read packs/…``.
        backoff
            Given by an `act` that tells it of progress.

        Raises
        ------
        StorageError
            `retryable` where trying later may help.
        """
        backoff = backoff or self.backoff()
        was_renewed = False
        while True:
            try:
                return act()
            except S3Error as failure:
                if failure.code in _EXPIRED and not was_renewed:
                    # Whoever renews credentials may have done so since they were looked up.
                    was_renewed = True
                    self._renew_credentials()
                elif not failure.is_transient:
                    self.fail(subject, failure)
                elif not backoff.wait():
                    self._give_up(subject, failure, backoff)

    def backoff(self) -> Backoff:
        """Return the attempts at one thing."""
        return Backoff(self._patience)

    def pause(self, seconds: float) -> None:
        """Wait a moment, as the patience of this client does."""
        self._patience.sleep(seconds)

    def presign(self, parameters: dict[str, Any], expires_s: int) -> str:
        """Return a URL by which whoever has it may read one object for some time."""
        try:
            url: str = self._connected().generate_presigned_url(
                "get_object",
                Params={"Bucket": self.location.bucket, **parameters},
                ExpiresIn=expires_s,
            )
        except botocore.exceptions.BotoCoreError as error:
            raise self._configuration_error(error) from error
        return url

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._lock:
            clients = [self._boto, self._boto_of_bodies]
            self._boto = self._boto_of_bodies = None
        for one in clients:
            if one is not None:
                one.close()

    def fail(self, subject: str, failure: S3Error) -> NoReturn:
        """Raise what a failure means to a person."""
        place = f"bucket {self.location.bucket}"
        message = f"The store refused to {subject} in {place}: {failure.code}"
        kind, hint = ErrorKind.STORAGE_UNAVAILABLE, None
        if failure.code == "NoSuchBucket":
            message = f"There is no bucket {self.location.bucket}"
            hint = "Make it, or correct the URL"
        elif failure.code in _EXPIRED:
            kind = ErrorKind.STORAGE_DENIED
            message = f"The credentials for {place} have expired ({failure.code})"
            hint = (
                "Renew them (aws sso login, or a new AWS_SESSION_TOKEN) and try again; nothing"
                " that was stored is lost"
            )
        elif failure.code == "RequestTimeTooSkewed":
            message = f"The store of {place} refuses this machine's clock{_skew_text(failure)}"
            hint = "Set the clock right (timedatectl set-ntp true) and try again"
        elif failure.code in _WRONG_KEYS:
            kind = ErrorKind.STORAGE_DENIED
            message = f"The store of {place} does not accept the credentials ({failure.code})"
            hint = "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile"
        elif failure.code in _WRONG_REGION:
            message = f"{place.capitalize()} is in another region than asked ({failure.code})"
            hint = "Name its region in the URL: ?region=…"
        elif failure.code in _FULL or failure.status == _INSUFFICIENT_STORAGE:
            kind = ErrorKind.STORAGE_FULL
            message = f"The store of {place} is full: could not {subject}"
            hint = "Free some space and try again; nothing that was there is lost"
        elif failure.status == _FORBIDDEN:
            kind, hint = ErrorKind.STORAGE_DENIED, RIGHTS
        raise StorageError(message, kind=kind, hint=hint, code=failure.code)

    def _give_up(self, subject: str, failure: S3Error, backoff: Backoff) -> NoReturn:
        raise StorageError(
            f"The store of bucket {self.location.bucket} could not {subject}: {failure.code},"
            f" after {backoff.attempts} attempts in {backoff.seconds:.0f} s",
            hint="Try again later; nothing that was stored is lost",
            retryable=True,
            code=failure.code,
        )

    def _connected(self, operation: str = "") -> Any:
        with self._lock:
            if self._boto is None:
                self._boto = self._connect()
            is_plain = self._boto.meta.endpoint_url.startswith("http:")
            if not is_plain or operation not in _WITH_MD5:
                return self._boto
            # boto3 hashes bodies for the signature once more where there is no TLS. The signature
            # covers Content-MD5, and the server compares that: they are protected already.
            if self._boto_of_bodies is None:
                self._boto_of_bodies = self._connect(payload_signing_enabled=False)
            return self._boto_of_bodies

    def _connect(self, **s3_options: Any) -> Any:
        place = self.location
        if place.addressing_style is not None:
            s3_options["addressing_style"] = place.addressing_style
        options: dict[str, Any] = {
            "signature_version": "s3v4",
            "connect_timeout": place.connect_timeout_s,
            "read_timeout": place.read_timeout_s,
            "max_pool_connections": _CONNECTIONS,
            "retries": {"total_max_attempts": 1},
            "tcp_keepalive": True,
            # Checksums are our own: every server knows Content-MD5, not every one the newer ones.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            "s3": s3_options,
        }
        if self._session is None:
            self._session = self._new_session()
        try:
            return self._session.client(
                "s3",
                endpoint_url=place.endpoint_url,
                region_name=place.region or self._session.region_name or _ANY_REGION,
                config=Config(**options),
            )
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise self._configuration_error(error) from error

    def _new_session(self) -> Any:
        place = self.location
        try:
            inner = botocore.session.Session(profile=place.profile)
            inner.register_component("data_loader", _loader())
            session = boto3.Session(botocore_session=inner, region_name=place.region)
            # Looked up at once: this process may hide them from its children afterwards.
            if session.get_credentials() is None:
                raise botocore.exceptions.NoCredentialsError
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise self._configuration_error(error) from error
        return session

    def _renew_credentials(self) -> None:
        """Look credentials up anew; what is not there any more is used on."""
        try:
            session = self._new_session()
        except StorageError:
            return  # a worker, for one, has forgotten where they were
        with self._lock:
            self._session = session
            self._boto = self._boto_of_bodies = None

    def _forget_connections(self) -> None:
        """Begin anew in a forked child: its parent goes on to use the connections."""
        self._lock = threading.Lock()
        self._boto = self._boto_of_bodies = None

    def _configuration_error(self, error: Exception) -> StorageError:
        if isinstance(error, botocore.exceptions.NoCredentialsError):
            return StorageError(
                f"No credentials for bucket {self.location.bucket} were found",
                kind=ErrorKind.STORAGE_DENIED,
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run: aws configure",
            )
        # What boto3 says of its own configuration names files, profiles and types, never values.
        return StorageError(
            f"S3 cannot be used as it is configured: {type(error).__name__}",
            kind=ErrorKind.STORAGE_UNAVAILABLE,
            hint="Look at the URL's options, the AWS_… variables and ~/.aws/config",
        )


_FORBIDDEN = 403
_INSUFFICIENT_STORAGE = 507
_ANY_REGION = "us-east-1"


@functools.cache
def _loader() -> Any:
    """Return what reads boto3's descriptions of S3: a fifth of a second each time it is new."""
    return botocore.loaders.create_loader()


def _failure(response: dict[str, Any]) -> S3Error:
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    code = str(response.get("Error", {}).get("Code") or status)
    return S3Error(
        code,
        status=status,
        is_transient=status in _TRANSIENT_STATUS or code in _TRANSIENT_CODES,
        skew_s=_skew(metadata.get("HTTPHeaders", {}).get("date")),
    )


def _reason(error: BaseException) -> str:
    """Return what broke in words of its own: the library's may quote addresses and headers."""
    return type(error).__name__.removesuffix("Error") or "no answer"


def _skew(date: str | None) -> float:
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return 0.0
    return (datetime.now(UTC) - there).total_seconds() if there.tzinfo else 0.0


def _skew_text(failure: S3Error) -> str:
    if abs(failure.skew_s) < 1:
        return ""
    return f", which is {abs(failure.skew_s):.0f} s {'ahead' if failure.skew_s > 0 else 'behind'}"
