# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The promises of all roles: sealed on every core, on many hosts at once, and included more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER, ISSUERS
from support.canaries import leaks
from support.cores import DEFAULT, Core
from support.kit import Kit
from support.playbooks import Ansible, Run, Task
from support.roles import LAB, NAMES, OF_KITS, mended, options_of, play, role, tally, task_file
from support.tasks import succeeded

if TYPE_CHECKING:
    from lab.client import Lab

JSON = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
LOG = {"ANSIBLE_LOG_PATH": "written/ansible.log"}
SECRET = "{{ example.password }}"
(SESSION,) = EXAMPLE.roles


def rotation(kit: Kit, **options: Any) -> dict[str, Any]:
    """An entry of a rotation, with these options instead of the credentials of the lab or in addition to them."""
    file = {"token_file": f"{{{{ playbook_dir }}}}/{kit.name}.json", "ca_path": "{{ ca_path }}"}
    return {"product": kit.name, **kit.server.templates(), **file, **options}


def good_ones() -> list[Task]:
    """Every role with its successful uses."""
    tokens = [rotation(kit) for kit in (ISSUER, EXAMPLE, *ISSUERS[1:])]
    return [
        *(role(name, **options) for name, (_kit, known) in OF_KITS.items() for options in known.successes),
        role("token_rotation", tokens=tokens),
    ]


def bad_ones() -> list[Task]:
    """Every role with its failures: a refused secret, a secret of another type, and one in the wrong option."""
    (key,) = ISSUER.server.credentials
    wrong = [rotation(kit, **{key: f"wrong-{kit.server.templates()[key]}"}) for kit in ISSUERS]
    return [
        *(role(name, **options) for name, (_kit, known) in OF_KITS.items() for options in known.refusals),
        role("token_rotation", tokens=[*wrong, rotation(ISSUER, **{key: {"a": [SECRET]}})]),
        role("token_rotation", tokens=[rotation(EXAMPLE, passwort=SECRET)]),
        role("token_rotation", tokens=[rotation(EXAMPLE, token=SECRET, headers={"Authorization": SECRET})]),
        role("token_rotation", tokens={"product": EXAMPLE.name, "password": SECRET}),
        role("token_rotation", tokens=[f"password={SECRET}"]),
    ]


def write_task_files(ansible: Ansible) -> None:
    handed_over = "{}"
    for _kit, known in OF_KITS.values():
        handed_over = f"{known.secret} | default({handed_over})" if known.secret else handed_over
    secret = f"{{{{ {handed_over} }}}}"
    use: Task = {
        "name": "Use",
        "ansible.builtin.uri": {
            "url": f"{{{{ example.url }}}}{EXAMPLE.guarded}",
            "headers": secret,
            "ca_path": "{{ ca_path }}",
        },
        "no_log": True,
    }
    shout: Task = {"name": "Shout", "ansible.builtin.debug": {"msg": f"shouted: {secret}"}}
    told: Task = {"name": "Tell {{ item }}", "ansible.builtin.debug": {"msg": secret}, "loop": ["first", "second"]}
    task_file(ansible, "use.yml", [use, {"name": "Whisper", "ansible.builtin.debug": {"msg": "the session works"}}])
    task_file(ansible, "shout.yml", [shout, told])
    # A caller's own message with a token cannot be hidden by any role: cores since 2.19 print it despite no_log.
    options = {**use["ansible.builtin.uri"], "status_code": 418}
    task_file(ansible, "fail.yml", [{"name": "Fail", "ansible.builtin.uri": options}])


def assert_sealed(run: Run, lab: Lab) -> None:
    texts = {"stdout": run.stdout, "stderr": run.stderr, **run.written}
    assert leaks(texts, [secret["value"] for secret in lab.secrets()]) == []


@pytest.mark.parametrize(
    ("verbosity", "environ"),
    [pytest.param("-vvvv", LOG, id="default"), pytest.param("-vvv", JSON, id="json", marks=pytest.mark.slow)],
)
def test_no_role_shows_a_secret_on_success_or_failure(
    ansible: Ansible, lab: Lab, core: Core, verbosity: str, environ: dict[str, str]
) -> None:
    (ansible.folder / "written").mkdir()
    write_task_files(ansible)
    tasks = [*good_ones(), *map(mended, bad_ones())]

    run = play(ansible, tasks, core=core, arguments=[verbosity, "--diff"], environ=environ)

    assert run.returncode == 0, run.output[-3000:]
    assert_sealed(run, lab)
    printed = [line for line in run.stdout.splitlines() if "{{" not in line]
    assert "the session works" in run.stdout, "with no_log: false the caller's output is shown"
    assert any("shouted: " in line for line in printed) == core.masks_secrets, (
        "a core that cannot mask hides the caller's output"
    )
    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 1, "that of the rotation"
    for kit, known in OF_KITS.values():
        assert {name: lab.counts(kit.name)[name] for name in known.left} == known.left, kit.name
    if environ is LOG:
        assert tally(run)["rescued"] >= len(bad_ones())


def test_every_role_is_described_in_the_kit_of_its_product_or_works_with_any_product() -> None:
    assert set(NAMES) == {*OF_KITS, "token_report", "token_rotation"}


def test_a_variable_that_is_blank_or_set_to_omit_counts_as_not_set(ansible: Ansible, lab: Lab) -> None:
    """AWX passes an empty string for an unanswered question."""
    task_file(ansible, "nothing.yml", [{"name": "Nothing", "ansible.builtin.meta": "noop"}])
    texts = {
        name: {
            option.removeprefix(f"{name}_"): ""
            for option, spec in options_of(name).items()
            if spec["type"] in ("str", "path") and "default" not in spec
        }
        for name in LAB
    }
    entry = {**dict.fromkeys(["name", "domain", "vidm_token", "ca_path"], ""), **rotation(EXAMPLE)}
    # Before 2.19, a role's specification validates a placeholder, which is a string, for an omitted variable.
    others = ["validate_certs"] if DEFAULT.release >= (2, 19) else []
    omitted = dict.fromkeys(["domain", "vidm_token", *others], "{{ no_such_variable | default(omit) }}")

    def blank(name: str, **further: Any) -> Task:
        return role(name, **{**texts[name], **LAB[name], **further})

    run = succeeded(
        play(
            ansible,
            [
                role(SESSION, **omitted, **OF_KITS[SESSION][1].blank),
                *(blank(name, **known.blank) for name, (_kit, known) in OF_KITS.items()),
                blank("token_rotation", tokens=[entry]),
            ],
        )
    )

    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 1, "that of the rotation"
    for kit, known in OF_KITS.values():
        what, number = known.made
        assert lab.counts(kit.name)[what] == (3 if kit is EXAMPLE else number), kit.name
    assert run["token_rotation_result"][0]["summary"].startswith(f"{EXAMPLE.name}: created")
