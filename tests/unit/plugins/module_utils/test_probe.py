# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the outcome of a request proves about a credential, and about a deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError, BadResponse
from ansible_collections.sddc.tokens.plugins.module_utils._http.probe import found_or_none, is_accepted, was_deleted
from ansible_collections.sddc.tokens.plugins.module_utils._http.response import Response


def returning(body: bytes) -> Callable[[], Response]:
    return lambda: Response(200, {}, body, doing="read", host="server", received_at=0)


def a_version(response: Response) -> str:
    return str(response.field("version", str))


def failing(
    status: int, *, code: str = "", is_html: bool = False, follows_lost_response: bool = False
) -> Callable[[], NoReturn]:
    def fail() -> NoReturn:
        error = ApiError(status, code=code, is_html=is_html)
        error.follows_lost_response = follows_lost_response
        raise error

    return fail


def test_a_credential_is_accepted_when_the_product_says_so_and_refused_with_a_401() -> None:
    assert is_accepted(returning(b'{"version": "9"}'), proof=a_version)
    assert not is_accepted(failing(401), proof=a_version)


@pytest.mark.parametrize("body", [b"<html>sign in</html>", b"", b"welcome", b"[]", b"{}", b'{"version": {}}'])
def test_a_response_without_the_fields_of_the_product_proves_nothing(body: bytes) -> None:
    with pytest.raises(BadResponse):
        is_accepted(returning(body), proof=a_version)


@pytest.mark.parametrize(("code", "counts"), [("UNAUTHORIZED", True), ("", False)])
def test_a_403_counts_as_proof_only_from_the_product_and_where_the_client_says_so(code: str, counts: bool) -> None:
    if counts:
        assert is_accepted(failing(403, code=code), proof=a_version, forbidden_is_accepted=True)
    else:
        with pytest.raises(ApiError):
            is_accepted(failing(403, code=code), proof=a_version, forbidden_is_accepted=True)
    with pytest.raises(ApiError):
        is_accepted(failing(403, code=code), proof=a_version)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_any_other_failure_proves_nothing_about_a_credential(status: int) -> None:
    with pytest.raises(ApiError) as caught:
        is_accepted(failing(status, code="any"), proof=a_version, forbidden_is_accepted=True)
    assert caught.value.status == status


@pytest.mark.parametrize("status", [401, 404])
def test_a_missing_object_was_deleted_only_if_the_response_to_an_earlier_attempt_was_lost(status: int) -> None:
    assert was_deleted(returning(b""), gone=(401, 404))
    assert not was_deleted(failing(status), gone=(401, 404))
    assert was_deleted(failing(status, follows_lost_response=True), gone=(401, 404))


def test_a_missing_object_is_none_and_any_other_failure_an_error() -> None:
    assert found_or_none(failing(404)) is None
    with pytest.raises(ApiError):
        found_or_none(failing(403))


def test_the_page_of_another_server_does_not_prove_that_an_object_is_gone() -> None:
    with pytest.raises(ApiError):
        was_deleted(failing(404, is_html=True), gone=(404,))
    with pytest.raises(ApiError):
        found_or_none(failing(404, is_html=True))


def test_a_failed_deletion_is_an_error() -> None:
    with pytest.raises(ApiError):
        was_deleted(failing(403, follows_lost_response=True), gone=(401, 404))
