# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the network, of clocks and of the store while machines share a token on a real OpenBao.

Two machines are two threads without the local lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Clock
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.plugins.module_utils._operations import vault_store
from products import EXAMPLE
from support.bao import Bao
from support.canaries import leaks
from support.in_process import Done
from support.shared_token import KEEP, MINTS, PATIENCE, RENEW, SharedToken
from support.store_proxy import HARMS, Harm, StoreProxy

if TYPE_CHECKING:
    from lab.client import Lab

# Seconds. What is late is late by more than a lease, its lateness included.
LEASE, LATE = 4.0, 9.0
AT_ONCE = 12


@pytest.fixture(autouse=True)
def _machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(vault_store, "_local_lock", lambda *_arguments: nullcontext())


@pytest.fixture
def token(lab: Lab, bao: Bao, tmp_path: Path) -> SharedToken:
    token = SharedToken(lab, bao, f"sddc/{tmp_path.name}")
    token.keep_history()
    return token


# --- the network -----------------------------------------------------------------------------------------------------


@dataclass
class Cell:
    """One job of which one request to the store is harmed, beside another machine that starts at that moment."""

    token: SharedToken
    job: str
    harm: Harm
    at: int
    runs: list[Done] = field(default_factory=list)
    was_struck: bool = False

    def __call__(self) -> Cell:
        with StoreProxy(self.token.bao, self.harm, self.at, LATE).running() as proxy, ThreadPoolExecutor() as pool:
            struck = pool.submit(self.token.run, self.job, url=proxy.address, lease=LEASE)
            struck.add_done_callback(lambda _future: proxy.struck.set())
            assert proxy.struck.wait(PATIENCE)
            beside = self.token.run(KEEP, lease=LEASE)
            self.runs = [struck.result(), beside]
            self.was_struck = len(proxy.lines) >= self.at
        return self

    @property
    def about(self) -> str:
        said = [f"{run.result.get('action')} {run.said}" for run in self.runs]
        return f"{self.job}, {self.harm} at request {self.at}: {said}"


def _settled(cell: Cell) -> None:
    """After the harm, and one more task where that failed, one token works and no other does."""
    token = cell.token
    for run in cell.runs:
        assert "internal error" not in run.said, cell.about
    recovered = token.run(KEEP, lease=LEASE)
    assert not recovered.result.get("failed"), (cell.about, recovered.message)
    # A task that has returned a token which it could not store may use it until its end.
    used = {run.result["fingerprint"] for run in cell.runs if _was_unstored(run)}
    token.assert_settled(orphans=len(used - {recovered.result["fingerprint"]}), about=cell.about)
    token.assert_private(*cell.runs)


def _was_unstored(run: Done) -> bool:
    return "could not be stored" in run.said and not run.result.get("failed")


def _cells(lab: Lab, bao: Bao, job: str, harms: Sequence[Harm], numbers: Sequence[int], folder: Path) -> list[Cell]:
    cells = []
    chosen = [(harm, number) for harm in harms for number in numbers]
    for (harm, number), host in zip(chosen, lab.add_addresses(len(chosen)), strict=True):
        token = SharedToken(lab, bao, f"sddc/{folder.name}-{harm}-{number}", host)
        if job == RENEW:
            token.keep_history()
            token.run()
        cells.append(Cell(token, job, harm, number))
    return cells


PRODUCT_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "cut": ("drop_before", {}),
    "lost": ("drop_after", {}),
    "late": ("delay", {"seconds": LATE, "work": True}),
    "held": ("delay", {"seconds": LATE}),
}
# The requests to the store of a job: its reads, the set-up of an empty document, and its writes.
REQUESTS = {KEEP: 6, RENEW: 5}


@pytest.mark.slow
@pytest.mark.parametrize("job", REQUESTS)
def test_a_harmed_request_to_the_store_loses_no_token_and_leaves_no_other(
    lab: Lab, bao: Bao, tmp_path: Path, job: str
) -> None:
    numbers = range(1, REQUESTS[job] + 1)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        cells = list(pool.map(lambda cell: cell(), _cells(lab, bao, job, HARMS, numbers, tmp_path)))

    for cell in cells:
        assert cell.was_struck, cell.about
        _settled(cell)
        if job == RENEW:
            cell.token.assert_history()
    failed = [cell for cell in cells if cell.runs[0].result.get("failed")]
    print(f"{job}: {len(cells)} faults, {len(failed)} failed tasks")
    for cell in cells:
        print("  ", cell.about)


@pytest.mark.parametrize("harm", ["lost", "gateway"])
def test_a_lost_response_of_each_write_to_the_store_changes_nothing(
    lab: Lab, bao: Bao, tmp_path: Path, harm: Harm
) -> None:
    for cell in _cells(lab, bao, KEEP, [harm], [3, 5, 6], tmp_path):
        with StoreProxy(bao, cell.harm, cell.at).running() as proxy:
            run = cell.token.run(url=proxy.address)
        assert run.result["action"] == "created", (cell.at, run.said)
        assert run.result["warnings"] == [], cell.at
        assert cell.token.minted() == 1
        settings = bao.do("GET", f"secret/metadata/{cell.token.path}")["data"]
        assert (settings["max_versions"], settings["cas_required"]) == (1, True), cell.at
        cell.token.assert_settled()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "parameters"), PRODUCT_FAULTS.values(), ids=PRODUCT_FAULTS)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_a_harmed_request_to_the_product_leaves_at_most_the_token_whose_response_was_lost(
    token: SharedToken, method: str, kind: str, parameters: dict[str, Any]
) -> None:
    token.run()
    token.lab.fault(EXAMPLE.name, kind, method=method, **parameters)

    run = token.run(RENEW, lease=LEASE)

    token.lab.clear_faults()
    works = kind == "drop_after" or bool(parameters.get("work"))
    orphans = int(method == "POST" and works)
    assert bool(run.result.get("failed")) is (method != "DELETE"), run.said
    recovered = token.run(KEEP, lease=LEASE)
    assert not recovered.result.get("failed"), recovered.message
    token.assert_settled(orphans)
    assert token.run(RENEW, lease=LEASE).result["action"] == "renewed"
    assert token.valid() == 1 + orphans
    token.assert_history()
    token.assert_private(run, recovered)


# --- clocks ----------------------------------------------------------------------------------------------------------


class ShiftedClock(Clock):
    """A clock that is wrong."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return super().time() + self._seconds


@pytest.mark.parametrize("count", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_machines_an_hour_fast_or_slow_sign_in_once(token: SharedToken, count: int) -> None:
    clocks = [ShiftedClock(seconds) for seconds in (-3600.0, 3600.0)] * (count // 2)
    with ThreadPoolExecutor(count) as pool:
        runs = list(pool.map(lambda clock: token.run(clock=clock), clocks))

    assert sorted(run.actions[0] for run in runs) == ["created"] + ["reused"] * (count - 1)
    assert token.minted() == 1
    token.assert_settled()
    token.assert_history()
    for clock in clocks[:2]:
        again = token.run(clock=clock)
        assert again.result["action"] == "reused", "the expiry is judged by the server's time"


def test_a_lease_of_a_machine_an_hour_slow_is_not_over_for_one_an_hour_fast(token: SharedToken) -> None:
    held = {"schema": "1", "lease_holder": "another machine", "lease_seconds": "120"}
    token.bao.do("POST", f"secret/data/{token.path}", {"options": {"cas": 1}, "data": held})

    run = token.run(clock=ShiftedClock(3600), lock_timeout=1)

    assert "Another task has renewed the token" in run.message
    assert token.minted() == 0


# --- the store -------------------------------------------------------------------------------------------------------

READ_AND_WRITE = 'path "secret/data/sddc/*" { capabilities = ["create", "read", "update"] }\n'
READ = 'path "secret/data/sddc/*" { capabilities = ["read"] }\n'


@pytest.fixture
def after_sign_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """A function that lets something happen once, after the product has created a token."""
    return lambda act: _after(monkeypatch, MINTS, act)


def _after(monkeypatch: pytest.MonkeyPatch, line: re.Pattern[str], act: Callable[[], object], number: int = 1) -> None:
    """Let something happen once, after a number of responses to requests with such a line."""
    original, left = Session._exchange, [number]

    def exchange(session: Session, call: Any, headers: Any) -> Any:
        response = original(session, call, headers)
        if line.search(f"{call.method} {call.url}"):
            left[0] -= 1
            if left[0] == 0:
                act()
        return response

    monkeypatch.setattr(Session, "_exchange", exchange)


AfterSignIn = Callable[[Callable[[], object]], None]


def _approle(bao: Bao, policy: str) -> tuple[dict[str, str], Callable[[], object]]:
    """The options of a role, and a function that revokes all tokens that were issued for it."""
    return bao.app_role(policy), bao.revoke_role_tokens


def test_a_token_of_the_store_that_expires_after_the_sign_in_is_renewed(
    token: SharedToken, after_sign_in: AfterSignIn
) -> None:
    role, end_tokens = _approle(token.bao, READ_AND_WRITE)
    after_sign_in(end_tokens)

    run = token.run(store=role)

    assert run.result["action"] == "created", run.said
    assert token.minted() == 1
    token.assert_settled()
    token.assert_history()


@pytest.mark.slow
@pytest.mark.parametrize("return_token", [True, False])
def test_a_given_token_of_the_store_that_ends_after_the_sign_in_leaves_no_token(
    token: SharedToken, after_sign_in: AfterSignIn, return_token: bool
) -> None:
    given = token.bao.token_for(READ_AND_WRITE, "given")
    after_sign_in(lambda: token.bao.call("POST", "auth/token/revoke-self", {}, token=given))

    run = token.run(token=given, lease=LEASE, return_token=return_token)

    assert "permission denied" in run.message
    assert (token.minted(), token.valid()) == (1, 0)
    token.assert_private(run)
    assert token.run(lease=LEASE).result["action"] == "created"
    token.assert_settled()
    token.assert_history()


def test_a_policy_without_update_fails_before_the_sign_in_and_reuses_what_is_there(token: SharedToken) -> None:
    limited = token.bao.token_for(READ, "readers")

    refused = token.run(token=limited)
    assert "403" in refused.message
    assert token.minted() == 0

    created = token.run()
    reused = token.run(token=limited)
    assert (created.result["action"], reused.result["action"]) == ("created", "reused")
    refused = token.run(RENEW, token=limited)
    assert "403" in refused.said
    token.assert_settled()
    token.assert_private(refused, reused)


def test_a_policy_without_metadata_creates_the_token_with_one_warning(lab: Lab, bao: Bao, tmp_path: Path) -> None:
    token = SharedToken(lab, bao, f"sddc/{tmp_path.name}")
    limited = bao.token_for(READ_AND_WRITE, "writers")

    created = token.run(token=limited)
    renewed = token.run(RENEW, token=limited)

    assert (created.result["action"], renewed.result["action"]) == ("created", "renewed")
    assert ["max_versions" in warning for warning in created.result["warnings"]] == [True]
    assert renewed.result["warnings"] == []
    token.assert_settled()
    token.assert_private(created, renewed)


# --- a store that is sealed in the middle ----------------------------------------------------------------------------


@pytest.fixture
def sealable(own_bao: Bao, lab: Lab) -> SharedToken:
    token = SharedToken(lab, own_bao, "sddc/sealed")
    token.keep_history()
    return token


def _sealed(token: SharedToken) -> Callable[[], object]:
    return lambda: token.bao.do("PUT", "sys/seal", {})


@pytest.mark.parametrize("job", [KEEP, RENEW])
def test_a_store_that_is_sealed_after_the_sign_in_gives_the_token_to_this_task_with_a_warning(
    sealable: SharedToken, after_sign_in: AfterSignIn, job: str
) -> None:
    if job == RENEW:
        sealable.run()
    minted = sealable.minted()
    after_sign_in(_sealed(sealable))

    run = sealable.run(job)

    assert run.actions == ["created" if job == KEEP else "renewed"], run.said
    assert sealable.minted() == minted + 1
    assert sealable.valid() == minted + 1, "the token in the store still works"
    (warning,) = run.result["warnings"]
    assert "could not be stored" in warning
    assert "sealed" in warning
    secrets = [sealable.bao.root_token, *(secret["value"] for secret in sealable.lab.secrets())]
    assert leaks({"said": run.said}, secrets) == []


@pytest.mark.parametrize("job", [KEEP, RENEW])
def test_a_store_that_is_sealed_after_the_sign_in_fails_a_task_that_returns_no_token(
    sealable: SharedToken, after_sign_in: AfterSignIn, job: str
) -> None:
    if job == RENEW:
        sealable.run()
    minted = sealable.minted()
    after_sign_in(_sealed(sealable))

    run = sealable.run(job, return_token=False)

    assert sealable.minted() == minted + 1
    assert sealable.valid() == minted, "the new token was revoked"
    assert "sealed" in run.message


@pytest.mark.slow
@pytest.mark.parametrize("job", [KEEP, RENEW])
def test_a_store_that_is_sealed_after_it_has_the_new_token_leaves_no_token_that_is_not_returned(
    sealable: SharedToken, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    if job == RENEW:
        sealable.run()
    minted = sealable.minted()
    # The second write of a renewal, after its lease, has the pending token.
    _after(monkeypatch, re.compile("POST .*/v1/secret/data/"), _sealed(sealable), number=2)

    run = sealable.run(job, return_token=False)

    assert "sealed" in run.message
    assert sealable.minted() == minted + 1
    assert sealable.valid() == minted, "the new token was revoked"


def test_a_store_that_is_sealed_fails_before_the_sign_in(sealable: SharedToken) -> None:
    _sealed(sealable)()

    run = sealable.run()

    assert "sealed" in run.message
    assert sealable.minted() == 0
