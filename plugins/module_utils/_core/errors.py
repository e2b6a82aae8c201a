# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error types that carry facts. sentence() turns the facts into the message that a user reads."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from types import MappingProxyType

from .secret import Secret

_FAILED_ADVICE = "Check the health and the log of the server, then run the task again."
_REFUSED_ADVICE = "Check the options of the task against the message of the server."


class TokensError(Exception):
    """Base of all errors that this collection reports as the failure of a task.

    `doing` completes "Could not ...", `host` is the server, `cause` says why, `advice` tells the user what to do, and
    `left_behind` says what may be left on the server.
    """

    # Used where an error has no advice of its own.
    default_advice = ""
    # Secrets of a response that could not be used otherwise, by result key.
    companions: Mapping[str, Secret] = MappingProxyType({})

    def __init__(self, cause: str, *, doing: str = "", host: str = "", advice: str = "", left_behind: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.doing = doing
        self.host = host
        self.advice = advice
        self.left_behind = left_behind

    def __str__(self) -> str:
        return sentence(self)


class InvalidOption(TokensError):
    """An option has an invalid value. `source` says where the value comes from, if not from the task."""

    def __init__(self, option: str, reason: str, *, source: str = "", advice: str = "") -> None:
        origin = f" (from {source})" if source else ""
        super().__init__(f"the option {option}{origin} {reason}", advice=advice)
        self.option = option
        self.reason = reason
        self.source = source


class MissingOption(InvalidOption):
    """A required option is missing. The message gets the environment variable of the option."""


class MissingLibrary(TokensError):
    """A Python library is missing on the managed node, or on the control node for a local connection."""

    def __init__(self, library: str) -> None:
        super().__init__(
            f"the Python library {library} is missing",
            advice=f"Install {library} for the Python that runs the task.",
        )
        self.library = library


class TransportError(TokensError):
    """There is no usable response.

    `sent` is true when the server may have processed the request, `is_transient` when a retry may succeed.
    """

    sent = False
    is_transient = True


class ConnectionFailed(TransportError):
    """No connection was possible. The request was not sent."""


class TlsFailed(TransportError):
    """The certificate is not trusted, or the TLS handshake failed. The request was not sent."""

    is_transient = False


class ResponseLost(TransportError):
    """The request was sent, and the response was lost or cut off."""

    sent = True
    default_advice = "Run the task again. It checks what exists before it changes anything."


class TimedOut(ResponseLost):
    """The request was sent, and its timeout ended before the response was complete. A retry would take as long."""

    is_transient = False


class OversizedResponse(ResponseLost):
    """The response is too long, or compressed, so that its length is unknown."""

    is_transient = False


class BadResponse(TransportError):
    """The response is not what the API documents: HTML, an empty body, invalid JSON, a redirect."""

    sent = True
    default_advice = "Check that hostname is a server of this product, and check the proxies in front of it."

    def __init__(
        self, cause: str, *, status: int, doing: str = "", host: str = "", advice: str = "", left_behind: str = ""
    ) -> None:
        super().__init__(cause, doing=doing, host=host, advice=advice, left_behind=left_behind)
        self.status = status


class ListingTooLong(TokensError):
    """The listings of a task have more requests, objects or bytes than `bound`."""

    default_advice = "Check that hostname is a server of this product."

    def __init__(self, bound: str, *, doing: str, host: str, advice: str = "") -> None:
        super().__init__(
            f"the listings exceed the limit of {bound} for one task", doing=doing, host=host, advice=advice
        )
        self.bound = bound


class ApiError(TokensError):
    """The server returned an error status.

    `follows_lost_response` is true when the response to an earlier try of the same request was lost: an object that
    no longer exists may have been deleted by that try. `is_html` is true for an HTML page, which a proxy may have
    written.
    """

    follows_lost_response = False

    def __init__(
        self,
        status: int,
        *,
        code: str = "",
        message: str = "",
        doing: str = "",
        host: str = "",
        advice: str = "",
        left_behind: str = "",
        is_html: bool = False,
    ) -> None:
        cause = f"the server returned status {status}"
        if code:
            cause += f", code {code}"
        if message:
            cause += f", '{message}'"
        super().__init__(cause, doing=doing, host=host, advice=advice, left_behind=left_behind)
        self.status = status
        self.code = code
        self.message = message
        self.is_html = is_html
        self.default_advice = _FAILED_ADVICE if status >= 500 else _REFUSED_ADVICE


class TokenRejected(TokensError):
    """A token is invalid according to the server or to its own claims."""


class StoreError(TokensError):
    """A token file, its folder or its lock file cannot be used."""


class StoreBusy(StoreError):
    """Another task held the lock for longer than this task may wait."""


class StoreUnavailable(StoreError):
    """The server of a store does not answer, or cannot work now.

    `follows_lost_write` is true when the response to a write was lost: it may have been processed.
    """

    follows_lost_write = False


class WriteConflict(StoreError):
    """Somebody else has written meanwhile: the right to write is lost."""


class WriteUnknown(StoreError):
    """The response to a write was lost: whether it went through is not known."""


class RecordChanged(StoreError):
    """Another task has changed a record while this one waited for the exclusive right to write it."""


class DamagedRecord(StoreError):
    """A token file that this collection wrote cannot be parsed."""


class ForeignRecord(StoreError):
    """The token file belongs to another product, server or user, or is not a token file."""


class SomeFailed(TokensError):
    """Some of the objects that a task handles failed. The result has the error of each."""


def internal_error(error: Exception) -> TokensError:
    """Report an unexpected exception by type and place only: its text may contain secrets."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}, line {frame.lineno}"
    return TokensError(
        f"an internal error occurred: {type(error).__name__} in {place}",
        advice="Report it as a bug with the options of the task, without their secrets.",
    )


def sentence(error: TokensError) -> str:
    """Format an error as one line: what failed and where, why, and what to do."""
    where = f" on {error.host}" if error.host else ""
    start = f"Could not {error.doing}{where}: {error.cause}" if error.doing else _capitalized(error.cause)
    parts = [start, error.left_behind, error.advice or error.default_advice]
    return " ".join(_finished(part) for part in parts if part)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _finished(text: str) -> str:
    return text if text.endswith((".", "?", "!", ".'")) else text + "."
