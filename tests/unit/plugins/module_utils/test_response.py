# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A response is read strictly: anything but what the API documents is an error that describes it."""

from __future__ import annotations

import contextlib
import email.utils
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import BadResponse
from ansible_collections.sddc.tokens.plugins.module_utils._http.response import Response

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PAGE = b"<!DOCTYPE html>\n<html><body>Blocked.</body></html>"


def response(body: bytes = b"", status: int = 200, left_behind: str = "", **headers: str) -> Response:
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Response(
        status, named, body, doing="read", host="sddc.example.com", received_at=1000.0, left_behind=left_behind
    )


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_response_without_a_body_is_not_an_html_page_whatever_its_content_type(body: bytes) -> None:
    assert not response(body, status=204, Content_Type="text/html").is_html


@pytest.mark.parametrize(
    ("body", "content_type", "is_html"),
    [
        (PAGE, "text/html", True),
        (PAGE, "application/json", True),
        (b"\r\n  <HTML><body>", "", True),
        (b"{}", "text/html; charset=utf-8", True),
        (b"{}", "application/json", False),
        (b"the word <html>", "text/plain", False),
    ],
)
def test_an_html_page_is_recognized_by_its_type_or_its_start(body: bytes, content_type: str, is_html: bool) -> None:
    assert response(body, Content_Type=content_type).is_html == is_html


@pytest.mark.parametrize(
    ("body", "content_type", "named"),
    [
        (b"", "application/json", "is empty"),
        (b" \r\n", "application/json", "is empty"),
        (b'{"token": "', "application/json", "not valid JSON"),
        (b"\xff\xfe\x00", "application/json", "not valid JSON"),
        (b"[" * 100_000, "application/json", "not valid JSON"),
        (b"9" * 5000, "application/json", "not valid JSON"),
        (b"[]", "application/json", "not a JSON object"),
        (b"null", "application/json", "not a JSON object"),
        (b'"text"', "application/json", "not a JSON object"),
    ],
)
def test_response_that_is_not_a_json_object_is_described(body: bytes, content_type: str, named: str) -> None:
    with pytest.raises(BadResponse, match=named) as caught:
        response(body, Content_Type=content_type).mapping()
    assert caught.value.status == 200
    assert str(caught.value).startswith("Could not read on sddc.example.com:")
    assert "status 200" in str(caught.value)


@given(body=st.binary(max_size=60))
def test_no_response_body_raises_an_unexpected_exception(body: bytes) -> None:
    found = response(body)
    found.json_or_none()
    with contextlib.suppress(BadResponse):
        assert isinstance(found.mapping(), dict)


@given(document=st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_json_object_is_read_unchanged(document: dict[str, Any]) -> None:
    body = json.dumps(document)
    assert json.dumps(response(body.encode()).mapping()) == body


@given(value=JSON)
def test_field_is_returned_only_with_the_documented_type(value: object) -> None:
    found = response(json.dumps({"token": value}).encode())
    if isinstance(value, str) and value:
        assert found.field("token", str) == value
    else:
        with pytest.raises(BadResponse, match="no usable 'token'"):
            found.field("token", str)


def test_missing_field_is_named() -> None:
    with pytest.raises(BadResponse, match="no usable 'token'"):
        response(b"{}").field("token", str)


def test_bad_response_to_a_completed_request_names_what_may_be_left_behind() -> None:
    assert response(b"", 200, left_behind="a token").bad("bad").left_behind == "a token"
    assert response(b"", 403, left_behind="a token").bad("bad").left_behind == ""


@pytest.mark.parametrize(("status", "ok"), [(199, False), (200, True), (204, True), (299, True), (300, False)])
def test_every_status_from_200_to_299_is_a_success(status: int, ok: bool) -> None:
    assert response(status=status).ok is ok


# The server's clock.


@given(seconds=st.integers(0, 4_000_000_000))
def test_clock_offset_is_the_clock_of_the_server_minus_the_local_clock(seconds: int) -> None:
    assert response(Date=email.utils.formatdate(seconds, usegmt=True)).clock_offset == seconds - 1000


@given(date=st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} [\d:]{1,9} [A-Z+-]*"))
def test_invalid_date_returns_no_offset_and_no_error(date: str) -> None:
    assert isinstance(response(Date=date).clock_offset, (float, type(None)))


def test_response_without_a_date_returns_no_offset() -> None:
    assert response().clock_offset is None


@pytest.mark.parametrize(
    "date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_all_three_forms_of_an_http_date_are_read_as_utc_in_any_time_zone(
    date: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        offset = response(Date=date).clock_offset
    time.tzset()
    assert offset == 784111777 - 1000
