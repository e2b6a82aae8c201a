# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the proxy for a server, from the option or from environment variables.

Settings of the operating system are ignored: reading them is unsafe in a forked process on macOS.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from .._core.errors import InvalidOption
from .url import BaseUrl

# Not https: reads through TLS within TLS would not end at the deadline.
_PROXY = re.compile(r"(?:http://)?(?:[^/@\s]*@)?(?P<address>(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?)/?")
# The first one that is set wins.
_PROXY_VARIABLES = ("https_proxy", "all_proxy")
_NO_PROXY = "no_proxy"
_BYPASS = re.compile(r"(?:\[(?P<ipv6>[^]]*)\]|(?P<name>[^:]+))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy. `url` may contain a password, `address` does not.

    `variable` is the environment variable that set it; empty for the option.
    """

    url: str
    address: str
    variable: str = ""

    @property
    def advice(self) -> str:
        """What the user can do when the proxy fails."""
        if not self.variable:
            return "Check proxy_url."
        return (
            f"Check the environment variable {self.variable}. To use no proxy, set no_proxy: '*' in the environment of "
            "the task."
        )


def proxy_for(server: BaseUrl, proxy_url: Optional[str], environ: Mapping[str, str]) -> Optional[Proxy]:
    """The proxy for a server, or None.

    proxy_url wins. Then https_proxy and all_proxy are used, unless no_proxy names the server. The variables are read as
    by the library requests: the lower-case name wins, and an empty lower-case variable turns off the upper-case one.
    Raises InvalidOption for a proxy that is not an HTTP proxy.
    """
    if proxy_url:
        return _checked_proxy(proxy_url)
    variable = next(filter(None, (_set_variable(name, environ) for name in _PROXY_VARIABLES)), None)
    no_proxy = environ.get(_NO_PROXY) or environ.get(_NO_PROXY.upper()) or ""
    if variable is None or any(_names(entry.strip().lower(), server) for entry in no_proxy.split(",")):
        return None
    return _checked_proxy(environ[variable], variable)


def in_both_cases(environment: Mapping[str, str]) -> dict[str, str]:
    """Add each proxy variable in the other case of letters, so that it wins over one of another environment."""
    twins = {}
    for name in (*_PROXY_VARIABLES, _NO_PROXY):
        for given, other in ((name, name.upper()), (name.upper(), name)):
            if given in environment and other not in environment:
                twins[other] = environment[given]
    return {**environment, **twins}


def _set_variable(name: str, environ: Mapping[str, str]) -> Optional[str]:
    chosen = name if name in environ else name.upper()
    return chosen if environ.get(chosen) else None


def _names(entry: str, server: BaseUrl) -> bool:
    """Whether an entry of no_proxy matches a server: its host, domain, address or network, optionally with a port."""
    found = _BYPASS.fullmatch(entry)
    name = (found["ipv6"] or found["name"] or "") if found else entry
    if found and found["port"] and int(found["port"]) != server.port:
        return False
    try:
        return name == "*" or ipaddress.ip_address(server.host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        # One of the two is not an address.
        domain = name.lstrip(".")
        return bool(domain) and f".{server.host.lower()}".endswith(f".{domain}")


def _checked_proxy(url: str, variable: str = "") -> Proxy:
    found = _PROXY.fullmatch(url)
    if not found:
        raise InvalidOption(
            "proxy_url",
            "is not an HTTP proxy",
            source=f"the environment variable {variable}" if variable else "",
            advice="Set an http URL, such as http://proxy.example.com:3128. The traffic through it is still encrypted.",
        )
    # Old releases of requests parse a name before a port as a scheme.
    return Proxy(url if "://" in url else f"http://{url}", found["address"], variable)
