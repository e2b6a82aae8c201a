# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of an Avi controller that a test may change.

Assumed: a new object's `uuid` is the requested one, or its `name` if that is a UUID, or a new one. A missing `X-Avi-
Version` is a 400, and so is one newer than the controller, with `Invalid version`, the two words for which the vendor's
client searches; the sentence known from public reports is for a field that is newer than the version. Signing out
requires the CSRF token like any write. A page has 25 objects by default; beyond the last page is a 404. PATCH applies
`add`, `replace` and `delete` in this order; `add` appends what does not exist, `delete` goes by `key`. Expired objects
stay in the listing. An unknown tenant is a 404. Every secure channel token counts as a token, by its `uuid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..product import Settings


@dataclass(kw_only=True)
class AviSettings(Settings):
    """The settings that a test may change."""

    version: str = "31.1.1"
    """The controller's version, which is also its newest API version."""
    session_timeout: float = 900.0
    """Seconds after which an idle session expires (15 minutes)."""
    session_refused_status: Literal[401, 419] = 401
    """The status for a request without a session or with an expired one."""
    basic_auth: bool = False
    """Whether Basic authentication is allowed. It is disabled by default."""
    rotate_csrf: bool = False
    """Whether the response to a write sets a new CSRF token in its cookies, which the page allows."""
    initial_data_open: bool = True
    """Whether `initial-data` may be read without signing in."""
    upgrading: bool = False
    """Whether an upgrade is in progress (403)."""
    post_status: Literal[201, 200] = 201
    """201 in practice, 200 according to the page."""
    name_in_url: bool = False
    """Whether the `url` of every object ends in `uuid#name`, not only that of `Location` in a response."""
    unique_names: bool = False
    """Whether a second object with the same name is a 409."""
    in_use_kept: bool = False
    """Whether writes to `in_use` are ignored."""
    next_host: str = ""
    """Replaces the controller's own host and port in `next`."""
    token_lifetime: float = 3600.0
    """Lifetime of a Service Engine's token, in seconds (one hour)."""
    virtual_ip: bool = True
    """Whether the cluster has a virtual address."""
