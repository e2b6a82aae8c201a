# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of the module vcf_api_token_info."""

from __future__ import annotations

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcf_api_token_info import VcfApiTokenInfo
from ansible_collections.sddc.tokens.plugins.plugin_utils.operation_action import OperationAction


class ActionModule(OperationAction):
    operation = VcfApiTokenInfo


main = ActionModule.check_arguments
