# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse addresses of servers. A URL is parsed once: what was checked is what is requested."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from .._core.errors import InvalidOption

HTTPS_PORT = 443
_LONGEST_NAME = 253
_ADDRESS = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<authority>[^/?#]+)(?P<path>/[^?#]*)?(?P<rest>[?#].*)?"
)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_AUTHORITY = re.compile(rf"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>{_LABEL}(?:\.{_LABEL})*))(?::(?P<port>\d{{1,5}}))?")
_UNSAFE = re.compile(r"[\s\\\x00-\x1f\x7f<>\"{}|^`]")
_ADVICE = "Set a name, name:port or https base URL, such as server.example.com or https://proxy.example.com/server."


@dataclass(frozen=True)
class BaseUrl:
    """Host, port and base path of an API. `option` is the option that names the server."""

    host: str
    port: int = HTTPS_PORT
    path: str = ""
    option: str = field(default="hostname", compare=False)

    @classmethod
    def parse(cls, text: str, option: str = "hostname") -> BaseUrl:
        """Parse a name, name:port or https base URL. `option` is named in errors.

        Raises InvalidOption for anything else: another scheme, user information, a query, a fragment.
        """
        found = _ADDRESS.fullmatch(text.strip())
        if not found or _UNSAFE.search(text.strip()):
            raise InvalidOption(option, "is empty or contains characters that are invalid in a URL", advice=_ADVICE)
        if (found["scheme"] or "https").lower() != "https":
            raise InvalidOption(option, "must use https, because secrets are sent to it", advice=_ADVICE)
        if "@" in found["authority"]:
            raise InvalidOption(
                option, "contains user information", advice="Set user name and password in their own options."
            )
        if found["rest"]:
            raise InvalidOption(option, "contains a query or a fragment", advice=_ADVICE)
        host, port = _host_and_port(found["authority"], option)
        path = (found["path"] or "").rstrip("/")
        if any(unquote(part) in (".", "..") for part in path.split("/")):
            # HTTP clients resolve dot segments: the requested path would not be the checked one.
            raise InvalidOption(option, "has a path with the segment . or ..", advice=_ADVICE)
        return cls(host, port, path, option)

    @property
    def authority(self) -> str:
        """The host, with the port unless it is 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"

    def __str__(self) -> str:
        return self.authority + self.path

    def url(self, path: str) -> str:
        """The URL of an absolute path of the API.

        Raises InvalidOption when the base path ends with the start of that path, such as /api/ni: the user has set it
        with the API's own path.
        """
        parts = path.split("/")
        # A single segment, such as /api, may belong to a proxy.
        for number in range(3, len(parts)):
            own = "/".join(parts[:number])
            if self.path.endswith(own):
                raise InvalidOption(
                    self.option, f"ends with {own}, which is added automatically", advice=f"Remove {own}."
                )
        return f"https://{self.authority}{self.path}{path}"


@dataclass(frozen=True)
class Link:
    """A parsed https URL with a query. It is not parsed again, so that the checked URL is the requested one."""

    base_url: BaseUrl
    path: str
    query: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str, option: str) -> Link:
        """Parse an absolute https URL. Raises InvalidOption, which names `option`."""
        address, _mark, query = text.strip().partition("?")
        if "://" not in address:
            raise InvalidOption(option, "is not an absolute https URL")
        base_url = BaseUrl.parse(address, option)
        return cls(BaseUrl(base_url.host, base_url.port, option=option), base_url.path, _pairs(query, option))

    @classmethod
    def parse_path(cls, text: str, base_url: BaseUrl, option: str) -> Link:
        """Parse an absolute path, with or without a query, on a known server. Raises InvalidOption."""
        path, _mark, query = text.partition("?")
        if not path.startswith("/") or path.startswith("//") or _UNSAFE.search(path) or "#" in path:
            raise InvalidOption(option, "must be an absolute path, such as /api/path")
        return cls(base_url, path, _pairs(query, option))


def _pairs(query: str, option: str) -> tuple[tuple[str, str], ...]:
    """Names and values in their order. A name may occur more than once."""
    if _UNSAFE.search(query) or "#" in query:
        raise InvalidOption(option, "has a query with characters that are invalid in a URL")
    return tuple(parse_qsl(query, keep_blank_values=True))


def segment(value: str, option: str) -> str:
    """Percent-encode a value as one segment of a path (RFC 3986, section 3.3).

    Raises InvalidOption for values that are impossible as a segment. `option` is named in errors.
    """
    if value in ("", ".", ".."):
        # HTTP clients resolve dot segments even where they are percent-encoded.
        raise InvalidOption(option, f"cannot be '{value}'", advice="Set the id or name of an existing object.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise InvalidOption(option, "contains characters that are not valid Unicode") from None


def _host_and_port(authority: str, option: str) -> tuple[str, int]:
    if authority.count(":") > 1 and not authority.startswith("["):
        # An IPv6 address without brackets, so without a port.
        authority = f"[{authority}]"
    found = _AUTHORITY.fullmatch(authority.lower())
    port = int(found["port"] or HTTPS_PORT) if found else 0
    if not found or not 0 < port < 65536:
        raise InvalidOption(option, "is not a valid address", advice=_ADVICE)
    if found["ipv6"]:
        try:
            return str(ipaddress.IPv6Address(found["ipv6"])), port
        except ValueError:
            raise InvalidOption(option, "is not a valid IPv6 address", advice=_ADVICE) from None
    if len(found["name"]) > _LONGEST_NAME:
        raise InvalidOption(option, "is longer than a host name can be", advice=_ADVICE)
    return found["name"], port
