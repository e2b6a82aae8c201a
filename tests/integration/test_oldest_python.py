# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module on a managed node with the oldest supported Python and `requests`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER
from support.canaries import leaks
from support.cores import CORES
from support.playbooks import AS_MODULE, Ansible, Route
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

OLDEST = CORES / "oldest-requests"


@pytest.fixture
def old_host() -> Route:
    """The module route with the oldest Python."""
    python = OLDEST / "bin" / "python"
    if not python.exists():
        skipped = OLDEST / "skipped"
        pytest.skip(skipped.read_text().strip() if skipped.exists() else "the oldest Python is not installed")
    return Route("on an old host", {**AS_MODULE.variables, "ansible_python_interpreter": str(python)})


def test_tokens_are_stored_and_certificates_compared_with_the_oldest_python_and_requests(
    ansible: Ansible, lab: Lab, old_host: Route
) -> None:
    bad: dict[str, Any] = {
        kind: lab.url(EXAMPLE.name, lab.add_addresses(1, certificate=kind)[0]) for kind in ("wrong_name", "untrusted")
    }
    tasks = [
        EXAMPLE.task("created", token_file="{{ playbook_dir }}/token.json"),
        EXAMPLE.task("reused", token_file="{{ playbook_dir }}/token.json"),
        ISSUER.task("exchanged"),
        *(failing(EXAMPLE.task(kind, hostname=url)) for kind, url in bad.items()),
        failing(EXAMPLE.task("dropped")),
    ]
    lab.fault(EXAMPLE.name, "drop_after", method="POST", path="/auth/token$", skip=1)

    run = succeeded(ansible.play(tasks, route=old_host))

    assert [run[name]["action"] for name in ("created", "reused", "exchanged")] == ["created", "reused", "created"]
    assert "is not trusted: IP address mismatch" in run["wrong_name"]["msg"]
    assert "Set hostname to a name" in run["wrong_name"]["msg"]
    assert "is not trusted" in run["untrusted"]["msg"]
    assert "may be left on the server" in run["dropped"]["msg"]
    assert not [
        entry for kind in bad for entry in lab.requests(EXAMPLE.name, host=bad[kind].split("/")[2].split(":")[0])
    ]
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []
