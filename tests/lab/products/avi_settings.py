# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test may change in the behaviour of an Avi controller.

Guessed: a new object's `uuid` is as asked, or its `name` where that is a UUID, else new. A missing `X-Avi-Version` is
400, one newer than the controller 400 with `Invalid version`, two words for which the vendor's client looks; the
sentence seen in public is for a field that is newer than the version. Signing out needs the CSRF token as any write
does. A page has 25 objects unless asked; beyond the last is 404. PATCH goes in the order `add`, `replace`, `delete`;
`add` appends what is not there, `delete` goes by `key`. Expired objects stay in the listing. An unknown tenant is
404. Every secure channel token counts as a token, by its `uuid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..product import Settings


@dataclass(kw_only=True)
class AviSettings(Settings):
    """What a test may change."""

    version: str = "31.1.1"
    """The controller's version, and the newest of its API."""
    session_timeout: float = 900.0
    """Seconds after which an idle session ends: 15 minutes."""
    session_refused_status: Literal[401, 419] = 401
    """How a request without a session, or with one that has ended, is refused."""
    basic_auth: bool = False
    """Whether Basic authentication is allowed, which controllers have off."""
    rotate_csrf: bool = False
    """Whether the reply to a write brings another CSRF token in its cookies, as the page says it may."""
    initial_data_open: bool = True
    """Whether `initial-data` may be read without signing in."""
    upgrading: bool = False
    """Whether an upgrade is under way: 403."""
    post_status: Literal[201, 200] = 201
    """201 in practice, 200 by the page."""
    name_in_url: bool = False
    """Whether the `url` of every object ends in `uuid#name`, not only that of a reply's `Location`."""
    unique_names: bool = False
    """Whether a second object of one name is a 409."""
    in_use_kept: bool = False
    """Whether what a client writes to `in_use` is ignored."""
    next_host: str = ""
    """What stands in place of the controller's own host and port in `next`."""
    token_lifetime: float = 3600.0
    """Seconds that the token of a Service Engine lives: an hour."""
    virtual_ip: bool = True
    """Whether the cluster has a virtual address."""
