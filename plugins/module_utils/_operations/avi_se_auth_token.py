# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""avi_se_auth_token: create a token with which a Service Engine joins its controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._clients import avi
from .._core.argspec import ArgumentSpec
from .._core.errors import TokensError
from .._core.outcome import Outcome
from .._http.response import items
from . import avi_connection
from .base import Operation
from .selection import SOME, there_is


class AviSeAuthToken(Operation):
    """Create a token. Each run creates another one."""

    name = "sddc.tokens.avi_se_auth_token"
    argument_spec = avi_connection.SIGN_IN.merge(
        ArgumentSpec(
            {"cloud": {"type": "str"}, "cloud_uuid": {"type": "str"}},
            mutually_exclusive=(("cloud", "cloud_uuid"),),
            required_one_of=(("cloud", "cloud_uuid"),),
        )
    )
    secret_results = frozenset(("token", "ova_properties"))

    def run(self) -> Outcome:
        session, client = avi_connection.open_client(self, "Set cloud_uuid in place of cloud.")
        cloud_uuid = self.params["cloud_uuid"] or self._cloud_uuid(client, session.host)
        cluster = client.get_cluster()
        cluster_uuid, address = str(cluster.get("uuid") or ""), _address(cluster)
        if not cluster_uuid or not address:
            raise TokensError(
                "the response has no uuid or no address of the cluster",
                doing="read the cluster",
                host=session.host,
                advice="Check the cluster configuration of the controller.",
            )
        values = {"cluster_uuid": cluster_uuid}
        if self.runtime.check_mode:
            return Outcome(True, "created", values=values)
        token = client.generate_se_token(cloud_uuid)
        properties = {
            "AVICNTRL": address,
            "AVICNTRL_AUTHTOKEN": token,
            "AVICNTRL_CLUSTERUUID": cluster_uuid,
        }
        created = {"token": token, "token_type": avi_connection.TOKEN_TYPE, "ova_properties": properties}
        return Outcome(True, "created", values={**values, **created})

    def _cloud_uuid(self, client: avi.AviClient, host: str) -> str:
        name = self.params["cloud"]
        clouds = client.list_clouds(name)
        if len(clouds) == 1 and clouds[0].get("uuid"):
            return str(clouds[0]["uuid"])
        raise TokensError(
            f"{len(clouds)} clouds have the name '{name}'" if clouds else self._no_cloud(client, name),
            doing="find the cloud",
            host=host,
            advice="Check cloud and tenant, or set cloud_uuid.",
        )

    def _no_cloud(self, client: avi.AviClient, name: str) -> str:
        """The cause when no cloud has the name, with the names that exist."""
        names = (cloud["name"] for cloud in client.list_clouds(most=SOME))
        return f"no cloud has the name '{name}' {there_is(names, self.runtime.redactor)}"


def _address(cluster: Mapping[str, Any]) -> str:
    """The virtual address of the cluster, or the address of its first node; empty without one."""
    candidates = [cluster.get("virtual_ip"), *(node.get("ip") for node in items(cluster.get("nodes"))[:1])]
    return next((str(ip["addr"]) for ip in candidates if isinstance(ip, Mapping) and ip.get("addr")), "")
