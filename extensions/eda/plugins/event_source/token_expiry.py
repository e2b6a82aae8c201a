# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One event for each token file whose token is about to expire."""

from __future__ import annotations

import logging
import os
import runpy
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

DOCUMENTATION = r"""
module: token_expiry
short_description: Tell of each token file whose token is about to expire
version_added: 0.1.0
description:
  - Looks at token files again and again, and emits one event for each whose token has less than O(min_remaining)
    seconds of life left. It makes no request.
  - A token is reported once. The one that replaces it is reported when its own time has come.
  - A file that is missing or cannot be used is reported once, too, as it is with each new reason; that the token of a
    missing file is being made is none. In a folder only the files that are there count.
  - An event has the key C(token_expiry), below which are C(reason), which is V(expiring), V(expired), V(missing) or
    V(unusable); C(min_remaining), as the option of that name; and all that M(sddc.tokens.token_file_info) tells of the
    file, such as C(path), C(product), C(host), C(principal), C(expires_at), C(expires_in), C(fingerprint) and C(error).
    No secret is in it.
options:
  paths:
    description: Token files, and folders whose files of the suffix V(.json) are looked at.
    type: list
    elements: path
    required: true
  min_remaining:
    description:
      - Seconds of life below which a token is reported. One that never lives that long is reported at half its life.
      - It should be more than those with which the token is kept, plus O(interval), so that there is time to act.
    type: str
    default: '300'
  all_files:
    description:
      - Whether to emit, besides, one event for each file at each look, whatever its state.
      - Its key is C(token_file), below which is all that M(sddc.tokens.token_file_info) tells of the file.
    type: bool
    default: false
  interval:
    description: Seconds from one look to the next.
    type: str
    default: '60'
  max_interval:
    description: The most seconds from one look to the next while a folder cannot be read.
    type: str
    default: '900'
  repeat_after:
    description:
      - Seconds after which a token that is still there is reported once more, so that
        what could not be mended then is tried again.
      - With V(0) it is reported only once.
    type: str
    default: '0'
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - module: sddc.tokens.token_file_info
"""

EXAMPLES = r"""
- name: Say which tokens are about to expire
  hosts: all
  sources:
    - sddc.tokens.token_expiry:
        paths:
          - ~/.sddc
        min_remaining: 3600
  rules:
    - name: Say it
      condition: event.token_expiry.reason == "expiring"
      action:
        debug:
          msg: "{{ event.token_expiry.path }} expires at {{ event.token_expiry.expires_at }}"
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
from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_file_info import TokenFileInfo

_LOG = logging.getLogger("sddc.tokens.token_expiry")


class TokenExpiry(TokenFileInfo):
    """Look at token files, as often as is wanted."""

    name = "sddc.tokens.token_expiry"
    argument_spec = TokenFileInfo.argument_spec.merge(
        ArgumentSpec({"all_files": {"type": "bool", "default": False}}), POLLING
    )


class ExpiryWatch:
    """Looks at token files, and tells which are due."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self._warned: set[str] = set()
        self._looks = 0
        self._operation = TokenExpiry(params, Runtime(False, os.environ, warn=self._warn, notify=_LOG.info))

    def look(self) -> Findings:
        """What is to be said of the files. Raises TokensError."""
        self._looks += 1
        files = values_from(self._operation)["token_files"]
        findings: dict[Hashable, Event] = dict(self._finding(file) for file in files if not file["usable"])
        if self._params["all_files"]:
            # The number of the look makes each of them new.
            findings.update({(self._looks, file["path"]): {"token_file": file} for file in files})
        return findings

    def _finding(self, file: Mapping[str, Any]) -> tuple[Hashable, Event]:
        reason = file["status"]
        event = {"token_expiry": {**file, "reason": reason, "min_remaining": self._params["min_remaining"]}}
        # Nothing new is that an expiring token has expired, and that the token of a missing file is being made.
        error = None if reason == "missing" else file["error"]
        return (file["path"], file["fingerprint"], error), event

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            _LOG.warning("%s", message)


async def main(queue: Queue, args: dict[str, Any]) -> None:
    """Watch until cancelled. Raises InvalidArguments at the start, and nothing later."""
    params = validated(TokenExpiry, args)
    await Poller(ExpiryWatch(params).look, params, _LOG).run(queue)
