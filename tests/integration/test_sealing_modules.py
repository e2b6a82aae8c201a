# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module in every situation, and everything that a run leaves, searched for every secret.

Output of roles is in test_roles.py, that of playbooks and AWX jobs in test_playbooks.py and test_awx_jobs.py.
"""

from __future__ import annotations

import itertools
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER, KITS
from support import canary_plays
from support.canaries import leaks
from support.cores import ALL, DEFAULT, Core
from support.playbooks import AS_MODULE, OVER_SSH, Ansible, Route, Run, Task
from support.tasks import failing
from support.witnesses import RunByRunner, command_lines, syslog, why_no_syslog

if TYPE_CHECKING:
    from lab.client import Lab

CALLBACKS = {
    "default": {},
    "json": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
    "jsonl": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.jsonl"},
}
DEMO, MACHINES = (Path(__file__).resolve().parents[1] / "lab" / name for name in ("demo.yml", "demo_machines.yml"))
OUR_LINE = re.compile(rf"ansible-(?:sddc\.tokens\.)?(?:{'|'.join(KITS)}|token)_\w+: ")
# All other plugins that write, at the same time.
WRITING = {
    "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit,ansible.builtin.tree,ansible.posix.profile_tasks",
    "JUNIT_OUTPUT_DIR": "written/junit",
    "ANSIBLE_CALLBACK_TREE_DIR": "written/tree",
    "ANSIBLE_LOG_PATH": "written/ansible.log",
}


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files whose path is short enough for the sockets of newer cores."""
    with tempfile.TemporaryDirectory(prefix="seal-") as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Scene:
    """The folder of a play with canaries, and all files that it leaves."""

    ansible: Ansible
    lab: Lab
    temporary: Path

    def play(
        self,
        tasks: Sequence[Task],
        *arguments: str,
        answers: Iterable[str] = canary_plays.SOME,
        callback: str = "default",
        **keywords: Any,
    ) -> Run:
        """Run the tasks at the highest verbosity, with all logs and callbacks of Ansible enabled."""
        self.ansible.variables.update(
            wrong=canary_plays.WRONG,
            generated_name=canary_plays.GENERATED,
            places=canary_plays.answering(self.lab, *answers),
        )
        (self.ansible.folder / "written").mkdir()
        environ = {**CALLBACKS[callback], **WRITING, "TMPDIR": str(self.temporary)}
        environ["ANSIBLE_REMOTE_TMP"] = str(self.temporary / "remote")
        run = self.ansible.play(tasks, environ=environ, arguments=["-vvvv", *arguments], records=False, **keywords)
        assert run.returncode == 0, run.output[-3000:]
        return run

    def shown(self, run: Run, **more: str) -> list[str]:
        """The secrets in the output and the written files, and in what is left in the home and temporary folders."""
        paths = [path for folder in (self.ansible.folder / "home", self.temporary) for path in folder.rglob("*")]
        left = {str(path): path.read_text(errors="replace") for path in paths if path.is_file()}
        quoted = [kit.quoted for kit in KITS.values() if kit.quoted]
        mine = [*canary_plays.WRONG.values(), canary_plays.GENERATED, *quoted]
        secrets = [*mine, *(secret["value"] for secret in self.lab.secrets())]
        return leaks({"stdout": run.stdout, "stderr": run.stderr, **run.written, **left, **more}, secrets)


@pytest.fixture
def scene(ansible: Ansible, lab: Lab, temporary: Path) -> Scene:
    return Scene(ansible, lab, temporary)


def assert_all_was_done(scene: Scene, run: Run) -> None:
    """Check that the play did its work: every product created tokens or did its work, and refused requests, too."""
    for kit in KITS.values():
        assert scene.lab.counts(kit.name)[kit.done] > 0, kit.name
    assert len(re.findall(r'\.\.\.ignoring|"failed": ?true', run.output)) > 20


def test_no_module_shows_a_secret_in_any_output_or_file_of_ansible(scene: Scene, core: Core) -> None:
    # The slow test below has all of them on all cores.
    answers = canary_plays.ANSWERS if core is DEFAULT else canary_plays.SOME

    run = scene.play(canary_plays.everything(), "--diff", answers=answers, core=core)

    assert scene.shown(run) == []
    assert_all_was_done(scene, run)
    assert {Path(path).parts[0] for path in run.written} == {"ansible.log", "junit", "tree"}, "all of them wrote"


def test_no_module_shows_a_secret_in_syslog_or_the_list_of_processes(scene: Scene) -> None:
    if reason := why_no_syslog():
        pytest.skip(reason)
    shout: Task = {"name": "Say that the ears are open", "ansible.builtin.command": "echo ears-are-open"}
    refused = [failing(kit.refusals[0]) for kit in KITS.values()]
    tasks = [shout, *canary_plays.tokens(), *refused, *canary_plays.struck([EXAMPLE, ISSUER])]

    with syslog() as lines, command_lines() as seen:
        run = scene.play(tasks, route=AS_MODULE)

    assert any("ears-are-open" in line for line in lines)
    assert any("play.yml" in line for line in seen)
    assert not [line for line in lines if OUR_LINE.search(line)], "our modules write none"
    assert scene.shown(run, syslog="\n".join(lines), processes="\n".join(seen)) == []


@pytest.mark.slow
def test_ansible_runner_stores_no_secret(scene: Scene) -> None:
    by_runner = RunByRunner(scene.ansible.folder, scene.ansible.variables)
    scene = Scene(by_runner, scene.lab, scene.temporary)

    run = scene.play(canary_plays.everything(), "--diff")

    assert scene.shown(run) == []
    assert_all_was_done(scene, run)
    assert sum("job_events" in path for path in run.written) > 100


WAYS = {
    "json with diff": ("json", ["--diff"]),
    "jsonl": ("jsonl", []),
    "default with check and diff": ("default", ["--check", "--diff"]),
    "json with check": ("json", ["--check"]),
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("core", ALL, ids=lambda core: f"core {core.version}", indirect=True)
@pytest.mark.parametrize(("callback", "arguments"), WAYS.values(), ids=WAYS)
def test_no_callback_shows_a_secret_with_or_without_diff_and_check(
    scene: Scene, core: Core, callback: str, arguments: list[str]
) -> None:
    tasks = canary_plays.everything()

    run = scene.play(
        [failing(task) if "block" not in task else task for task in tasks],
        *arguments,
        answers=[*canary_plays.ANSWERS, *canary_plays.LATE],
        core=core,
        callback=callback,
    )

    assert scene.shown(run) == []
    if "--check" in arguments:
        assert not any(scene.lab.counts(product).get("tokens_minted") for product in KITS)
    else:
        assert_all_was_done(scene, run)


PARTS: dict[str, Callable[[], list[Task]]] = {
    "what works": canary_plays.successes,
    "what is refused": lambda: [*canary_plays.tokens(), *canary_plays.refusals()],
    "what is struck": lambda: [*canary_plays.tokens(), *canary_plays.struck()],
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("core", ALL, ids=lambda core: f"core {core.version}", indirect=True)
@pytest.mark.parametrize("route", [AS_MODULE, OVER_SSH], ids=lambda route: route.name)
@pytest.mark.parametrize("part", PARTS)
def test_no_module_shows_a_secret_on_another_route(scene: Scene, core: Core, route: Route, part: str) -> None:
    callback = "jsonl" if route is OVER_SSH and part == "what is refused" else "default"

    run = scene.play(PARTS[part](), "--diff", core=core, route=route, callback=callback)

    assert scene.shown(run) == []
    if callback == "default":
        assert "EXEC" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize("core", ALL, ids=lambda core: f"core {core.version}", indirect=True)
def test_the_demo_shows_no_secret(scene: Scene, core: Core) -> None:
    folder = scene.ansible.folder
    (folder / "written").mkdir()
    details = folder / "lab.json"
    for state, playbook in itertools.product(("present", "present", "absent"), (DEMO, MACHINES)):
        details.write_text(json.dumps({"lab": scene.lab.details, "demo_folder": str(folder), "demo_state": state}))
        run = scene.ansible.playbook(
            playbook,
            core=core,
            environ={**WRITING, "TMPDIR": str(scene.temporary)},
            arguments=["-vvvv", "--diff", "--extra-vars", f"@{details}"],
        )
        assert run.returncode == 0, run.output[-3000:]
        assert scene.shown(run) == []
    assert scene.lab.counts(EXAMPLE.name, EXAMPLE.host)["tokens_revoked"] > 0
