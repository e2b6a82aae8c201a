# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment in which the hosts of the documentation exist."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from products import KITS

if TYPE_CHECKING:
    from lab.client import Lab


def surroundings(lab: Lab) -> dict[str, str]:
    """The environment in which the hosts of the documentation exist, and their CA certificate is trusted."""
    hosts = {kit.name: kit.host for kit in KITS.values()}
    return {"https_proxy": lab["proxy"]["url"], "SSL_CERT_FILE": lab.ca_path, **environment(lab, hosts)}


def environment(lab: Lab, hosts: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables with the products, at their own addresses or on these hosts, and their credentials."""
    found: dict[str, str] = {}
    for kit in KITS.values():
        details = {**lab[kit.name], "host": hosts[kit.name] if hosts else lab[kit.name]["url"]}
        found |= {variable: details[name] for variable, name in kit.environment.items()}
    return found


def variables(lab: Lab) -> dict[str, Any]:
    """The variables that the examples expect from the inventory."""
    return {name: lab[kit.name][detail] for kit in KITS.values() for name, detail in kit.variables.items()}


def documented(lab: Lab, folder: Path) -> tuple[dict[str, str], list[str]]:
    """Prepare a folder and the lab for the examples of the documentation. Return the environment and the arguments."""
    for kit in KITS.values():
        kit.prepare_examples(lab)
    (folder / "home" / ".sddc").mkdir(parents=True)
    (folder / "variables.yml").write_text(yaml.safe_dump(variables(lab)))
    return {**surroundings(lab), "no_proxy": "127.0.0.1"}, ["-e", "@variables.yml"]


def exports(lab: Lab) -> str:
    """The same for a shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in surroundings(lab).items())
