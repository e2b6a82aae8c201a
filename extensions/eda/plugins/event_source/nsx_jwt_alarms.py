# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source that emits an event for each new NSX alarm about an expired token of a partner service."""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

DOCUMENTATION = r"""
module: nsx_jwt_alarms
short_description: Emit an event for each new NSX alarm about an expired token of a partner service
version_added: 0.1.0
description:
  - Polls the alarms of an NSX manager, and emits one event for each new alarm of a partner service instance whose text
    matches O(alarm_pattern). Alarms that are open when the source starts are new. An alarm that is cleared and raised
    again is new as well.
  - To read the alarms, one of O(username), O(access_token), O(token_file), O(token_store), O(csp_api_token),
    O(csp_client_id) and O(client_cert) is required. The environment variables of M(sddc.tokens.nsx_service_reauth) are
    used, so that a rulebook does not have to contain secrets.
  - If the NSX manager rejects a token or session, the source replaces it immediately. While the alarms cannot be read,
    the time between two polls increases up to O(max_interval). One line of the log reports the first failure, and
    another one reports that polling works again.
  - An event has the key C(nsx_jwt_alarm) with the keys C(hostname) (the value of that option), C(service_instance) (the
    policy path, as for M(sddc.tokens.nsx_service_reauth)), C(tier0_id), C(locale_service_id), C(service_instance_id)
    and C(alarm) (the text). It contains no secret.
  - A poll is one request, or one request for every thousand alarms.
options:
  hostname:
    description:
      - NSX manager, as a name, name:port, or https base URL.
      - If not set, the environment variable E(NSXT_MANAGER_HOST) is used.
    type: str
    required: true
  username:
    description:
      - User of the NSX manager for read requests.
      - If not set, the environment variable E(NSXT_USERNAME) is used.
    type: str
  password:
    description:
      - Password of O(username).
      - If not set, the environment variable E(NSXT_PASSWORD) is used.
    type: str
  use_session:
    description: Whether to create a session for O(username), instead of sending the password with each request.
    type: bool
    default: false
  access_token:
    description:
      - Access token of VMware Cloud Services for read requests. The source cannot renew it.
      - If no other option for a token is set, the environment variable E(NSX_ACCESS_TOKEN) is used.
    type: str
  open_id_token:
    description:
      - OpenID token that was created together with O(access_token). It is not required for read requests.
      - If no other option for a token is set, the environment variable E(NSX_OPEN_ID_TOKEN) is used.
    type: str
    aliases: [id_token]
  token_file:
    description:
      - Token file of M(sddc.tokens.csp_access_token) for read requests. With O(csp_api_token) or O(csp_client_id), the
        source renews the token in the file. Without them, another task must renew it.
    type: path
  token_store:
    description:
      - Document in Vault or OpenBao that contains this token, instead of O(token_file). Its keys are those of
        O(ignore:token_store) of M(sddc.tokens.csp_access_token).
    type: dict
  csp_hostname:
    description:
      - Server of VMware Cloud Services.
      - If not set, the environment variable E(CSP_HOST) is used.
    type: str
    default: console.cloud.vmware.com
  csp_api_token:
    description:
      - API token of VMware Cloud Services. The source exchanges it for an access token.
      - If no other option for a token is set, the environment variable E(CSP_API_TOKEN) is used, then
        E(NSXT_VMC_TOKEN).
    type: str
  csp_client_id:
    description:
      - ID of an OAuth app of VMware Cloud Services, instead of O(csp_api_token).
      - If no other option for a token is set, the environment variable E(CSP_CLIENT_ID) is used.
    type: str
  csp_client_secret:
    description:
      - Secret of the OAuth app O(csp_client_id).
      - If no other option for a token is set, the environment variable E(CSP_CLIENT_SECRET) is used.
    type: str
  csp_validate_certs:
    description:
      - Whether to verify the TLS certificate of VMware Cloud Services. It must match the host name and be signed by a
        trusted CA. O(validate_certs) applies to the NSX manager only.
    type: bool
    default: true
  csp_ca_path:
    description:
      - PEM file with the CA certificates to trust for VMware Cloud Services, or folder of hashed PEM files.
      - By default, the trust store of the system and O(ca_path).
    type: path
  csp_auth_token_header:
    description: Whether to send the access token in the header C(csp-auth-token) as well.
    type: bool
    default: false
  validate_certs:
    description: Whether to verify the TLS certificate of the NSX manager. It must match the host name and be signed by
      a trusted CA.
    type: bool
    default: true
  ca_path:
    description:
      - PEM file with the CA certificates to trust, or folder of hashed PEM files.
      - By default, the trust store of the system.
    type: path
  client_cert:
    description: PEM file with the certificate of a principal identity and its chain.
    type: path
  client_key:
    description: PEM file with the private key of O(client_cert). By default, the key is read from O(client_cert).
    type: path
  proxy_url:
    description:
      - Proxy for all requests.
      - By default, the environment variables E(https_proxy), E(all_proxy) and E(no_proxy) are used.
    type: str
  timeout:
    description: Total timeout for one attempt of a request (seconds).
    type: str
    default: '30'
  retries:
    description: Number of retries of a request within a poll. The next poll tries again in any case.
    type: int
    default: 0
  alarm_pattern:
    description: Regular expression that matches the text of an alarm about an expired token.
    type: str
    default: (?i)jwt
  interval:
    description: Time between two polls (seconds).
    type: str
    default: '60'
  max_interval:
    description: Maximum time between two polls while the alarms cannot be read (seconds).
    type: str
    default: '900'
  repeat_after:
    description:
      - Time after which an event is emitted again for an alarm that is still open (seconds), so that the action is
        repeated if it did not help.
      - With V(0), only one event is emitted.
    type: str
    default: '0'
requirements:
  - requests
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - module: sddc.tokens.nsx_service_reauth
"""

EXAMPLES = r"""
- name: Re-authenticate partner services, with the manager and the credentials from the environment
  hosts: all
  sources:
    - sddc.tokens.nsx_jwt_alarms:
        interval: 30
  rules:
    - name: Re-authenticate the service instance
      condition: event.nsx_jwt_alarm is defined
      action:
        run_playbook:
          name: sddc.tokens.nsx_reauthenticate
          extra_vars:
            nsx_partner_service_service_instances:
              - "{{ event.nsx_jwt_alarm.service_instance }}"
"""

# ansible-rulebook runs this file by its path, so that the collection is not importable yet.
runpy.run_path(str(Path(__file__).parents[1] / "plugin_utils" / "importable.py"))

from ansible_collections.sddc.tokens.extensions.eda.plugins.plugin_utils.polling import (
    POLLING,
    Event,
    Findings,
    Poller,
    Queue,
    validated,
    values_from,
)
from ansible_collections.sddc.tokens.plugins.module_utils._clients import nsx
from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import MissingOption
from ansible_collections.sddc.tokens.plugins.module_utils._core.outcome import Outcome
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._operations import nsx_connection
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_alarms import (
    ALARM_PATTERN,
    compile_alarm_pattern,
)

_LOG = logging.getLogger("sddc.tokens.nsx_jwt_alarms")
# Number of segments in the policy path of an instance. An alarm can name a path below it.
_SEGMENTS = 8


class NsxJwtAlarms(Operation):
    """Read the alarms. Can run repeatedly, and stays signed in until it is closed."""

    name = "sddc.tokens.nsx_jwt_alarms"
    argument_spec = nsx_connection.SIGN_IN.merge(
        ALARM_PATTERN,
        ArgumentSpec({"retries": {"type": "int", "default": 0}}, required_one_of=(nsx_connection.READERS,)),
        POLLING,
    )

    def __init__(self, params: Mapping[str, Any], runtime: Runtime) -> None:
        """Raises InvalidOption."""
        super().__init__(params, runtime)
        self._pattern = compile_alarm_pattern(params["alarm_pattern"])
        self._connection = nsx_connection.NsxConnection(self, require_id_token=False)

    def run(self) -> Outcome:
        alarms = [alarm for alarm in self._listed() if self._pattern.search(alarm.text)]
        return Outcome(False, "none", values={"alarms": [event for alarm in alarms for event in self._events(alarm)]})

    def _listed(self) -> list[nsx.Alarm]:
        reader = self._connection.reader()
        if reader is None:
            raise MissingOption("access_token", "is required to read the alarms")
        return reader.list_policy_alarms()

    def _events(self, alarm: nsx.Alarm) -> Iterator[Event]:
        refs = (nsx.InstanceRef.from_path("/".join(path.split("/")[:_SEGMENTS])) for path in alarm.paths)
        for ref in dict.fromkeys(ref for ref in refs if ref):
            yield {
                "hostname": self.params["hostname"],
                "service_instance": ref.path,
                "tier0_id": ref.tier0_id,
                "locale_service_id": ref.locale_service_id,
                "service_instance_id": ref.service_instance_id,
                "alarm": alarm.text,
            }


class AlarmWatch:
    """Read the alarms repeatedly, and sign in again after every failure."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        """Raises InvalidOption."""
        self._params = params
        self._warned: set[str] = set()
        self._abandons = False
        # A poll that is cancelled continues in its thread, so that close() has to wait for it.
        self._lock = threading.RLock()
        self._operation: Optional[NsxJwtAlarms] = self._opened()

    def look(self) -> Findings:
        """Return the open alarms by instance and text. Raises TokensError."""
        with self._lock:
            try:
                return self._read()
            except BaseException:
                # After a failure, a failed sign-out is not worth a warning.
                self._abandons = True
                self.close()
                self._abandons = False
                raise

    def close(self) -> None:
        """Sign out and close all connections."""
        with self._lock:
            operation, self._operation = self._operation, None
            if operation is not None:
                operation.close()

    def _read(self) -> Findings:
        if self._operation is None:
            self._operation = self._opened()
        alarms = values_from(self._operation)["alarms"]
        return {(alarm["service_instance"], alarm["alarm"]): {"nsx_jwt_alarm": alarm} for alarm in alarms}

    def _opened(self) -> NsxJwtAlarms:
        params = NsxJwtAlarms.argument_spec.typed(self._params)
        return NsxJwtAlarms(params, Runtime(False, os.environ, warn=self._warn, notify=_LOG.info))

    def _warn(self, message: str) -> None:
        if self._abandons:
            _LOG.info("%s", message)
        elif message not in self._warned:
            self._warned.add(message)
            _LOG.warning("%s", message)


async def main(queue: Queue, args: dict[str, Any]) -> None:
    """Poll until cancelled. Raises InvalidArguments and InvalidOption before the first poll only."""
    params = validated(NsxJwtAlarms, args)
    watch = await asyncio.to_thread(AlarmWatch, params)
    try:
        await Poller(watch.look, params, _LOG).run(queue)
    finally:
        await asyncio.to_thread(watch.close)
