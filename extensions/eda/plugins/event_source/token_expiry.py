# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source that emits an event for each token file whose token expires soon."""

from __future__ import annotations

import logging
import os
import runpy
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
module: token_expiry
short_description: Emit an event for each stored token that expires soon
version_added: 0.1.0
description:
  - Polls token files, and documents in Vault or OpenBao. It emits one event for each token that expires within
    O(min_remaining). The server that issued the token is not contacted.
  - Each token is reported once. The token that replaces it is reported when it expires soon as well.
  - A file that is missing or cannot be used is also reported once, and again if the reason changes. A missing file
    whose token is being created is not reported again. In a folder, only existing files are reported.
  - An event has the key C(token_expiry) with the keys C(reason) (V(expiring), V(expired), V(missing) or V(unusable)),
    C(min_remaining) (the value of that option), and all keys that M(sddc.tokens.token_info) returns,
    such as C(path), C(product), C(host), C(principal), C(expires_at), C(expires_in), C(fingerprint) and C(error). It
    contains no secret.
options:
  paths:
    description:
      - Token files, and folders with token files. Of a folder, only files whose names end with V(.json) are read.
      - At least one of O(paths) and O(stores) is required.
    type: list
    elements: path
  stores:
    description:
      - Documents in Vault or OpenBao. Each has the same keys as O(ignore:stores) of M(sddc.tokens.token_info).
      - A document without a token, or one that cannot be read, is reported like a file.
    type: list
    elements: dict
  proxy_url:
    description: Proxy for the requests to O(stores), such as V(http://proxy.example.com:3128).
    type: str
  timeout:
    description: Total timeout for one attempt of a request to O(stores) (seconds).
    type: str
    default: '30'
  retries:
    description: Number of retries of a request to O(stores).
    type: int
    default: 3
  min_remaining:
    description:
      - Remaining lifetime below which a token is reported (seconds). A token whose total lifetime is not longer than
        this is reported after half its lifetime.
      - Set this to more than the C(min_remaining) of the task that renews the token plus O(interval), so that there is
        time to act.
    type: str
    default: '300'
  all_files:
    description:
      - Whether to emit an additional event for each file and document in each poll, whatever its state.
      - These events have the key C(token_file) or C(token_store), with all keys that M(sddc.tokens.token_info) returns
        for it.
    type: bool
    default: false
  interval:
    description: Time between two polls (seconds).
    type: str
    default: '60'
  max_interval:
    description: Maximum time between two polls while a folder cannot be read (seconds).
    type: str
    default: '900'
  repeat_after:
    description:
      - Time after which an event is emitted again for a token that was not replaced (seconds), so that the action is
        repeated if it did not help.
      - With V(0), only one event is emitted.
    type: str
    default: '0'
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - module: sddc.tokens.token_info
"""

EXAMPLES = r"""
- name: Show which tokens expire soon
  hosts: all
  sources:
    - sddc.tokens.token_expiry:
        paths:
          - ~/.sddc
        min_remaining: 3600
  rules:
    - name: Show the token file and the expiry
      condition: event.token_expiry.reason == "expiring"
      action:
        debug:
          msg: "{{ event.token_expiry.path }} expires at {{ event.token_expiry.expires_at }}"
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
from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_info import TokenInfo

_LOG = logging.getLogger("sddc.tokens.token_expiry")


class TokenExpiry(TokenInfo):
    """Read token files. Can run repeatedly."""

    name = "sddc.tokens.token_expiry"
    argument_spec = TokenInfo.argument_spec.merge(
        ArgumentSpec({"all_files": {"type": "bool", "default": False}}), POLLING
    )


class ExpiryWatch:
    """Read token files repeatedly, and return those that need attention."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self._warned: set[str] = set()
        self._looks = 0
        self._operation = TokenExpiry(params, Runtime(False, os.environ, warn=self._warn, notify=_LOG.info))

    def look(self) -> Findings:
        """Return the events for the files in their present state. Raises TokensError."""
        self._looks += 1
        found = values_from(self._operation)
        kinds = {"token_file": found["token_files"], "token_store": found["token_stores"]}
        stored = [(kind, token) for kind, tokens in kinds.items() for token in tokens]
        findings: dict[Hashable, Event] = dict(self._finding(token) for _kind, token in stored if not token["usable"])
        if self._params["all_files"]:
            # The number of the poll in the key makes each of these events new.
            findings.update({(self._looks, *_place(token)): {kind: token} for kind, token in stored})
        return findings

    def _finding(self, token: Mapping[str, Any]) -> tuple[Hashable, Event]:
        reason = token["status"]
        event = {"token_expiry": {**token, "reason": reason, "min_remaining": self._params["min_remaining"]}}
        # The key contains neither the status nor the error of a missing token: an expiring token that expires, or one
        # that is being created, must not be reported again.
        error = None if reason == "missing" else token["error"]
        return (*_place(token), token["fingerprint"], error), event

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            _LOG.warning("%s", message)


def _place(token: Mapping[str, Any]) -> tuple[str, str]:
    """Where a token is stored."""
    return token.get("url", ""), token["path"]


async def main(queue: Queue, args: dict[str, Any]) -> None:
    """Poll until cancelled. Raises InvalidArguments before the first poll only."""
    params = validated(TokenExpiry, args)
    await Poller(ExpiryWatch(params).look, params, _LOG).run(queue)
