# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One event for each new alarm of NSX that complains of an expired token of a partner service."""

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
short_description: Tell of each new alarm of NSX that complains of an expired token of a partner service
version_added: 0.1.0
description:
  - Reads the alarms of an NSX manager again and again, and emits one event for each new alarm on a partner service
    instance whose text matches O(alarm_pattern). An alarm that is cleared and raised again is a new one. Those that
    are raised when it starts are new, too.
  - It needs one of O(username), O(access_token), O(token_file), O(csp_api_token), O(csp_client_id) and O(client_cert)
    to read with, and finds them in the environment variables of M(sddc.tokens.nsx_service_reauth), so that no secret
    needs to stand in a rulebook.
  - A token or session that the manager refuses is replaced at once. While the alarms cannot be read it looks less and
    less often. One line of the log says that it began to fail, and another that it works again.
  - An event has the key C(nsx_jwt_alarm), below which are C(hostname), as the option of that name says it;
    C(service_instance), the policy path as M(sddc.tokens.nsx_service_reauth) takes it; its parts C(tier0_id),
    C(locale_service_id) and C(service_instance_id); and C(alarm), the text. No secret is in it.
  - A look is one request, or one for each thousand alarms.
options:
  hostname:
    description:
      - The NSX manager, as a name, name:port, or https base URL.
      - The environment variable E(NSXT_MANAGER_HOST) is used when this is not set.
    type: str
    required: true
  username:
    description:
      - User of the manager with whom to read.
      - The environment variable E(NSXT_USERNAME) is used when this is not set.
    type: str
  password:
    description:
      - Password of O(username).
      - The environment variable E(NSXT_PASSWORD) is used when this is not set.
    type: str
  use_session:
    description: Whether O(username) signs in to a session, rather than with each request.
    type: bool
    default: false
  access_token:
    description:
      - Access token of VMware Cloud Services to read with. It cannot be renewed.
      - The environment variable E(NSX_ACCESS_TOKEN) is used when no other way to a token is set.
    type: str
  open_id_token:
    description:
      - OpenID token that was created with O(access_token). Reading does not need it.
      - The environment variable E(NSX_OPEN_ID_TOKEN) is used when no other way to a token is set.
    type: str
    aliases: [id_token]
  token_file:
    description:
      - Token file of M(sddc.tokens.csp_access_token) to read with. With O(csp_api_token) or O(csp_client_id) it is kept
        alive here, without them by another task.
    type: path
  csp_hostname:
    description:
      - The server of VMware Cloud Services.
      - The environment variable E(CSP_HOST) is used when this is not set.
    type: str
    default: console.cloud.vmware.com
  csp_api_token:
    description:
      - API token of VMware Cloud Services, which is exchanged for an access token to read with.
      - The environment variable E(CSP_API_TOKEN), then E(NSXT_VMC_TOKEN), is used when no other way to a token is set.
    type: str
  csp_client_id:
    description:
      - Id of an OAuth app of VMware Cloud Services, in place of O(csp_api_token).
      - The environment variable E(CSP_CLIENT_ID) is used when no other way to a token is set.
    type: str
  csp_client_secret:
    description:
      - Secret of the OAuth app.
      - The environment variable E(CSP_CLIENT_SECRET) is used when no other way to a token is set.
    type: str
  csp_auth_token_header:
    description: Whether to send the access token in the header C(csp-auth-token), too.
    type: bool
    default: false
  csp_validate_certs:
    description:
      - Whether the certificate of the server of VMware Cloud Services must be valid for its name and signed by a
        trusted authority. O(validate_certs) is for the manager alone.
    type: bool
    default: true
  csp_ca_path:
    description:
      - PEM file, or folder of hashed PEM files, with the authorities to trust of VMware Cloud Services.
      - By default the trust store of the system and O(ca_path).
    type: path
  validate_certs:
    description: Whether the server's certificate must be valid for its name and signed by a trusted authority.
    type: bool
    default: true
  ca_path:
    description: PEM file, or folder of hashed PEM files, with the authorities to trust. By default those of the system.
    type: path
  client_cert:
    description: PEM file with the certificate of a principal identity, and its chain.
    type: path
  client_key:
    description: PEM file with the key of O(client_cert). By default it is looked for in O(client_cert).
    type: path
  proxy_url:
    description:
      - Proxy for all requests.
      - By default the environment variables E(https_proxy), E(all_proxy) and E(no_proxy) decide.
    type: str
  timeout:
    description: Total timeout for one request, in seconds.
    type: str
    default: '30'
  retries:
    description: How often a request is tried again at once. The next look tries again anyway.
    type: int
    default: 0
  alarm_pattern:
    description: Regular expression that is searched in the text of each alarm.
    type: str
    default: (?i)jwt
  interval:
    description: Seconds from one look to the next.
    type: str
    default: '60'
  max_interval:
    description: The most seconds from one look to the next while the alarms cannot be read.
    type: str
    default: '900'
  repeat_after:
    description:
      - Seconds after which an alarm that is still raised is reported once more, so that
        what could not be mended then is tried again.
      - With V(0) it is reported only once.
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
- name: Heal partner services, with the manager and the credentials from the environment
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

# ansible-rulebook runs this file by its path.
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
# Segments of the policy path of an instance; an alarm may be about a part of it.
_SEGMENTS = 8


class NsxJwtAlarms(Operation):
    """Read the alarms, as often as is wanted: it stays signed in until it is closed."""

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
            raise MissingOption("access_token", "is needed to read with")
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
    """Reads the alarms again and again, and signs in anew after every failure."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        """Raises InvalidOption."""
        self._params = params
        self._warned: set[str] = set()
        self._abandons = False
        # A look that is cut short goes on in its thread: whoever closes waits for it.
        self._lock = threading.RLock()
        self._operation: Optional[NsxJwtAlarms] = self._opened()

    def look(self) -> Findings:
        """The alarms that are raised, by instance and text. Raises TokensError."""
        with self._lock:
            try:
                return self._read()
            except BaseException:
                # That it cannot sign out any more is no news.
                self._abandons = True
                self.close()
                self._abandons = False
                raise

    def close(self) -> None:
        """Sign out, and close all connections."""
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
    """Watch until cancelled. Raises InvalidArguments and InvalidOption at the start, and nothing later."""
    params = validated(NsxJwtAlarms, args)
    watch = await asyncio.to_thread(AlarmWatch, params)
    try:
        await Poller(watch.look, params, _LOG).run(queue)
    finally:
        await asyncio.to_thread(watch.close)
