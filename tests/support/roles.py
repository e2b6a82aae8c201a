# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles in a play: each with the lab's details, its results, and the caller's task files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from products import ISSUER, KITS
from support.checkout import CHECKOUT
from support.cores import DEFAULT, Core
from support.kit import Kit, Role
from support.playbooks import Ansible, Run, Task
from support.surroundings import surroundings

if TYPE_CHECKING:
    from lab.client import Lab

NAMES = tuple(sorted(path.name for path in CHECKOUT.glob("roles/*")))

# One for each role, in the order in which they run here.
PLAYBOOKS = {
    yaml.safe_load(path.read_text())[0]["roles"][0]["role"].removeprefix("sddc.tokens."): f"sddc.tokens.{path.stem}"
    for path in sorted(CHECKOUT.glob("playbooks/*.yml"))
    if "roles" in yaml.safe_load(path.read_text())[0]
}
# By role: the product that it uses, and the facts in the kit of the product.
OF_KITS: Mapping[str, tuple[Kit, Role]] = {
    name: (kit, role) for kit in KITS.values() for name, role in kit.roles.items()
}
# The details of the lab for each role, by options without the prefix of the role.
LAB: Mapping[str, Mapping[str, Any]] = {
    "token_rotation": {},
    **{name: {**role.lab, "ca_path": "{{ ca_path }}"} for name, (_kit, role) in OF_KITS.items()},
}


def options_of(name: str) -> dict[str, Any]:
    """The variables of a role by their names, from its specification."""
    spec = yaml.safe_load((CHECKOUT / "roles" / name / "meta" / "argument_specs.yml").read_text())
    options: dict[str, Any] = spec["argument_specs"]["main"]["options"]
    return options


def values(name: str, **options: Any) -> dict[str, Any]:
    """The variables of a role: those of the lab, then the given ones, without those that are None."""
    given = {**LAB[name], **options}
    return {f"{name}_{option}": value for option, value in given.items() if value is not None}


def role(name: str, **options: Any) -> Task:
    """A task that includes a role of this collection."""
    return {
        "name": f"Role {name}",
        "ansible.builtin.include_role": {"name": f"sddc.tokens.{name}"},
        "vars": values(name, **options),
    }


def play(ansible: Ansible, tasks: Sequence[Task], *, keep: Iterable[str] = (), **keywords: Any) -> Run:
    """Run a play and record the results of its roles, and the variables `keep` at its end."""
    names = [*(f"{name}_result" for name in LAB), *keep]
    # A task that does nothing: it provides a name for the record and registers nothing.
    kept = [{"name": "Keep", "ansible.builtin.meta": "noop", "register": name} for name in names]
    return ansible.play([*tasks, *kept], **keywords)


def task_file(ansible: Ansible, path: str, tasks: Sequence[Task]) -> str:
    """Write a caller's task file below the folder of the playbook, and return the given path."""
    file = ansible.folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(list(tasks), sort_keys=False))
    return path


def every_playbook(ansible: Ansible, lab: Lab, *arguments: str, core: Core = DEFAULT, **further: Any) -> Run:
    """Run all playbooks at once, each by its name, in the environment of the documentation."""
    values: dict[str, Any] = {}
    for name, (_kit, role) in OF_KITS.items():
        values |= {f"{name}_{option}": value for option, value in role.needed.items()}
        if role.task:
            # Relative to the working directory: no file can be beside a playbook of a collection.
            values[f"{name}_tasks"] = task_file(ansible, f"tasks/{name}.yml", [role.task])
    values |= {
        "token_rotation_tokens": [{"product": ISSUER.name, "token_file": "~/.sddc/issuer.json"}],
        "token_report_paths": ["~/.sddc"],
        "token_report_json_file": "~/report.json",
        **further,
    }
    (ansible.folder / "home" / ".sddc").mkdir(parents=True)
    (ansible.folder / "values.yml").write_text(yaml.safe_dump(values))
    first, *others = sorted(PLAYBOOKS.values(), reverse=True)
    arguments = (*others, "-e", "@values.yml", *arguments)
    return ansible.playbook(first, arguments=arguments, environ=surroundings(lab), core=core)


def note(register: str, name: str) -> Task:
    """Save the result of a role before another inclusion replaces it."""
    return {"name": f"Note {register}", "ansible.builtin.set_fact": {register: f"{{{{ {name}_result }}}}"}}


def mended(*tasks: Task) -> Task:
    """Tasks of which one may fail. The play continues, and `ansible_failed_result` has the reason."""
    rescue: Task = {"name": "Go on", "ansible.builtin.meta": "noop"}
    return {"name": "Some tasks", "block": list(tasks), "rescue": [rescue]}


def tally(run: Run, host: str = "sddc") -> Counter[str]:
    """The play recap of a host (ok, changed, failed and so on), summed over several playbooks."""
    recaps = [line for line in run.stdout.splitlines() if line.startswith(f"{host} ") and "unreachable=" in line]
    assert recaps, run.output
    counts = (word.split("=") for line in recaps for word in line.split(":", 1)[1].split())
    return sum((Counter({name: int(count)}) for name, count in counts), Counter())
