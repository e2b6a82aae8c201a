# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building blocks of many plays: keywords of a task, changes of the lab during a play, and the lab's view of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.playbooks import Run, Task

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

# A service instance of the lab, by its path.
INSTANCE_PATH = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"


def checked(task: Task) -> Task:
    """The task in check mode."""
    return {**task, "check_mode": True}


def failing(task: Task) -> Task:
    """The task; the play continues after its failure."""
    return {**task, "ignore_errors": True}


def rescued(task: Task) -> Task:
    """The task in a block whose rescue prints the failure, as users do."""
    told = {"name": "Tell", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}
    return {"name": "Try", "block": [task], "rescue": [told]}


def change_settings(product: str, **values: Any) -> Task:
    """Change settings of a product of the lab."""
    return _control("PATCH", f"/settings/{product}", values)


def act(product: str, action: str, **values: Any) -> Task:
    """Run an action of a product of the lab."""
    return _control("POST", f"/actions/{product}/{action}", values)


def end_tokens(ending: str, product: str) -> Task:
    """Let all tokens of a product be `expired` or `revoked`."""
    return _control("POST", "/tokens", {"ending": ending, "product": product})


def _control(method: str, path: str, body: Any) -> Task:
    return {
        "name": f"{method} {path}",
        "ansible.builtin.uri": {
            "url": "{{ lab.control.url }}" + path,
            "method": method,
            "body": body,
            "body_format": "json",
            "ca_path": "{{ ca_path }}",
        },
    }


def succeeded(run: Run) -> Run:
    """Check that nothing stopped the run, and return it."""
    assert run.returncode == 0, run.output
    return run


def by_task(run: Run, lab: Lab, product: str | None, *names: str) -> dict[str, list[LoggedRequest]]:
    """The log of a product, or of all, split by the request count of each task. No request may be left over."""
    log = lab.requests(product)
    cut = {}
    for name in names:
        count = run[name]["request_count"]
        cut[name], log = log[:count], log[count:]
    assert log == []
    return cut


def lines(requests: list[LoggedRequest]) -> list[str]:
    """Method, path and query of each."""
    return [entry.line for entry in requests]


def says(run: Run, text: str) -> bool:
    """Whether a text was printed. The display of older cores wraps its warnings, at hyphens and within words, too."""
    return "".join(text.split()) in "".join(run.output.split())


def said(run: Run) -> str:
    """The output on one line: the display wraps its warnings."""
    return " ".join(run.output.split())
