# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of vrni_vidm_client_info: which vIDM appliance issues the tokens of vIDM users, and to which client."""

from __future__ import annotations

from .._clients import vrni
from .._core.outcome import Outcome
from .._http.url import BaseUrl
from .base import Operation
from .vrni_auth_token import CREDENTIALS, SERVER


class VrniVidmClientInfo(Operation):
    """Read it; no sign-in is needed."""

    name = "sddc.tokens.vrni_vidm_client_info"
    # Defaults for the product's action group may hold credentials.
    argument_spec = SERVER.merge(CREDENTIALS.ignored())

    def run(self) -> Outcome:
        session = self.open_session(BaseUrl.parse(self.params["hostname"]), vrni.error_facts)
        appliance, client_id = vrni.VrniClient(session).get_vidm_client()
        return Outcome(False, "none", values={"vidm_appliance": appliance, "client_id": client_id})
