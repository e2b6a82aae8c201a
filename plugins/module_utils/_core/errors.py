# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, as types that carry facts. The sentence a user reads is made in one place, sentence()."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from types import MappingProxyType

from .secret import Secret

_FAILED_ADVICE = "The server failed by itself: look at its health and its log, and run the task again."
_REFUSED_ADVICE = "Check the options of the task against this answer."


class TokensError(Exception):
    """Anything that this collection reports as the failure of a task.

    The facts: what was being done, on which host, the cause, what to do next, and what may have been
    left behind on the server.
    """

    # What to do next where nobody knows better.
    default_advice = ""
    # Secrets that came with a response that could not be used, by the name of their result key.
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
    """An option whose value cannot be used. `source` says where the value comes from, if not from the task."""

    def __init__(self, option: str, reason: str, *, source: str = "", advice: str = "") -> None:
        origin = f" (from {source})" if source else ""
        super().__init__(f"the option {option}{origin} {reason}", advice=advice)
        self.option = option
        self.reason = reason
        self.source = source


class MissingOption(InvalidOption):
    """An option without which the task cannot do what it is to do."""


class MissingLibrary(TokensError):
    """A Python library that the host where the module runs lacks."""

    def __init__(self, library: str) -> None:
        super().__init__(f"the Python library {library} is missing")
        self.library = library


class TransportError(TokensError):
    """The request brought no response that could be read.

    `sent`: whether the server may have processed it. `is_transient`: whether the same request may succeed soon.
    """

    sent = False
    is_transient = True


class ConnectionFailed(TransportError):
    """No connection: name, route, port, proxy. The request did not leave."""


class TlsFailed(TransportError):
    """The server could not prove who it is, or speaks no TLS that is allowed. The request did not leave."""

    is_transient = False


class ResponseLost(TransportError):
    """The request left, and no whole response came back: the connection broke, or the body was cut."""

    sent = True
    default_advice = "Run the task again: it looks at what is there before it does anything."


class TimedOut(ResponseLost):
    """The request left, and the response was not whole in time. Another try would take as long."""

    is_transient = False


class OversizedResponse(ResponseLost):
    """The response is too long to be read, or packed so that nobody knows how long it is."""

    is_transient = False


class BadResponse(TransportError):
    """A whole response that is not what the API documents: HTML, an empty body, wrong JSON, a redirect."""

    sent = True
    default_advice = "Check that hostname names the right product, and what stands on the way to it."

    def __init__(
        self, cause: str, *, status: int, doing: str = "", host: str = "", advice: str = "", left_behind: str = ""
    ) -> None:
        super().__init__(cause, doing=doing, host=host, advice=advice, left_behind=left_behind)
        self.status = status


class ListingTooLong(TokensError):
    """The listings that a task reads have more pages, objects or bytes than one task may read: more than `bound`."""

    default_advice = "Check that hostname names the right product."

    def __init__(self, bound: str, *, doing: str, host: str, advice: str = "") -> None:
        super().__init__(f"the task would read more than {bound} in all", doing=doing, host=host, advice=advice)
        self.bound = bound


class ApiError(TokensError):
    """The product refused the request and said so.

    `follows_lost_response`: whether the server may have processed an earlier try of the same request, so that what
    is to be ended and is not there was perhaps ended by that one. `is_html`: the body was a page for people, which
    somebody else may have written.
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
        cause = f"the server answered {status}"
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
    """A token that the product, or its own claims, say does not work."""


class StoreError(TokensError):
    """A token file, its folder or its lock that cannot be used safely."""


class StoreBusy(StoreError):
    """Another task has the right to write for longer than this one may wait."""


class DamagedRecord(StoreError):
    """What is stored was ours, and cannot be understood."""


class ForeignRecord(StoreError):
    """What is stored belongs to another product, server or user, or is not ours at all."""


class SomeFailed(TokensError):
    """Of several objects that one task handles, some failed; the result says what became of each."""


def internal_error(error: Exception) -> TokensError:
    """A mistake of ours. Its text may quote anything, so that only its kind and place are reported."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}, line {frame.lineno}"
    return TokensError(
        f"an internal error happened: {type(error).__name__} in {place}",
        advice="Please report it with the options of the task, without their secrets.",
    )


def sentence(error: TokensError) -> str:
    """What went wrong, where, and what to do next, as one readable line."""
    where = f" on {error.host}" if error.host else ""
    start = f"Could not {error.doing}{where}: {error.cause}" if error.doing else _capitalized(error.cause)
    parts = [start, error.left_behind, error.advice or error.default_advice]
    return " ".join(_finished(part) for part in parts if part)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _finished(text: str) -> str:
    return text if text.endswith((".", "?", "!", ".'")) else text + "."
