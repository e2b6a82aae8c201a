# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy leads to a host: the option's, or the one that the environment variables name.

The operating system is never asked: that is unsafe in a forked process on macOS.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from typing import Optional


def proxy_for(host: str, proxy_url: Optional[str], environ: Mapping[str, str]) -> Optional[str]:
    """The proxy for https requests to the host, or None.

    An explicit proxy_url wins; then https_proxy and all_proxy, in lower or upper case, unless no_proxy names the host.
    """
    if proxy_url:
        return proxy_url
    proxy = _variable(environ, "https_proxy") or _variable(environ, "all_proxy")
    if not proxy:
        return None
    bypassed = urllib.request.proxy_bypass_environment(  # type: ignore[attr-defined]
        host, {"no": _variable(environ, "no_proxy")}
    )
    return None if bypassed else proxy


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""
