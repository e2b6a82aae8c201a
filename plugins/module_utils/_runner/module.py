# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run an operation as an ordinary module."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._core.argspec import CONNECTION
from .._core.runtime import Runtime
from .._http.session import HAS_REQUESTS
from .._operations.base import Operation
from .execution import execute


def run_module(operation: type[Operation]) -> None:
    """Validate the arguments, run the operation and exit with its result."""
    module = AnsibleModule(supports_check_mode=True, **operation.argument_spec.core_arguments())
    if not HAS_REQUESTS and CONNECTION.options.keys() <= operation.argument_spec.options.keys():
        module.fail_json(msg=missing_required_lib("requests"))
    runtime = Runtime(module.check_mode, os.environ)
    result = execute(operation, module.params, runtime, diff_mode=module._diff)
    for warning in result.pop("warnings"):
        module.warn(warning)
    # The action plugin censors the result. Cores before 2.22 would mask values that equal an option, such as a token
    # that the user set and that is still valid.
    module.no_log_values.clear()
    result["invocation"] = {}
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
