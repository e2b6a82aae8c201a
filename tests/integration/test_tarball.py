# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published tarball: it contains what users need, and all of it runs without the checkout."""

from __future__ import annotations

import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.awx.setup import Controller, Setup, credentials
from support.canaries import leaks
from support.checkout import CHECKOUT, built, copied, installed, packed
from support.cores import DEFAULT, Core
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route, finished
from support.roles import NAMES, PLAYBOOKS, every_playbook, tally
from support.surroundings import documented

if TYPE_CHECKING:
    from lab.client import Lab

# What users need, by kind. Any other path must not be in the tarball.
KINDS = (
    r"(MANIFEST|FILES)\.json",
    r"LICENSE|[A-Z_]+\.md",
    r"changelogs/changelog\.yaml|CHANGELOG\.rst",
    r"docs/(?!docsite/)([a-z_]+/)*\w+\.(md|png|svg)",
    # Ansible's own docs site uses it for the links of the collection's pages.
    r"docs/docsite/links\.yml",
    r"extensions/awx/([a-z_]+/)*[\w-]+\.(md|yml)",
    r"extensions/eda/plugins/(event_source|plugin_utils)/\w+\.py",
    r"extensions/eda/rulebooks/\w+\.yml",
    r"meta/(runtime|execution-environment)\.yml|meta/ee-requirements\.txt",
    r"playbooks/((tasks|vars)/)?\w+\.yml",
    r"plugins/(action|doc_fragments|filter|lookup|module_utils|modules|plugin_utils)/([a-z_]+/)*\w+\.py",
    r"roles/\w+/(README\.md|(defaults|handlers|meta|tasks|vars)/([a-z_]+/)*\w+\.yml|templates/[\w.]+\.j2)",
    # The Python versions that a reviewer's ansible-test uses.
    r"tests/config\.yml",
)
# Everything in these folders is needed.
WHOLE = ("extensions/awx", "extensions/eda", "meta", "playbooks", "plugins", "roles")
# Files of developers and their tools, in the places where they leave them.
LITTER = (
    ".ansible/tmp/a",
    ".coverage",
    ".coverage.host.1",
    ".editorconfig",
    ".env",
    ".hypothesis/a",
    ".lab.env",
    ".lab.json",
    ".mypy_cache/a",
    ".pytest_cache/a",
    ".ruff_cache/a",
    ".venv/bin/python",
    ".vscode/settings.json",
    "plugins/modules/.token_set.py.swp",
    "plugins/module_utils/_core/__pycache__/token.cpython-311.pyc",
    "changelogs/.plugin-cache.yaml",
    "demo-report.html",
    "dist/sddc-tokens-0.0.1.tar.gz",
    "roles/token_report/.DS_Store",
    "sddc-tokens-0.0.1.tar.gz",
    "tests/output/junit/a.xml",
    "tests/unit/.pytest_cache/a",
    "playbooks/rotate_tokens.retry",
)
UNUSED = "sddc.tokens.revoke_unused_api_tokens"
TYPES = ("module", "lookup", "filter")
ROUTES = [
    pytest.param(IN_PROCESS, id=IN_PROCESS.name),
    pytest.param(AS_MODULE, id=AS_MODULE.name, marks=pytest.mark.slow),
]


def content(tarball: Path) -> dict[str, str]:
    """The files of a tarball with their checksums, as listed by ansible-galaxy."""
    with tarfile.open(tarball) as archive:
        listing = archive.extractfile("FILES.json")
        assert listing is not None
        files = json.load(listing)["files"]
    return {file["name"]: file["chksum_sha256"] for file in files if file["ftype"] == "file"}


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("tarball"))


@pytest.fixture(scope="module")
def collection(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the installed collection, in an empty path."""
    return installed(tarball, tmp_path_factory.mktemp("empty"))


def reading(core: Core, collection: Path) -> Core:
    """The core, with the installed collection as the only one."""
    return replace(core, collections=collection.parents[2])


def test_the_tarball_contains_what_users_need_and_nothing_else(tarball: Path, tmp_path: Path) -> None:
    files = content(tarball)
    with tarfile.open(tarball) as archive:
        members = {member.name for member in archive if member.isfile()}

    assert members - set(files) == {"MANIFEST.json", "FILES.json"}
    assert [name for name in files if not any(re.fullmatch(kind, name) for kind in KINDS)] == []
    copied(copy := tmp_path / "copy")
    needed = {str(path.relative_to(copy)) for folder in WHOLE for path in (copy / folder).rglob("*") if path.is_file()}
    assert needed - set(files) == set()


def test_a_tarball_of_a_checkout_in_use_has_the_same_content(tarball: Path, tmp_path: Path) -> None:
    copied(copy := tmp_path / "copy")
    for name in LITTER:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("litter")
    (tmp_path / "other").mkdir()

    assert content(packed(copy, tmp_path / "other")) == content(tarball)


def plugins() -> dict[str, set[str]]:
    """The plugins of the checkout by their type."""
    folders = {"module": "modules", "lookup": "lookup", "filter": "filter"}
    return {
        kind: {f"sddc.tokens.{path.stem}" for path in (CHECKOUT / "plugins" / folders[kind]).glob("*.py")}
        for kind in TYPES
    }


def told(core: Core, folder: Path, *arguments: str) -> Any:
    """The output of ansible-doc for the collection."""
    done = finished([str(core.folder / "ansible-doc"), "--json", *arguments], folder, core, {})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_installed_collection_documents_every_plugin_and_role(core: Core, collection: Path, tmp_path: Path) -> None:
    core = reading(core, collection)

    for kind, names in plugins().items():
        documents = told(core, tmp_path, "-t", kind, *names)
        assert set(documents) == names
        assert all(document["doc"]["filename"].startswith(str(collection)) for document in documents.values())
    roles = told(core, tmp_path, "-t", "role", *(f"sddc.tokens.{name}" for name in NAMES))
    assert {name.removeprefix("sddc.tokens.") for name in roles} == set(NAMES)
    assert all(role["path"].startswith(str(collection)) for role in roles.values())


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("route", ROUTES)
def test_every_plugin_of_the_installed_collection_runs_as_its_examples_show(
    ansible: Ansible, lab: Lab, collection: Path, core: Core, route: Route
) -> None:
    core = reading(core, collection)
    environ, arguments = documented(lab, ansible.folder)
    names = {name: kind for kind, found in plugins().items() for name in found}
    documents = {kind: told(core, ansible.folder, "-t", kind, *found) for kind, found in plugins().items()}
    (ansible.folder / "route.json").write_text(json.dumps(dict(route.variables)))

    for name, kind in names.items():
        (ansible.folder / "examples.yml").write_text(documents[kind][name]["examples"])
        run = ansible.playbook(
            "examples.yml", core=core, arguments=[*arguments, "-e", "@route.json", "-vvv"], environ=environ
        )

        assert run.returncode == 0, run.output
        sent = {
            f"sddc.tokens.{module}"
            for module in re.findall(rf"Using module file {collection}/\S+/(\w+)\.py", run.output)
        }
        if kind == "module":
            assert f"{name}:" in documents[kind][name]["examples"]
            assert (name in sent) != route.in_process
        assert not [path for path in (CHECKOUT / "plugins", DEFAULT.collections) if str(path) in run.output]
        assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []
    assert lab.requests()


@pytest.mark.slow
def test_every_role_of_the_installed_collection_runs_with_its_playbook(
    ansible: Ansible, lab: Lab, collection: Path, core: Core
) -> None:
    run = every_playbook(ansible, lab, "-vv", core=reading(core, collection))

    assert run.returncode == 0, run.output
    assert tally(run, "localhost")["failed"] == 0
    for role in PLAYBOOKS:
        assert f"{collection}/roles/{role}/tasks/main.yml" in run.output, role
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


@pytest.mark.slow
def test_the_installed_collection_sets_up_awx(lab: Lab, collection: Path, tmp_path: Path) -> None:
    awx = DEFAULT.collections / "ansible_collections" / "awx"
    (collection.parents[1] / "awx").symlink_to(awx)
    controller = Controller(lab, "127.0.0.1", collection / "extensions" / "awx" / "project")

    run = Setup(controller, tmp_path, reading(DEFAULT, collection), awx_setup_credentials=credentials(lab)).run()

    assert run.returncode == 0, run.output
    assert controller.objects("job_templates")


@pytest.mark.slow
def test_the_installed_collection_lists_unused_api_tokens(ansible: Ansible, lab: Lab, collection: Path) -> None:
    environ, arguments = documented(lab, ansible.folder)

    run = ansible.playbook(UNUSED, core=reading(DEFAULT, collection), arguments=arguments, environ=environ)

    assert run.returncode == 0, run.output
    assert lab.requests()


def test_every_playbook_of_the_collection_is_run_here() -> None:
    run_here = {*PLAYBOOKS.values(), UNUSED, "sddc.tokens.awx_setup"}

    assert {f"sddc.tokens.{path.stem}" for path in CHECKOUT.glob("playbooks/*.yml")} == run_here
