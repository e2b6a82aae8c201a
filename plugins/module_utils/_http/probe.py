# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for which an error status is a result: is a credential accepted, does an object exist."""

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
    """Whether the server accepts the credential of an authenticated read. False for a 401; raises other errors.

    `proof` reads a field of the body that only the product sends, and raises BadResponse when it is missing: a proxy
    may return 200, too. With `forbidden_is_accepted`, a 403 with an error code of the product counts as accepted.
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
    """Whether a request deleted an object. False for a status in `gone`: the object no longer existed.

    An HTML page proves nothing, so its error is raised. Returns True for a status in `gone` after a lost response to an
    earlier try: that try may have deleted the object.
    """
    try:
        delete()
    except ApiError as error:
        if error.status not in gone or error.is_html:
            raise
        return error.follows_lost_response
    return True


def found_or_none(read: Callable[[], Response]) -> Optional[Response]:
    """The response of a read; None for a 404 of the product. Raises other errors, and the error of an HTML page."""
    try:
        return read()
    except ApiError as error:
        if error.status != 404 or error.is_html:
            raise
        return None
