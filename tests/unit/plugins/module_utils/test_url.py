# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of servers: parsed once and strictly, then requested as parsed."""

from __future__ import annotations

import re

import pytest
import requests
import urllib3
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import InvalidOption
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl, Link, segment

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,3}", fullmatch=True)
PATHS = st.lists(st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,10}", fullmatch=True), max_size=4).map(
    lambda parts: "".join("/" + part for part in parts)
)
PORTS = st.integers(1, 65535)
# The parts of addresses, and invalid parts.
PIECES = st.lists(
    st.sampled_from(["https", "http", "sddc", "evil.example", "::1", "443", "0", "user:pass", "é", "\uff0f"])
    | st.sampled_from(["://", ":", "/", "//", "@", "\\", "?", "#", "[", "]", "%2e", "%2f", "%", "..", "."])
    | st.sampled_from([";", "*", ",", " ", "\t", "\n", "\x00"]),
    max_size=8,
).map("".join)


def parsed_or_none(text: str) -> BaseUrl | None:
    try:
        return BaseUrl.parse(text)
    except InvalidOption:
        return None


@given(host=NAMES, port=PORTS, path=PATHS, trailing=st.sampled_from(["", "/"]))
def test_name_port_and_https_base_url_are_parsed_as_written(host: str, port: int, path: str, trailing: str) -> None:
    assert BaseUrl.parse(host) == BaseUrl(host)
    assert BaseUrl.parse(f"{host}:{port}") == BaseUrl(host, port)
    assert BaseUrl.parse(f"https://{host}:{port}{path}{trailing}") == BaseUrl(host, port, path)
    assert BaseUrl.parse(f"{host}:{port}{path}{trailing}") == BaseUrl(host, port, path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" sddc.example.com\n", "sddc.example.com"),
        ("HTTPS://SDDC.example.com:443", "sddc.example.com"),
        ("sddc.example.com:8443", "sddc.example.com:8443"),
        ("::1", "[::1]"),
        ("[::1]:8443", "[::1]:8443"),
        ("https://[2001:db8::1]/base/", "[2001:db8::1]/base"),
    ],
)
def test_address_is_shown_in_one_form(text: str, shown: str) -> None:
    assert str(BaseUrl.parse(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://sddc.example.com",
        "ftp://sddc.example.com",
        "//sddc.example.com",
        "sddc.example.com://x",
        "https://admin@sddc.example.com",
        "https://admin:secret@sddc.example.com",
        "admin@sddc.example.com",
        "https://@sddc.example.com",
        "https://sddc.example.com?action=x",
        "https://sddc.example.com/?",
        "https://sddc.example.com/#top",
        "sddc.example.com#",
        "https://evil:1\\@sddc.example.com/",
        "https://sddc.example.com\\@evil/",
        "https://sddc.example.com:65536",
        "https://sddc.example.com:port",
        "https://sddc.example.com:-1",
        "https://:443",
        "https://",
        "",
        "   ",
        "sddc example com",
        "sddc\r\nX-Evil: 1",
        "https://sddc/a/../b",
        "https://[12345::]",
    ],
)
def test_any_address_but_plain_https_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        BaseUrl.parse(text, "hostname")
    assert "hostname" in str(caught.value)


@pytest.mark.parametrize("text", ["https:/sddc.example.com", "https:sddc.example.com", "https://[::1]evil/"])
def test_mistyped_url_is_refused_and_not_taken_for_another_host(text: str) -> None:
    assert parsed_or_none(text) is None


@pytest.mark.parametrize("text", ["host.example.com/api/tokens?id=1", "/api/tokens", "http://host.example.com/api"])
def test_a_link_that_is_not_an_absolute_https_url_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption):
        Link.parse(text, "access_token")


@pytest.mark.parametrize(("last", "is_valid"), [("d" * 61, True), ("d" * 62, False)])
def test_a_host_name_has_at_most_253_characters(last: str, is_valid: bool) -> None:
    name = f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{last}"

    assert (parsed_or_none(name) is not None) is is_valid


def test_the_highest_port_is_accepted() -> None:
    assert BaseUrl.parse("sddc.example.com:65535").port == 65535


def test_port_zero_is_refused_and_not_replaced() -> None:
    assert parsed_or_none("sddc.example.com:0") is None


@pytest.mark.parametrize(
    "host", ["a" * 64, "sddc..example.com", "*.example.com", "sddc%2fevil", "sddc%00", ".example.com"]
)
def test_name_that_cannot_be_resolved_is_refused_before_anything_is_sent(host: str) -> None:
    assert parsed_or_none(host) is None


@given(password=st.text("abcdefghjkmnpqrtuvwxyz23456789", min_size=12, max_size=20), name=NAMES)
def test_user_information_is_refused_and_not_repeated_in_the_error(password: str, name: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        BaseUrl.parse(f"https://admin:{password}@{name}")
    assert "user name and password in their own options" in str(caught.value)
    assert password not in str(caught.value)


@given(text=PIECES | st.text(max_size=30))
@example(text="https://h/a/%2e%2e/b")
@example(text="https://h/%2E./b")
@example(text="https://h/./b")
@example(text="https://evil:1\\@issuer/")
@example(text="https://h/a%3fb")
def test_parsed_address_is_the_requested_one(text: str) -> None:
    base = parsed_or_none(text)
    if base is None:
        return
    prepared = requests.Request("GET", base.url("/api/x")).prepare()
    requested = urllib3.util.parse_url(str(prepared.url))
    host = base.host if base.host.isascii() else base.host.encode("idna").decode()
    assert (requested.host or "").strip("[]") == host.lower()
    assert (requested.port or 443, requested.auth, requested.query) == (base.port, None, None)
    assert (requested.path or "").count("/") == base.path.count("/") + 2
    assert (requested.path or "").endswith("/api/x")


# A path may contain what would be user information, or end a scheme, before it (RFC 3986, section 3.3).
@example(text="http://server")
@example(text="https/@")
@example(text="https/://")
@example(text=":://")
@given(text=PIECES)
def test_no_address_with_another_scheme_user_query_or_fragment_is_accepted(text: str) -> None:
    base = parsed_or_none(text)
    if base is not None:
        authority = re.sub("^https://", "", text.strip(), flags=re.IGNORECASE).partition("/")[0]
        assert not set("?#\\") & set(text)
        assert "@" not in authority
        # That of "http://server" would end with the colon of its scheme. An IPv6 address may end with two.
        assert not authority.endswith(":") or authority.endswith("::")


@given(host=NAMES, port=PORTS, path=PATHS)
def test_shown_address_is_parsed_as_the_same_one(host: str, port: int, path: str) -> None:
    base = BaseUrl(host, port, path)
    assert BaseUrl.parse(str(base)) == base


# Path escaping.


@given(value=st.text(min_size=1))
@example(value="a/b")
@example(value="a%2Fb")
@example(value="%2e%2e")
@example(value="a b?c#d;e&f=g+h")
@example(value="...")
def test_any_id_is_one_segment_of_the_requested_path(value: str) -> None:
    if value in (".", ".."):
        return
    url = BaseUrl("sddc.example.com").url(f"/before/{segment(value, 'tier0_id')}/after")
    prepared = requests.Request("POST", url, params={"action": "reauth"}).prepare()
    requested = urllib3.util.parse_url(str(prepared.url))
    before, escaped, after = (requested.path or "").split("/")[1:]
    assert (before, after, requested.query) == ("before", "after", "action=reauth")
    assert requests.utils.unquote(escaped) == value


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_dot_segments_and_empty_ids_are_refused_with_the_name_of_their_option(value: str) -> None:
    with pytest.raises(InvalidOption, match="tier0_id"):
        segment(value, "tier0_id")


def test_id_with_invalid_unicode_is_refused_with_the_name_of_its_option() -> None:
    with pytest.raises(InvalidOption, match="tier0_id"):
        segment("fw-\udc80", "tier0_id")


@pytest.mark.parametrize("path", ["/api/thing", "/gateway/api/thing", "/policy/api/v1"])
def test_address_that_ends_in_a_path_of_the_api_is_refused_when_it_is_used(path: str) -> None:
    own = "/policy/api/v1" if "policy" in path else "/api/thing"

    with pytest.raises(InvalidOption) as refused:
        BaseUrl.parse(f"https://server.example.com{path}").url(f"{own}/tokens")

    assert refused.value.option == "hostname"
    assert own in refused.value.reason or "/policy/api" in refused.value.reason


@pytest.mark.parametrize("path", ["", "/api", "/thing/api", "/proxy/of/server"])
def test_address_with_a_path_of_a_proxy_is_used_unchanged(path: str) -> None:
    url = BaseUrl.parse(f"https://server.example.com{path}").url("/api/thing/tokens")

    assert url == f"https://server.example.com{path}/api/thing/tokens"
