# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the developers' pages name exists: files, make targets, and the same targets in every CI system."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from support.checkout import CHECKOUT

MAKEFILE = (CHECKOUT / "Makefile").read_text()
DESCRIBED = dict(re.findall(r"^([a-z-]+):.*## (.+)$", MAKEFILE, re.MULTILINE))
PAGES = [
    *sorted(path.name for path in CHECKOUT.glob("*.md")),
    *sorted(str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "docs").rglob("*.md")),
]
CONTRIBUTING = (CHECKOUT / "CONTRIBUTING.md").read_text()
WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.y*ml"))
# The limit of GitHub for a job without one, in minutes.
GITHUBS_LIMIT = 360
PRE_COMMIT = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())
CHECKS = re.findall(r'^    "(.+?)": \[', (CHECKOUT / "tests" / "tools" / "lint.py").read_text(), re.MULTILINE)
# Sections of a certified README, in their order.
CERTIFIED = (
    *("Description", "Requirements", "Installation", "Use cases", "Testing", "Contributing"),
    *("Communication", "Support"),
    *("Release notes", "Related information", "License information"),
)


def targets(command: str) -> set[str]:
    """The make targets in a line of a shell script."""
    words = shlex.split(command, comments=True)
    return {word for word in words[1:] if re.fullmatch(r"[a-z-]+", word)} if words[:1] == ["make"] else set()


def steps(workflow: Path) -> list[str]:
    """The lines of shell that a workflow runs."""
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    runs = [step["run"] for job in jobs for step in job.get("steps", ()) if "run" in step]
    return [line for run in runs for line in run.splitlines()]


def test_every_make_target_is_documented_and_phony() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)

    assert sorted(phony.split()) == sorted(DESCRIBED)


@pytest.mark.parametrize("page", PAGES)
def test_each_make_target_named_on_a_page_exists(page: str) -> None:
    text = (CHECKOUT / page).read_text()
    named = re.findall(r"`(make [^`\n]+)`", text) + re.findall(r"^(make .+)$", text, re.MULTILINE)

    assert {target for command in named for target in targets(command)} <= set(DESCRIBED)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_only_make_targets(workflow: Path) -> None:
    assert [line for line in steps(workflow) if not targets(line) or not targets(line) <= set(DESCRIBED)] == []


def test_workflows_run_every_make_target_of_the_ci_script() -> None:
    elsewhere = set().union(*(targets(line.partition(" <")[0]) for line in (CHECKOUT / ".ci" / "run").open()))
    here = {target for workflow in WORKFLOWS for line in steps(workflow) for target in targets(line)}

    assert elsewhere
    assert elsewhere <= here


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_have_read_only_permissions_and_every_job_has_a_timeout(workflow: Path) -> None:
    found = yaml.safe_load(workflow.read_text())

    assert found["permissions"] == {"contents": "read"}
    assert [name for name, job in found["jobs"].items() if "permissions" in job] == []
    limits = {name: job.get("timeout-minutes") or 0 for name, job in found["jobs"].items()}
    assert {name: limit for name, limit in limits.items() if not 0 < limit < GITHUBS_LIMIT} == {}


def test_pre_commit_hooks_are_checks_of_make_lint_and_are_not_downloaded() -> None:
    assert [repository["repo"] for repository in PRE_COMMIT["repos"]] == ["local"]
    hooks = PRE_COMMIT["repos"][0]["hooks"]
    assert hooks
    for hook in hooks:
        make, target, argument = shlex.split(hook["entry"])
        variable, _equals, check = argument.partition("=")
        assert (make, target, variable, hook["language"]) == ("make", "lint", "CHECK", "system")
        assert check in CHECKS


@pytest.mark.parametrize(
    ("check", "installs"),
    [
        ("", {"extract_collections.py", "install_cores.py"}),
        ("mypy plugins", set()),
        ("ansible-lint", {"extract_collections.py"}),
        ("ansible-test sanity, default core", set()),
        ("ansible-test sanity, 2.16 core", {"install_cores.py"}),
    ],
)
def test_one_check_of_make_lint_installs_only_what_it_needs(tmp_path: Path, check: str, installs: set[str]) -> None:
    """In a folder with only the Makefile, where no target has been built."""
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    command = ["make", "--dry-run", "lint", f"CHECK={check}"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert set(re.findall(r"tests/tools/(extract_\w+\.py|install_\w+\.py)", done.stdout)) == installs


def test_each_file_that_contributing_names_exists() -> None:
    named = re.findall(r"`([\w.]+/[\w./]*|\w+\.\w+)`", CONTRIBUTING)

    assert [name for name in named if not (CHECKOUT / name).exists()] == []


def test_contributing_names_every_package_of_the_collection() -> None:
    folders = {path.parent.relative_to(CHECKOUT) for path in (CHECKOUT / "plugins").rglob("*.py")}
    leads_to = set(re.findall(r"`(plugins/[\w/]+)/(?:\w+\.py)?`", CONTRIBUTING))

    assert {str(folder) for folder in folders} - leads_to == set()


def test_the_readme_has_the_sections_of_a_certified_collection_in_order_and_absolute_links() -> None:
    readme = (CHECKOUT / "README.md").read_text()

    assert tuple(re.findall(r"^## (.+)$", readme, re.MULTILINE)) == CERTIFIED
    assert [target for target in re.findall(r"\]\(([^)]+)\)", readme) if not target.startswith("https://")] == []


def test_each_file_of_this_repository_linked_from_the_readme_exists() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    named = re.findall(r"https://github\.com/sddc-tokens/sddc\.tokens/(?:blob|tree|raw)/main/([^)#\s>]+)", readme)

    assert named
    assert [name for name in named if not (CHECKOUT / name).exists()] == []
