# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrni_vidm_client_info: read which vIDM appliance and OAuth client issue the tokens of vIDM users."""

from __future__ import annotations

from .._clients import vrni
from .._core.outcome import Outcome
from .._http.url import BaseUrl
from .base import Operation
from .vrni_auth_token import CREDENTIALS, SERVER


class VrniVidmClientInfo(Operation):
    """Read the vIDM client. No sign-in is required."""

    name = "sddc.tokens.vrni_vidm_client_info"
    # Defaults for the product's action group may hold credentials.
    argument_spec = SERVER.merge(CREDENTIALS.ignored())

    def run(self) -> Outcome:
        session = self.open_session(BaseUrl.parse(self.params["hostname"]), vrni.error_facts)
        appliance, client_id = vrni.VrniClient(session).get_vidm_client()
        return Outcome(False, "none", values={"vidm_appliance": appliance, "client_id": client_id})
