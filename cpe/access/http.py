"""httpx's exceptions become ours, in one table for every HTTP system."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Generator
from typing import Final

import httpx

from cpe.domain.errors import (
    AccessError,
    BusyError,
    CutOffError,
    LoginRefusedError,
    NotSupportedError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
)

ERRORS: Final[tuple[tuple[type[Exception], type[AccessError], str], ...]] = (
    (httpx.ConnectTimeout, TimedOutError, "no connection in time"),
    (httpx.ReadTimeout, TimedOutError, "no answer in time"),
    (httpx.WriteTimeout, TimedOutError, "the request could not be sent in time"),
    (httpx.PoolTimeout, BusyError, "too many requests of our own are under way"),
    (httpx.ConnectError, UnreachableError, "connection refused"),
    (httpx.RemoteProtocolError, CutOffError, "the connection was closed before the answer ended"),
    (httpx.ReadError, CutOffError, "the connection broke while reading"),
    (httpx.WriteError, UnreachableError, "the connection broke while sending"),
    (httpx.CloseError, UnreachableError, "the connection broke while closing"),
    (httpx.LocalProtocolError, UnexpectedAnswerError, "unsendable: a line break in a secret?"),
    (httpx.ProxyError, UnreachableError, "the proxy did not connect"),
    (httpx.UnsupportedProtocol, NotSupportedError, "the URL must begin with http:// or https://"),
    (httpx.DecodingError, UnexpectedAnswerError, "the answer's encoding is broken"),
    (httpx.TooManyRedirects, UnexpectedAnswerError, "it redirects without end"),
    (httpx.TimeoutException, TimedOutError, "no answer in time"),
    (httpx.NetworkError, UnreachableError, "the network failed"),
    (httpx.ProtocolError, UnexpectedAnswerError, "it does not speak HTTP"),
    (httpx.TransportError, UnreachableError, "the connection failed"),
    (httpx.RequestError, UnreachableError, "the request failed"),
    (httpx.InvalidURL, NotSupportedError, "the setting is not a URL"),
    (httpx.StreamError, CutOffError, "the answer could not be read"),
)  # fmt: skip
"""httpx exceptions to ours, most specific first; a test walks httpx's tree against it."""
ERRORS_BY_TYPE: Final = {foreign: message for foreign, _, message in ERRORS}


@contextlib.contextmanager
def translated(system: str, target: str) -> Generator[None]:
    """Let no httpx exception out."""
    try:
        yield
    except UnicodeEncodeError:
        message = "the credentials hold a character that no HTTP header can"
        raise LoginRefusedError(message, system=system, target=target) from None
    except Exception as error:
        for foreign, ours, message in ERRORS:
            if isinstance(error, foreign):
                said = _no_connection(error) if foreign is httpx.ConnectError else message
                # This one quotes the header that it did not like: a secret.
                cause = None if foreign is httpx.LocalProtocolError else error
                raise ours(said, system=system, target=target) from cause
        raise


def is_refused(error: httpx.ConnectError) -> bool:
    """Whether nobody listens there just now, as while a server restarts: nothing was sent."""
    return _no_connection(error) == ERRORS_BY_TYPE[httpx.ConnectError]


def _no_connection(error: BaseException) -> str:
    """Why a connection could not be made: httpx has one exception for name, TLS and refusal."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return "its host name is not known"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message}); see SSL_CERT_FILE"
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS: is it http:// rather than https://?"
        cause = cause.__cause__ or cause.__context__
    return ERRORS_BY_TYPE[httpx.ConnectError]
