# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of the collection, read from its files: products, modules, groups, and the output of ansible-doc."""

from __future__ import annotations

import ast
import functools
import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from support.checkout import CHECKOUT
from support.cores import DEFAULT
from support.in_process import operation_of

PLUGINS = CHECKOUT / "plugins"
COLLECTION = "sddc.tokens"
MODULES = sorted(path.stem for path in PLUGINS.glob("modules/*.py"))
OTHERS = [(kind, path.stem) for kind in ("lookup", "filter") for path in sorted(PLUGINS.glob(f"{kind}/*.py"))]
GROUPS: Mapping[str, list[str]] = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["action_groups"]


def _is_client(path: Path) -> bool:
    """Whether a file of `_clients` is the client of a product: only those know the format of a product's errors."""
    return any(getattr(node, "name", "") == "error_facts" for node in ast.parse(path.read_text()).body)


# The server of a shared store has a client, and no token is kept of it.
_STORES = ("vault",)
PRODUCTS = tuple(
    path.stem
    for path in sorted(PLUGINS.glob("module_utils/_clients/*.py"))
    if _is_client(path) and path.stem not in _STORES
)


def product_of(stem: str) -> str | None:
    """The product of a file with this name."""
    return next((product for product in PRODUCTS if stem == product or stem.startswith(f"{product}_")), None)


def talks_http(name: str) -> bool:
    """Whether a module sends requests to a server."""
    return "ca_path" in operation_of(name).argument_spec.options


HTTP_MODULES = [name for name in MODULES if talks_http(name)]


@functools.cache
def documentation() -> dict[str, dict[str, Any]]:
    """The output of ansible-doc for each plugin, with all fragments merged, by kind and name."""
    kinds = {"module": MODULES, **{kind: [name for of, name in OTHERS if of == kind] for kind, _name in OTHERS}}
    return {f"{kind} {name}": found for kind, names in kinds.items() for name, found in _told(kind, names).items()}


def _told(kind: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    command = [str(DEFAULT.folder / "ansible-doc"), "--json", "-t", kind, *(f"{COLLECTION}.{name}" for name in names)]
    environ = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(DEFAULT.collections), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    return {name.removeprefix(f"{COLLECTION}."): found for name, found in json.loads(done.stdout).items()}


def doc(name: str) -> dict[str, Any]:
    """The documentation of a module."""
    found: dict[str, Any] = documentation()[f"module {name}"]["doc"]
    return found


def returns(name: str) -> dict[str, Any]:
    """The documented keys of a module's result."""
    found: dict[str, Any] = documentation()[f"module {name}"]["return"]
    return found
