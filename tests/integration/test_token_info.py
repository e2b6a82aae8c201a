# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The read-only plugins of the control node: the module token_info, and the filters."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUERS
from support.canaries import leaks
from support.playbooks import Ansible, Task, module
from support.tasks import change_settings, checked, failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

FOLDER = "{{ playbook_dir }}/tokens"
FILE = f"{FOLDER}/kept.json"


def token_files(register: str, *paths: str, **options: Any) -> Task:
    """The module token_info."""
    return module("token_info", register, paths=list(paths), **options)


def test_token_files_and_folders_are_described_without_secrets_in_every_state(ansible: Ansible, lab: Lab) -> None:
    folder = ansible.folder / "tokens"
    folder.mkdir()
    damaged = folder / "damaged.json"
    damaged.write_text('{"version": 1, "token": "left-over-of-a-token')
    damaged.chmod(0o600)
    os.symlink(damaged, folder / "link.json")
    (folder / "notes.txt").write_text("no token file")
    before = sorted(path.name for path in folder.iterdir())
    tasks = [
        ISSUERS[0].task("kept", token_file=FILE),
        EXAMPLE.task("other", token_file=f"{FOLDER}/other.json"),
        change_settings(ISSUERS[1].name, lifetime=4),
        ISSUERS[1].task("expired", token_file=f"{FOLDER}/past.json", min_remaining=0, verify=False),
        {"name": "Wait", "ansible.builtin.pause": {"seconds": 4}},
        token_files("listed", FOLDER, f"{FOLDER}/none.json", FILE),
        checked(token_files("demanding", FILE, min_remaining=86400)),
        failing(token_files("misspelt", FILE, min_remaining=-1)),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    found = {item["path"].rpartition("/")[2]: item for item in run["listed"]["token_files"]}
    assert list(found) == ["damaged.json", "kept.json", "link.json", "other.json", "past.json", "none.json"]
    assert len(run["listed"]["token_files"]) == len(found), "a file named twice is reported once"
    assert {name: item["usable"] for name, item in found.items()} == {
        **dict.fromkeys(found, False),
        **dict.fromkeys(("kept.json", "other.json"), True),
    }
    entry, kept = found["kept.json"], run["kept"]
    facts = ("issued_at", "expires_at", "fingerprint")
    assert [entry[key] for key in facts] == [kept[key] for key in facts]
    assert entry["product"] == ISSUERS[0].name
    assert entry["host"] == lab[ISSUERS[0].name]["url"].removeprefix("https://")
    assert entry["principal"].startswith("API token ")
    assert entry["error"] is None
    assert kept["expires_in"] - 60 <= entry["expires_in"] <= kept["expires_in"]
    assert (found["past.json"]["expires_in"], found["past.json"]["error"]) == (0, None)
    assert "is damaged" in found["damaged.json"]["error"]
    assert "symbolic link" in found["link.json"]["error"]
    assert found["none.json"]["error"] == f"There is no file {folder / 'none.json'}."
    assert run["demanding"]["token_files"][0]["usable"] is True, "a lifetime below one day counts with half of it"
    assert (run["listed"]["changed"], run["listed"]["request_count"]) == (False, 0)
    assert "min_remaining must be a number of seconds" in run["misspelt"]["msg"]
    made = {f"{name}.json{end}" for name in ("kept", "other", "past") for end in ("", ".lock")}
    assert {path.name for path in folder.iterdir()} == {*before, *made}, "reading does not change the folder"
    secrets = [value["value"] for value in lab.secrets()]
    told = {"registered": json.dumps(run["listed"]), "output": run.output}
    assert leaks(told, ["left-over-of-a-token", *secrets]) == []


@pytest.mark.parametrize("wrong", ["not-a-jwt-but-a-secret-text", ["a-list-of-a-secret-text"], ""])
def test_the_filters_show_claims_and_fingerprints_and_their_errors_do_not_quote_the_token(
    ansible: Ansible, lab: Lab, wrong: Any
) -> None:
    facts = {
        "claims": "{{ issued.token | sddc.tokens.jwt_claims }}",
        "mark": "{{ issued.token | sddc.tokens.token_fingerprint }}",
        "fingerprint": "{{ issued.fingerprint }}",
    }
    ansible.variables["wrong"] = wrong
    debug = "ansible.builtin.debug"
    tasks: list[Task] = [
        ISSUERS[1].task("issued"),
        {"name": "Show", debug: {"msg": facts}, "register": "shown"},
        {"name": "Fail", debug: {"msg": "{{ wrong | sddc.tokens.jwt_claims }}"}, "register": "no_jwt"},
        {"name": "Fail", debug: {"msg": "{{ wrong | sddc.tokens.token_fingerprint }}"}, "register": "no_token"},
    ]

    run = succeeded(ansible.play([*tasks[:2], *map(failing, tasks[2:])]))

    shown = run["shown"]["msg"]
    payload = run["issued"]["token"].split(".")[1]
    assert shown["claims"] == json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert {"iss", "sub", "exp"} <= set(shown["claims"])
    assert shown["mark"] == shown["fingerprint"] == hashlib.sha256(run["issued"]["token"].encode()).hexdigest()[:12]
    assert "the input is not a JWT with claims" in run["no_jwt"]["msg"]
    if isinstance(wrong, str) and wrong:
        assert run["no_token"]["msg"] == hashlib.sha256(wrong.encode()).hexdigest()[:12]
    else:
        assert "the input is not a token" in run["no_token"]["msg"]
    assert "secret-text" not in run.output
    assert run["issued"]["token"] not in run.output
