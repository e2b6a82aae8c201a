# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy leads to a host: the option's, or the one that the environment variables name.

The operating system is never asked: that is unsafe in a forked process on macOS.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping
from typing import Optional

from .._core.errors import InvalidOption

# No https: what is read through TLS within TLS would end at no deadline.
_PROXY = re.compile(r"(?:http://)?(?:[^/@\s]*@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?/?")


def proxy_for(host: str, proxy_url: Optional[str], environ: Mapping[str, str]) -> Optional[str]:
    """The proxy for https requests to the host, or None.

    An explicit proxy_url wins; then https_proxy and all_proxy, in lower or upper case, unless no_proxy names the host.
    Raises InvalidOption for what is no proxy.
    """
    if proxy_url:
        return _checked(proxy_url, "proxy_url")
    proxy = _variable(environ, "https_proxy") or _variable(environ, "all_proxy")
    if not proxy:
        return None
    bypassed = urllib.request.proxy_bypass_environment(  # type: ignore[attr-defined]
        host, {"no": _variable(environ, "no_proxy")}
    )
    return None if bypassed else _checked(proxy, "proxy_url, which the environment variable https_proxy sets,")


def _checked(proxy: str, origin: str) -> str:
    if not _PROXY.fullmatch(proxy):
        raise InvalidOption(
            origin,
            "is no http proxy",
            advice="Give one such as http://proxy.example.com:3128; what goes through it is encrypted all the way.",
        )
    # Old releases of requests take a name before a port for a scheme.
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""
