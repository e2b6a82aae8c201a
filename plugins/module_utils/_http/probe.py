# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests whose refusal is a result: whether a credential is accepted, and whether something exists."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Optional

from .._core.errors import ApiError
from .response import Response


def is_accepted(
    read: Callable[[], Response],
    *,
    proof: Callable[[Response], Any],
    forbidden_is_accepted: bool = False,
) -> bool:
    """Whether the credential of an authenticated read is accepted: not for a 401.

    `proof` reads of the body what the product alone sends, and raises BadResponse where that is missing: others say
    200, too. With `forbidden_is_accepted` a 403 of the product itself, which has a code, says that the credential was
    accepted.
    """
    try:
        response = read()
    except ApiError as error:
        if error.status == 401:
            return False
        if forbidden_is_accepted and error.status == 403 and error.code:
            return True
        raise
    proof(response)
    return True


def was_deleted(delete: Callable[[], Any], *, gone: Collection[int]) -> bool:
    """Whether a deletion deleted something. False for a status in `gone`: it did not exist any more.

    A page that somebody else wrote proves nothing. If the response to an earlier try of the same request was lost, that
    try may have deleted it, which counts.
    """
    try:
        delete()
    except ApiError as error:
        if error.status not in gone or error.is_html:
            raise
        return error.follows_lost_response
    return True


def found_or_none(read: Callable[[], Response]) -> Optional[Response]:
    """The response of a read; None for a 404 of the product: what was asked for does not exist."""
    try:
        return read()
    except ApiError as error:
        if error.status != 404 or error.is_html:
            raise
        return None
