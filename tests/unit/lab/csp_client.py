# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the lab's CSP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from lab.client import Lab


class Csp:
    """A client of CSP."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http = lab["csp"], http
        self.base = f"{self.details['url']}/csp/gateway/am/api/auth"

    def authorize(self, **form: str) -> requests.Response:
        form = form or {"api_token": self.details["api_token"]}
        return self.http.post(f"{self.base}/api-tokens/authorize", data=form)
