# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real cluster of OpenBao whose standby answers reads a moment late, and machines that use either node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.plugins.module_utils._operations import vault_store
from products import EXAMPLE
from support import bao as bao_server
from support.bao import Bao
from support.in_process import Done
from support.shared_token import KEEP, RENEW, REVOKE, SharedToken

if TYPE_CHECKING:
    from lab.client import Lab

pytestmark = pytest.mark.slow
ROUNDS, MACHINES = 20, 20


@pytest.fixture(autouse=True)
def _machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thread is a machine of its own: without the local lock."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(vault_store, "_local_lock", lambda *_arguments: nullcontext())


@pytest.fixture(scope="module")
def nodes(real_bao: Bao) -> Iterator[tuple[Bao, Bao]]:
    binary = bao_server.executable()
    assert binary is not None
    with bao_server.running_cluster(binary, Path(real_bao.ca_path).parent) as nodes:
        yield nodes


@pytest.fixture
def token(lab: Lab, nodes: tuple[Bao, Bao], tmp_path: Path) -> SharedToken:
    token = SharedToken(lab, nodes[0], f"sddc/{tmp_path.name}")
    token.keep_history()
    return token


@pytest.fixture
def when_stored(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """A function that lets something happen in the middle of each task that follows: when it has stored its token."""

    def register(act: Callable[[], object]) -> None:
        original, is_busy = Session._exchange, [False]

        def exchange(session: Session, call: Any, headers: Any) -> Any:
            response = original(session, call, headers)
            written = (call.arguments["json"] or {}).get("data", {})
            if "superseded_token" in written and "lease_holder" not in written and not is_busy[0]:
                is_busy[0] = True
                act()
                is_busy[0] = False
            return response

        monkeypatch.setattr(Session, "_exchange", exchange)

    return register


WhenStored = Callable[[Callable[[], object]], None]


def _is_behind(standby: Bao, leader: Bao, path: str) -> bool:
    """Whether the standby shows another version than the leader."""
    shown, latest = (node.do("GET", f"secret/data/{path}")["data"]["metadata"]["version"] for node in (standby, leader))
    return bool(shown < latest)


def test_a_standby_that_still_shows_a_revoked_token_leads_to_the_new_one(
    token: SharedToken, nodes: tuple[Bao, Bao], when_stored: WhenStored
) -> None:
    leader, standby = nodes
    token.run()
    stale: list[bool] = []
    others: list[Done] = []

    def use_the_standby() -> None:
        stale.append(_is_behind(standby, leader, token.path))
        others.append(token.run(KEEP, url=standby.address))

    when_stored(use_the_standby)
    for _round in range(ROUNDS):
        token.lab.revoke_tokens(EXAMPLE.name, token.host)
        renewed = token.run(RENEW, url=leader.address)
        other = others[-1].result
        assert not other.get("failed"), other["msg"]
        assert (other["action"], other["fingerprint"]) == ("reused", renewed.result["fingerprint"])

    assert len(others) == ROUNDS
    assert any(stale), "the standby was never behind, so that this test shows nothing"
    assert token.minted() == 1 + ROUNDS
    token.assert_settled()
    token.assert_history()
    print(f"the standby was behind in {sum(stale)} of {ROUNDS} rounds")


def test_a_renewal_on_the_standby_right_after_a_write_on_the_leader_is_not_taken_for_a_lost_lease(
    token: SharedToken, nodes: tuple[Bao, Bao]
) -> None:
    leader, standby = nodes
    token.run()
    stale, requests = 0, 0
    for number in range(ROUNDS):
        found = leader.do("GET", f"secret/data/{token.path}")["data"]
        body = {"options": {"cas": found["metadata"]["version"]}, "data": {**found["data"], "note": str(number)}}
        leader.do("POST", f"secret/data/{token.path}", body)
        stale += _is_behind(standby, leader, token.path)

        run = token.run(RENEW, url=standby.address)

        assert run.result["action"] == "renewed", run.said
        assert token.fields()["note"] == str(number), "the write on the leader was not overwritten"
        requests += run.result["request_count"]
    assert token.minted() == 1 + ROUNDS
    assert stale, "the standby was never behind, so that this test shows nothing"
    token.assert_settled()
    token.assert_history()
    print(f"the standby was behind in {stale} of {ROUNDS} rounds; {requests} requests")


def test_a_standby_that_does_not_show_a_new_document_yet_leads_to_no_change_of_its_settings(
    lab: Lab, nodes: tuple[Bao, Bao], tmp_path: Path
) -> None:
    leader, standby = nodes
    stale = 0
    for number, host in enumerate(lab.add_addresses(ROUNDS)):
        token = SharedToken(lab, leader, f"sddc/{tmp_path.name}-{number}", host)
        token.keep_history()
        versions = leader.do("GET", f"secret/metadata/{token.path}")["data"]["max_versions"]
        stale += not standby.document(token.path)

        run = token.run(KEEP, url=standby.address)

        assert run.result["action"] == "created", run.said
        assert leader.do("GET", f"secret/metadata/{token.path}")["data"]["max_versions"] == versions
    assert stale, "the standby was never behind, so that this test shows nothing"
    print(f"the standby was behind in {stale} of {ROUNDS} rounds")


def test_renewals_by_turns_on_both_nodes_leave_one_token(token: SharedToken, nodes: tuple[Bao, Bao]) -> None:
    for turn in range(ROUNDS):
        run = token.run(RENEW, url=nodes[turn % 2].address)
        assert run.result["action"] == ("renewed" if turn else "created"), run.said

    assert token.minted() == ROUNDS
    token.assert_settled()
    assert token.valid() == 1
    token.assert_history()


def test_what_was_revoked_a_moment_ago_on_the_leader_is_created_anew_on_the_standby(
    token: SharedToken, nodes: tuple[Bao, Bao]
) -> None:
    for _round in range(ROUNDS // 2):
        token.run(KEEP, url=nodes[0].address)
        assert token.run(REVOKE, url=nodes[0].address).result["action"] == "revoked"
        created = token.run(KEEP, url=nodes[1].address)
        # A standby that is behind shows the revoked token, so that the task renews it.
        assert created.result["action"] in ("created", "renewed"), created.said
        token.assert_settled()
        assert token.run(REVOKE, url=nodes[1].address).result["action"] == "revoked"
        assert token.valid() == 0


def test_machines_on_both_nodes_sign_in_once(token: SharedToken, nodes: tuple[Bao, Bao]) -> None:
    with ThreadPoolExecutor(MACHINES) as pool:
        runs = list(pool.map(lambda number: token.run(url=nodes[number % 2].address), range(MACHINES)))

    assert sorted(run.actions[0] for run in runs) == ["created"] + ["reused"] * (MACHINES - 1)
    assert token.minted() == 1
    token.assert_settled()
    token.assert_history()
    print(f"{MACHINES} machines: {sum(run.result['request_count'] for run in runs)} requests")
