# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of a list of tokens for each product, as token_set and the role token_rotation take them."""

from __future__ import annotations

from typing import Any

from support.playbooks import Task, module
from support.tasks import INSTANCE_PATH


def entry(product: str, **further: Any) -> dict[str, Any]:
    """A token of a product, kept in a file of its own."""
    user = {"username": f"{{{{ lab.{product}.username }}}}", "password": f"{{{{ lab.{product}.password }}}}"}
    file = {"token_file": f"{{{{ playbook_dir }}}}/{product}.json"}
    own: dict[str, dict[str, Any]] = {
        "avi": {**user, "name": "Engines in the east", "lifetime": 86400, "metadata": {"rack": "4"}},
        "csp": {**file, "api_token": "{{ lab.csp.api_token }}", "require_id_token": True},
        "nsx": {
            **file,
            "csp_hostname": "{{ lab.csp.url }}",
            "csp_api_token": "{{ lab.csp.api_token }}",
            "service_instances": [INSTANCE_PATH],
        },
        "sddc_manager": {**user, **file},
        "vcenter": {**file, "vidb_hostname": "{{ lab.vidb.url }}", "vidb_api_token": "{{ lab.vidb.api_token }}"},
        "vidb": {
            **file,
            "client_id": "{{ lab.vidb.client_id }}",
            "client_secret": "{{ lab.vidb.client_secret }}",
        },
        "vrni": {**user, **file},
    }
    reached = {"hostname": f"{{{{ lab.{product}.url }}}}", "ca_path": "{{ ca_path }}"}
    return {"product": product, **reached, **own[product], **further}


def token_set(register: str = "", *entries: Any, **options: Any) -> Task:
    """The module token_set."""
    return module("token_set", register, tokens=list(entries), **options)
