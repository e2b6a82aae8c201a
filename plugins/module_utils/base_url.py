# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of a server's API: checked once, then the only thing that requests are built from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from ansible_collections.sddc.tokens.plugins.module_utils.errors import InvalidOption

HTTPS_PORT = 443
_UNSAFE = re.compile(r"[\s\\\x00-\x1f\x7f<>\"{}|^`]")
_ADVICE = "Give a name, name:port, or an https base URL, such as nsx.example.com or https://proxy.example.com/nsx."


@dataclass(frozen=True)
class BaseUrl:
    """Host, port and path below which an API lives."""

    host: str
    port: int = HTTPS_PORT
    path: str = ""

    @classmethod
    def parse(cls, text: str, option: str = "hostname") -> BaseUrl:
        """Read a name, name:port, or an https base URL.

        Raises InvalidOption for anything else: another scheme, user info, a query, a fragment.
        """
        text = text.strip()
        if not text or _UNSAFE.search(text):
            raise InvalidOption(option, "is empty or holds characters that no host name has", advice=_ADVICE)
        try:
            parts = urlsplit(text if "://" in text else "https://" + _bracketed(text))
            host, port = parts.hostname or "", parts.port or HTTPS_PORT
        except ValueError:
            raise InvalidOption(option, "is not a valid address", advice=_ADVICE) from None
        if parts.scheme.lower() != "https":
            raise InvalidOption(option, "must use https, for secrets travel to it", advice=_ADVICE)
        if "@" in parts.netloc:
            raise InvalidOption(
                option, "holds user information", advice="Give user name and password in their own options."
            )
        if parts.query or parts.fragment or "?" in text or "#" in text:
            raise InvalidOption(option, "holds a query or a fragment", advice=_ADVICE)
        if not host or ".." in parts.path.split("/"):
            raise InvalidOption(option, "is not a valid address", advice=_ADVICE)
        return cls(host, port, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """The host, with its port where that is not 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"

    def __str__(self) -> str:
        return self.authority + self.path

    def url(self, path: str) -> str:
        """The URL of an absolute path of the API."""
        return f"https://{self.authority}{self.path}{path}"


@dataclass(frozen=True)
class Link:
    """An https URL in its parts: what is checked is what is requested, for nobody parses it again."""

    base_url: BaseUrl
    path: str
    query: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, option: str) -> Link:
        """Read an absolute https URL, with or without a query. Raises InvalidOption."""
        address, _mark, query = text.strip().partition("?")
        if "://" not in address:
            raise InvalidOption(option, "is not an absolute https URL")
        base_url = BaseUrl.parse(address, option)
        return cls(BaseUrl(base_url.host, base_url.port), base_url.path, dict(_pairs(query, option)))

    @classmethod
    def parse_path(cls, text: str, base_url: BaseUrl, option: str) -> Link:
        """Read the path of a server that is known already. Raises InvalidOption."""
        path, _mark, query = text.partition("?")
        if not path.startswith("/") or path.startswith("//") or _UNSAFE.search(path) or "#" in path:
            raise InvalidOption(option, "must be an absolute path, such as /api/vcenter/datacenter")
        return cls(base_url, path, dict(_pairs(query, option)))


def _pairs(query: str, option: str) -> list[tuple[str, str]]:
    if _UNSAFE.search(query) or "#" in query:
        raise InvalidOption(option, "has a query with characters that no URL holds")
    return parse_qsl(query, keep_blank_values=True)


def segment(value: str, option: str) -> str:
    """A value as one segment of a path, whatever it holds (RFC 3986, section 3.3).

    Raises InvalidOption for values that no URL can carry as a segment.
    """
    if value in ("", ".", ".."):
        # HTTP clients resolve dot segments even where they are percent-encoded.
        raise InvalidOption(option, f"cannot be '{value}'")
    return quote(value, safe="")


def _bracketed(text: str) -> str:
    """An IPv6 address without brackets gets them."""
    host = text.split("/", 1)[0]
    return text.replace(host, f"[{host}]", 1) if host.count(":") > 1 and not host.startswith("[") else text
