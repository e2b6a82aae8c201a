# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read Set-Cookie headers, and find the domain under which a cookie is sent back to one server only."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.request
from collections.abc import Iterable, Iterator

from .url import BaseUrl

# Some proxies fold several cookies into one header. The comma in a date separates nothing.
_NEXT_COOKIE = re.compile(r",\s*(?=[^;,=\s]+=)")


def cookie_values(headers: Iterable[str]) -> Iterator[str]:
    """Yield the value of each cookie in Set-Cookie headers (RFC 6265, section 4.1)."""
    for header in headers:
        for cookie in _NEXT_COOKIE.split(header):
            value = cookie.split(";", 1)[0].partition("=")[2]
            yield value.strip().strip('"')


def cookie_domain(base_url: BaseUrl) -> str:
    """Return the domain of the server's own cookies. http.cookiejar appends .local to a name without dots."""
    server = urllib.request.Request(base_url.url("/"))  # noqa: S310 - nothing is opened, only the host is read
    # typeshed does not declare this function. Using it keeps both sides of cookiejar's comparison the same.
    return http.cookiejar.eff_request_host(server)[1]  # type: ignore[attr-defined,no-any-return] # see above
