# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role token_rotation: a list of tokens of any product, each kept valid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from products import ENTRIES, EXAMPLE, ISSUER, KITS, TAKER
from support.canaries import leaks
from support.collection import PRODUCTS
from support.cores import Core
from support.entries import entry
from support.playbooks import Ansible, Run
from support.roles import mended, note, play, role, tally
from support.tasks import change_settings, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

NAME = "token_rotation"
KEYS = ["name", "product", "action", "changed", "expires_at", "expires_in", "fingerprint", "error", "summary"]


def outcomes(result: list[dict[str, Any]]) -> dict[str, str]:
    return {token["name"]: token["action"] for token in result}


def minted(lab: Lab) -> dict[str, int]:
    """The number of tokens that each product has created."""
    return {product: lab.counts(product).get("tokens_minted", 0) for product in PRODUCTS}


def rotation(*tokens: dict[str, Any], **further: Any) -> dict[str, Any]:
    return role(NAME, tokens=list(tokens), **further)


def test_a_token_of_each_product_is_kept_valid_and_the_second_run_changes_nothing(ansible: Ansible, lab: Lab) -> None:
    every = [entry(product) for product in ENTRIES]

    first = succeeded(play(ansible, [rotation(*every)], arguments=["-v"]))
    made = minted(lab)
    second = succeeded(play(ansible, [rotation(*every)], arguments=["-v"]))

    found = {token["product"]: token for token in first[f"{NAME}_result"]}
    assert {name: token["action"] for name, token in found.items()} == {
        name: one.action for name, one in ENTRIES.items()
    }
    assert all(list(token) == KEYS and token["error"] is None and token["changed"] for token in found.values())
    for token in found.values():
        end = f", expires at {token['expires_at']}" if token["expires_at"] else ""
        action = token["action"].replace("none", "unchanged")
        assert token["summary"] == f"{token['name']}: {action}{end}."
    for name, lifetime in ((name, one.options.get("lifetime")) for name, one in ENTRIES.items()):
        assert lifetime is None or lifetime - 400 < found[name]["expires_in"] <= lifetime
    assert f"{len(ENTRIES)} tokens: {len(ENTRIES)} changed, 0 failed, 0 unchanged." in said(first)
    assert f"{len(ENTRIES)} tokens: 0 changed, 0 failed, {len(ENTRIES)} unchanged." in said(second)
    assert tally(second)["changed"] == 0
    assert not any(token["changed"] for token in second[f"{NAME}_result"])
    # Some credentials are only verified by using them, which creates a token of another product.
    used = {product for kit in KITS.values() for product in kit.uses}
    assert {product for product, count in minted(lab).items() if count != made[product]} <= used
    assert [lab.counts(kit.name)[kit.done] for kit in KITS.values() if kit.needs] == [1, 1]
    assert_no_secret(first, lab)
    assert_no_secret(second, lab)


def assert_no_secret(run: Run, lab: Lab) -> None:
    texts = {"output": run.output, "result": str(run[f"{NAME}_result"])}
    assert leaks(texts, [secret["value"] for secret in lab.secrets()]) == []


def test_a_failed_entry_does_not_stop_the_others_and_fails_the_role_at_the_end(ansible: Ansible, lab: Lab) -> None:
    wrong = {"api_token": "wrong-{{ issuer.api_token }}", "token_file": "{{ playbook_dir }}/no.json"}
    tokens = [
        entry(ISSUER.name, name="refused", **wrong),
        entry(TAKER.name, name="nowhere", hostname="https://127.0.0.1:1"),
        entry(EXAMPLE.name, name="good"),
    ]
    lab.fault(EXAMPLE.name, "status", status=400, body={"message": "strange {{ 6 * 7 }}"}, path="token$")

    run = play(ansible, [rotation(*tokens, entry(EXAMPLE.name, name="good again"))], arguments=["-v"])

    assert run.returncode != 0
    refused, nowhere, strange, good = run[f"{NAME}_result"]
    assert "returned status 400" in refused["error"]
    assert "Check api_token" in refused["summary"], "the report says what to do"
    assert "127.0.0.1:1" in nowhere["error"]
    assert "strange {{ 6 * 7 }}" in strange["error"], "text of a server is not a template"
    assert (good["action"], good["error"]) == ("created", None)
    assert [token["changed"] for token in run[f"{NAME}_result"]] == [False, False, False, True]
    assert "4 tokens: 1 changed, 3 failed, 0 unchanged." in said(run)
    assert "3 of 4 tokens failed. refused: Could not" in said(run)
    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 1
    assert_no_secret(run, lab)


def test_the_min_remaining_of_an_entry_overrides_the_common_one_and_revocation_is_optional(
    ansible: Ansible, lab: Lab
) -> None:
    def of(name: str, **further: Any) -> dict[str, Any]:
        return entry(EXAMPLE.name, name=name, token_file=f"{{{{ playbook_dir }}}}/{name}.json", **further)

    tokens = [
        of("plain", revoke_old=True),
        of("modest", min_remaining=100),
        of("kept", revoke_old=False),
        of("trusted", verify=False),
    ]
    tasks = [
        rotation(*tokens),
        change_settings(EXAMPLE.name, clock_offset=10000),
        rotation(*tokens, min_remaining=9000),
        note("second", NAME),
        rotation(*tokens[-1:]),
    ]

    run = succeeded(play(ansible, tasks, keep=["second"]))

    renewed = {"plain": "renewed", "modest": "reused", "kept": "renewed", "trusted": "reused"}
    assert outcomes(run["second"]) == renewed, "without a response, the clock offset of the file is used"
    assert [len(run[name]) for name in ("second", f"{NAME}_result")] == [4, 1], "each inclusion reports its own"
    counts = lab.counts(EXAMPLE.name)
    assert (counts["tokens_revoked"], counts["tokens_valid"]) == (1, 5)
    # Created without verification, and twice taken from the file without a request.
    assert sum(line.startswith("POST") for line in lines(lab.requests(EXAMPLE.name))) == 6


def test_check_mode_predicts_for_every_product_and_creates_nothing(ansible: Ansible, lab: Lab) -> None:
    every = [entry(product) for product in ENTRIES]

    run = succeeded(play(ansible, [rotation(*every)], arguments=["--check"]))

    assert sum(minted(lab).values()) == 0
    signing = re.compile("|".join(sign for kit in KITS.values() for sign in (*kit.signs_in, *kit.signs_out)))
    asked = [f"{entry.method} {entry.path}" for entry in lab.requests()]
    assert [line for line in asked if not line.startswith("GET ") and not signing.search(line)] == []
    assert f"{len(ENTRIES)} tokens: {len(ENTRIES)} changed, 0 failed, 0 unchanged." in said(run)
    assert list(ansible.folder.glob("*.json*")) == []


def test_an_invalid_entry_is_refused_before_anything_is_changed(ansible: Ansible, lab: Lab) -> None:
    good = entry(EXAMPLE.name)
    wrong = [
        {key: value for key, value in good.items() if key != "token_file"},
        {**good, "product": "no-such-product"},
        {**good, "passwort": "do-not-print-this"},
        {**good, "min_remaining": "soon"},
        "password=do-not-print-this",
    ]

    run = succeeded(
        play(ansible, [mended(role(NAME, tokens=[entry(ISSUER.name), bad])) for bad in wrong], arguments=["-v"])
    )

    assert tally(run)["rescued"] == len(wrong)
    assert f"token '{EXAMPLE.name}': set token_file or token_store" in said(run)
    assert f"value of product must be one of: {', '.join(sorted(ENTRIES))}, got: no-such-product" in said(run)
    assert "there is no option passwort. Did you mean password?" in said(run)
    assert "min_remaining" in said(run)
    assert "do-not-print-this" not in run.output
    assert lab.requests() == []


def test_an_option_set_to_omit_counts_as_not_given(ansible: Ansible, lab: Lab, core: Core) -> None:
    omitted = dict.fromkeys(
        ["domain", "domain_type", "verify", "min_remaining"], "{{ no_such_variable | default(omit) }}"
    )

    run = succeeded(play(ansible, [rotation(entry(EXAMPLE.name, **omitted))], core=core))

    assert outcomes(run[f"{NAME}_result"]) == {EXAMPLE.name: "created"}
