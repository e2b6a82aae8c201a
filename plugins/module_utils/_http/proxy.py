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
# The first one that is set wins.
_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def proxy_for(host: str, proxy_url: Optional[str], environ: Mapping[str, str]) -> Optional[str]:
    """The proxy for https requests to the host, or None.

    An explicit proxy_url wins; then https_proxy and all_proxy, in lower or upper case, unless no_proxy names the host.
    Raises InvalidOption for anything else than an HTTP proxy.
    """
    if proxy_url:
        return _checked_proxy(proxy_url)
    name = next((name for name in _PROXY_VARIABLES if environ.get(name)), None)
    if name is None:
        return None
    no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if urllib.request.proxy_bypass_environment(host, {"no": no_proxy}):  # type: ignore[attr-defined]
        return None
    return _checked_proxy(environ[name], f"the environment variable {name}")


def _checked_proxy(proxy: str, source: str = "") -> str:
    if not _PROXY.fullmatch(proxy):
        raise InvalidOption(
            "proxy_url",
            "is not an HTTP proxy",
            source=source,
            advice="Set one such as http://proxy.example.com:3128; what goes through it is encrypted all the way.",
        )
    # Old releases of requests take a name before a port for a scheme.
    return proxy if "://" in proxy else f"http://{proxy}"
