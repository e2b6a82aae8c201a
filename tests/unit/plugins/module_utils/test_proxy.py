# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy leads to a host: the option's, then the environment's, in small or capital letters."""

from __future__ import annotations

import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import InvalidOption
from ansible_collections.sddc.tokens.plugins.module_utils._http.proxy import proxy_for

PROXY = "http://proxy.example.com:3128"
OTHER = "http://other.example.com:3128"
VALUES = st.sampled_from(["", PROXY, OTHER])
ENVIRONMENTS = st.dictionaries(
    st.sampled_from(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY"]), VALUES
)
BYPASSES = st.dictionaries(st.sampled_from(["no_proxy", "NO_PROXY"]), st.sampled_from(["", "*", "sddc.example.com"]))


@given(environ=ENVIRONMENTS, bypasses=BYPASSES)
def test_option_wins_over_every_variable(environ: dict[str, str], bypasses: dict[str, str]) -> None:
    assert proxy_for("sddc.example.com", "http://mine:1", {**environ, **bypasses}) == "http://mine:1"


@given(environ=ENVIRONMENTS)
def test_https_proxy_wins_over_all_proxy_and_small_letters_over_capital_ones(environ: dict[str, str]) -> None:
    names = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    expected = next((environ[name] for name in names if environ.get(name)), None)
    assert proxy_for("sddc.example.com", None, environ) == expected


@given(environ=ENVIRONMENTS, bypasses=BYPASSES)
def test_no_proxy_bypasses_whatever_is_set(environ: dict[str, str], bypasses: dict[str, str]) -> None:
    no_proxy = bypasses.get("no_proxy") or bypasses.get("NO_PROXY")
    expected = None if no_proxy else proxy_for("sddc.example.com", None, environ)
    assert proxy_for("sddc.example.com", None, {**environ, **bypasses}) == expected


@pytest.mark.parametrize(
    ("host", "no_proxy", "bypassed"),
    [
        ("sddc.example.com", "sddc.example.com", True),
        ("sddc.example.com", "SDDC.Example.com", True),
        ("SDDC.example.com", "sddc.example.com", True),
        ("sddc.example.com", "example.com", True),
        ("sddc.example.com", ".example.com", True),
        ("sddc.example.com", "localhost, .example.com ,127.0.0.1", True),
        ("sddc.example.com", "*", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("sddc.example.com", "ample.com", False),
        ("sddc.example.com", "sddc", False),
        ("sddc.example.com.evil.net", "sddc.example.com", False),
        ("sddc.example.com", ",,", False),
    ],
)
def test_no_proxy_names_hosts_and_domains(host: str, no_proxy: str, bypassed: bool) -> None:
    assert proxy_for(host, None, {"https_proxy": PROXY, "no_proxy": no_proxy}) == (None if bypassed else PROXY)


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(name: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        proxy_for("sddc.example.com", None, {name: "socks5://127.0.0.1"})

    assert (caught.value.option, caught.value.source) == ("proxy_url", f"the environment variable {name}")


def test_a_proxy_of_the_option_has_no_other_source() -> None:
    with pytest.raises(InvalidOption) as caught:
        proxy_for("sddc.example.com", "socks5://127.0.0.1", {})

    assert (caught.value.option, caught.value.source) == ("proxy_url", "")


def test_neither_the_process_nor_the_operating_system_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setattr(urllib.request, "getproxies", lambda: pytest.fail("the operating system was asked"))
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: pytest.fail("the operating system was asked"))
    assert proxy_for("sddc.example.com", None, {}) is None
    assert proxy_for("sddc.example.com", None, {"https_proxy": OTHER, "no_proxy": "x"}) == OTHER
