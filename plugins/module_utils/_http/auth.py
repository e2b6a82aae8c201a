# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign requests, and replay a refused request once with a renewed credential."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, Optional, TypeVar

from .._core.errors import ApiError
from .response import Response

CredentialT = TypeVar("CredentialT")


class Auth(ABC, Generic[CredentialT]):
    """Signs the requests of a client, as httpx.Auth does. Safe to use from several threads."""

    @abstractmethod
    def credential(self) -> CredentialT:
        """The credential for the next request. Raises TokensError."""

    @abstractmethod
    def headers(self, credential: CredentialT) -> Mapping[str, Any]:
        """The headers that sign a request with this credential."""

    def is_refusal(self, error: ApiError) -> bool:
        """Whether the server refused the credential. Some servers return 403 for an expired token."""
        return error.status in (401, 403)

    def renewed(self, refused: CredentialT, error: ApiError) -> Optional[CredentialT]:
        """Replace a refused credential; None when that is impossible. Raises TokensError.

        When the requests of several threads are refused, one renewal serves all of them.
        """
        return None

    def confirm(self, renewed: CredentialT) -> None:
        """Note that the server accepted a renewed credential."""


class StaticAuth(Auth[None]):
    """Signs all requests with the same headers."""

    def __init__(self, headers: Mapping[str, Any]) -> None:
        self._headers = headers

    def credential(self) -> None:
        return None

    def headers(self, credential: None) -> Mapping[str, Any]:
        return self._headers


UNSIGNED = StaticAuth({})


def send_signed(auth: Auth[CredentialT], send: Callable[[Mapping[str, Any]], Response]) -> Response:
    """Send a request signed by `auth`, and replay it once when it is refused and `auth` has another credential.

    A refused request was not processed, so any method is safe to replay. Raises what `send` raises.
    """
    credential = auth.credential()
    try:
        return send(auth.headers(credential))
    except ApiError as error:
        another = auth.renewed(credential, error) if auth.is_refusal(error) else None
        if another is None:
            raise
    response = send(auth.headers(another))
    auth.confirm(another)
    return response
