# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy for a server: from the option, then from the environment, read as the library requests reads it."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping

import pytest
import requests.utils
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import InvalidOption
from ansible_collections.sddc.tokens.plugins.module_utils._http.proxy import in_both_cases, proxy_for
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl

PROXY = "http://proxy.example.com:3128"
OTHER = "http://other.example.com:3128"
VALUES = st.sampled_from(["", PROXY, OTHER])
ENVIRONMENTS = st.dictionaries(
    st.sampled_from(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY"]), VALUES
)
BYPASSES = st.dictionaries(st.sampled_from(["no_proxy", "NO_PROXY"]), st.sampled_from(["", "*", "sddc.example.com"]))


def chosen(url: str, proxy_url: str | None, environ: Mapping[str, str]) -> str | None:
    """The URL of the proxy for a server."""
    proxy = proxy_for(BaseUrl.parse(url), proxy_url, environ)
    return proxy.url if proxy else None


@given(environ=ENVIRONMENTS, bypasses=BYPASSES)
def test_option_overrides_every_variable(environ: dict[str, str], bypasses: dict[str, str]) -> None:
    assert chosen("sddc.example.com", "http://mine:1", {**environ, **bypasses}) == "http://mine:1"


@given(environ=ENVIRONMENTS)
def test_variables_are_read_as_requests_reads_them(environ: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            patched.delenv(name, raising=False)
        for name, value in environ.items():
            patched.setenv(name, value)
        theirs = requests.utils.select_proxy("https://sddc.example.com", urllib.request.getproxies_environment())
    assert chosen("sddc.example.com", None, environ) == theirs


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HTTPS_PROXY": PROXY, "https_proxy": ""}, None),
        ({"HTTPS_PROXY": PROXY, "https_proxy": OTHER}, OTHER),
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": OTHER}, PROXY),
        ({"HTTPS_PROXY": PROXY, "https_proxy": "", "all_proxy": OTHER}, OTHER),
        ({"HTTPS_PROXY": "", "all_proxy": OTHER}, OTHER),
        ({"http_proxy": PROXY}, None),
    ],
    ids=str,
)
def test_empty_lower_case_variable_disables_the_upper_case_one(environ: dict[str, str], expected: str | None) -> None:
    assert chosen("sddc.example.com", None, environ) == expected


@given(environ=ENVIRONMENTS, bypasses=BYPASSES)
def test_no_proxy_bypasses_any_proxy(environ: dict[str, str], bypasses: dict[str, str]) -> None:
    no_proxy = bypasses.get("no_proxy") or bypasses.get("NO_PROXY")
    expected = None if no_proxy else chosen("sddc.example.com", None, environ)
    assert chosen("sddc.example.com", None, {**environ, **bypasses}) == expected


@pytest.mark.parametrize(
    ("url", "no_proxy", "bypassed"),
    [
        ("sddc.example.com", "sddc.example.com", True),
        ("sddc.example.com", "SDDC.Example.com", True),
        ("SDDC.example.com", "sddc.example.com", True),
        ("sddc.example.com", "example.com", True),
        ("sddc.example.com", ".example.com", True),
        ("sddc.example.com", "localhost, .example.com ,127.0.0.1", True),
        ("sddc.example.com", "*", True),
        ("sddc.example.com", "sddc.example.com:443", True),
        ("sddc.example.com:8443", "sddc.example.com:8443", True),
        ("sddc.example.com:8443", ".example.com:8443", True),
        ("sddc.example.com:8443", "sddc.example.com", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1:8443", "127.0.0.1:8443", True),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3:8443", "192.168.0.0/16,10.1.2.0/24", True),
        ("10.1.2.3", "10.1.2.3/32", True),
        ("[::1]", "::1", True),
        ("[::1]", "[::1]", True),
        ("[::1]:8443", "[::1]:8443", True),
        ("[2001:db8::7]", "2001:0db8:0::/32", True),
        ("sddc.example.com", "ample.com", False),
        ("sddc.example.com", "sddc", False),
        ("sddc.example.com.evil.net", "sddc.example.com", False),
        ("sddc.example.com", ",,", False),
        ("sddc.example.com", "sddc.example.com:8443", False),
        ("sddc.example.com:8443", "sddc.example.com:443", False),
        ("sddc.example.com", ":443", False),
        ("sddc.example.com", ".", False),
        ("10.1.2.3", "10.2.0.0/16", False),
        ("10.1.2.3", "2001:db8::/32", False),
        ("sddc.example.com", "0.0.0.0/0", False),
        ("[::1]:8443", "[::1]:443", False),
    ],
)
def test_no_proxy_accepts_hosts_domains_and_networks(url: str, no_proxy: str, bypassed: bool) -> None:
    assert chosen(url, None, {"https_proxy": PROXY, "no_proxy": no_proxy}) == (None if bypassed else PROXY)


@given(
    task=st.dictionaries(st.sampled_from(["https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "other"]), VALUES),
    process=ENVIRONMENTS,
)
def test_variable_of_the_task_wins_in_either_letter_case(task: dict[str, str], process: dict[str, str]) -> None:
    both = {**process, **in_both_cases(task)}
    assert {name: both[name] for name in task} == task
    if {"https_proxy", "HTTPS_PROXY"} & set(task):
        without = {name: value for name, value in process.items() if name.lower() != "https_proxy"}
        alone = {**without, **in_both_cases(task)}
        assert chosen("sddc.example.com", None, both) == chosen("sddc.example.com", None, alone)


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("url", ["socks5://127.0.0.1", "https://127.0.0.1:3128"])
def test_an_invalid_proxy_is_named_by_its_variable(name: str, url: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        chosen("sddc.example.com", None, {name: url})

    assert (caught.value.option, caught.value.source) == ("proxy_url", f"the environment variable {name}")


@pytest.mark.parametrize("url", ["socks5://127.0.0.1", "https://127.0.0.1:3128", "https://sddc.example.com", "ftp://a"])
def test_a_proxy_of_the_option_has_no_other_source(url: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        chosen("sddc.example.com", url, {})

    assert (caught.value.option, caught.value.source) == ("proxy_url", "")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://me:s3cr3t%40@proxy.example.com:3128/", "proxy.example.com:3128"),
        ("me@proxy.example.com", "proxy.example.com"),
        ("http://[::1]:3128", "[::1]:3128"),
    ],
)
def test_a_proxy_has_an_address_without_credentials(url: str, address: str) -> None:
    proxy = proxy_for(BaseUrl.parse("sddc.example.com"), url, {})
    assert proxy is not None
    assert proxy.address == address
    assert "s3cr3t" not in proxy.advice


def test_neither_the_process_nor_the_operating_system_is_consulted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setattr(urllib.request, "getproxies", lambda: pytest.fail("the operating system was consulted"))
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: pytest.fail("the operating system was consulted"))
    assert chosen("sddc.example.com", None, {}) is None
    assert chosen("sddc.example.com", None, {"https_proxy": OTHER, "no_proxy": "x"}) == OTHER
