# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of a list of tokens for each product, as token_set and the role token_rotation accept them."""

from __future__ import annotations

from typing import Any

from products import ENTRIES
from support.kit import Kit
from support.playbooks import Task, module


def entry(product: str, **further: Any) -> dict[str, Any]:
    """A token of a product, stored in a file of its own."""
    return {"product": product, "ca_path": "{{ ca_path }}", **ENTRIES[product].options, **further}


def as_entry(kit: Kit, task: Task) -> Task:
    """A task of a product's main module, as an entry of token_set."""
    ((_key, options),) = ((key, value) for key, value in task.items() if key.startswith("sddc.tokens."))
    file = {"token_file": "{{ playbook_dir }}/{{ inventory_hostname }}.json"} if kit.keeps_tokens else {}
    return token_set(task.get("register", ""), {"product": kit.name, **file, **options})


def token_set(register: str = "", *entries: Any, **options: Any) -> Task:
    """The module token_set."""
    return module("token_set", register, tokens=list(entries), **options)
