# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a callback gets of each task besides its result, as callbacks that send it to a log server do."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record_tasks
type: notification
short_description: Write the fields of tasks to a file
description: Writes a line for each result, of an item and of a retry, too.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Appends to the file that the environment variable TASK_FIELDS names."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, result: Any, **_keywords: Any) -> None:
        fields = [result._task_fields, result._task.dump_attrs()]
        with open(os.environ["TASK_FIELDS"], "a") as stream:
            print(json.dumps(fields, default=repr), file=stream)

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = _record
    v2_runner_retry = v2_runner_item_on_ok = v2_runner_item_on_failed = v2_runner_item_on_skipped = _record
