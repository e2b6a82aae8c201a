# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests a shared store costs, counted in front of the store, and who shares a sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.lookup.token_store import LookupModule
from products import EXAMPLE
from support.bao import Bao
from support.entries import entry, token_set
from support.in_process_plays import InProcess
from support.playbooks import Ansible, module
from support.store_proxy import StoreProxy
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

READ = "GET /v1/secret/data/"
LOGIN, SIGN_OUT = "POST /v1/auth/approle/login", "POST /v1/auth/token/revoke-self"
HOSTS = 60


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where the documents of a test are."""
    return f"cost/{tmp_path.name}"


@pytest.fixture
def proxy(bao: Bao) -> Iterator[StoreProxy]:
    with StoreProxy(bao).running() as proxy:
        yield proxy


@pytest.fixture
def role(bao: Bao, folder: str) -> dict[str, str]:
    """The options of a role that may use the documents of a test."""
    return bao.app_role(policy(folder), "cost")


def policy(path: str) -> str:
    rights = '{ capabilities = ["create", "read", "update"] }'
    return "\n".join(f'path "secret/{kind}/{path}/*" {rights}' for kind in ("data", "metadata"))


def store(proxy: StoreProxy, bao: Bao, path: str, auth: dict[str, str]) -> dict[str, Any]:
    """The option token_store, with the proxy in front of the server."""
    return {"path": path, "url": proxy.address, "ca_path": bao.ca_path, **auth}


def entries(lab: Lab, *stores: dict[str, Any]) -> list[dict[str, Any]]:
    """An entry of token_set for each store, each of another server."""
    hosts = lab.add_addresses(len(stores))
    return [
        entry(
            EXAMPLE.name,
            name=each["path"],
            hostname=lab.url(EXAMPLE.name, host),
            token_file=None,
            token_store=each,
        )
        for host, each in zip(hosts, stores, strict=True)
    ]


def numbered(proxy: StoreProxy, bao: Bao, folder: str, auth: dict[str, str], count: int = 4) -> list[dict[str, Any]]:
    """Several documents with one credential."""
    return [store(proxy, bao, f"{folder}/{number}", auth) for number in range(count)]


@pytest.mark.parametrize(
    ("with_role", "lines"), [(False, [READ]), (True, [LOGIN, READ, SIGN_OUT])], ids=["token", "approle"]
)
def test_a_converged_task_sends_one_request_to_its_store_besides_its_sign_in(
    in_process: InProcess,
    lab: Lab,
    bao: Bao,
    proxy: StoreProxy,
    folder: str,
    role: dict[str, str],
    with_role: bool,
    lines: list[str],
) -> None:
    kept = store(proxy, bao, f"{folder}/token", role if with_role else {"token": bao.root_token})
    task = EXAMPLE.task("kept", token_store=kept)
    succeeded(in_process.play([task]))
    proxy.lines.clear()
    lab.clear_requests()

    run = succeeded(in_process.play([task]))

    assert run["kept"]["action"] == "reused"
    assert [line.removesuffix(f"{folder}/token") for line in proxy.lines] == lines
    assert len(lab.requests()) == 1, "the verification"
    assert run["kept"]["request_count"] == len(lines) + 1


# --- one sign-in for many tokens -------------------------------------------------------------------------------------


def test_entries_with_the_same_store_and_credential_share_one_sign_in(
    in_process: InProcess, lab: Lab, bao: Bao, proxy: StoreProxy, folder: str, role: dict[str, str]
) -> None:
    before = bao.token_count()
    tokens = entries(lab, *numbered(proxy, bao, folder, role))

    run = succeeded(in_process.play([token_set("kept", *tokens)]))

    assert [token["action"] for token in run["kept"]["tokens"]] == ["created"] * len(tokens)
    assert (proxy.lines.count(LOGIN), proxy.lines.count(SIGN_OUT)) == (1, 1)
    assert proxy.lines[-1] == SIGN_OUT
    assert bao.token_count() == before
    assert run["kept"]["request_count"] == len(proxy.lines) + len(lab.requests())


def test_entries_with_different_roles_sign_in_separately_and_use_their_own_rights(
    in_process: InProcess, lab: Lab, bao: Bao, proxy: StoreProxy, folder: str
) -> None:
    # Each may use its own document and no other.
    names = ("one", "two")
    roles = {name: bao.app_role(policy(f"{folder}/{name}"), f"cost-{name}") for name in names}
    stores = [store(proxy, bao, f"{folder}/{name}/token", roles[name]) for name in names]

    run = succeeded(in_process.play([token_set("kept", *entries(lab, *stores))]))

    assert [token["action"] for token in run["kept"]["tokens"]] == ["created", "created"]
    assert (proxy.lines.count(LOGIN), proxy.lines.count(SIGN_OUT)) == (2, 2)


@pytest.mark.parametrize("other", ["another secret ID", "a given token", "another timeout"])
def test_entries_that_differ_in_what_a_sign_in_depends_on_do_not_share_it(
    in_process: InProcess, lab: Lab, bao: Bao, proxy: StoreProxy, folder: str, role: dict[str, str], other: str
) -> None:
    stores = numbered(proxy, bao, folder, role, 2)
    given = bao.token_for(policy(f"{folder}-given"), "given")
    if other == "another secret ID":
        stores[1].update(bao.app_role(policy(folder), "cost"))
    elif other == "a given token":
        stores[1].update(auth_method="token", token=given, path=f"{folder}-given/token")
    tokens = entries(lab, *stores)
    if other == "another timeout":
        tokens[1]["timeout"] = 7

    run = succeeded(in_process.play([token_set("kept", *tokens)]))

    assert [token["action"] for token in run["kept"]["tokens"]] == ["created", "created"]
    logins = 1 if other == "a given token" else 2
    assert (proxy.lines.count(LOGIN), proxy.lines.count(SIGN_OUT)) == (logins, logins)
    assert bao.call("GET", f"secret/data/{folder}-given/token", token=given).status_code != 403, "it is still valid"


def test_an_entry_whose_path_is_forbidden_fails_alone_and_leaves_no_token_of_the_store(
    in_process: InProcess, lab: Lab, bao: Bao, proxy: StoreProxy, folder: str, role: dict[str, str]
) -> None:
    before = bao.token_count()
    stores = [*numbered(proxy, bao, folder, role), store(proxy, bao, "elsewhere/token", role)]

    run = in_process.play([failing(token_set("kept", *entries(lab, *stores)))])

    *allowed, forbidden = run["kept"]["tokens"]
    assert [token["action"] for token in allowed] == ["created"] * len(allowed)
    assert "permission denied" in forbidden["error"]
    assert bao.token_count() == before
    assert "warnings" not in run["kept"]


def test_the_terms_of_a_lookup_and_the_stores_of_token_info_share_one_sign_in(
    in_process: InProcess, lab: Lab, bao: Bao, proxy: StoreProxy, folder: str, role: dict[str, str]
) -> None:
    stores = numbered(proxy, bao, folder, role)
    succeeded(in_process.play([token_set("kept", *entries(lab, *stores))]))
    proxy.lines.clear()
    (*_same, options) = ({name: value for name, value in each.items() if name != "path"} for each in stores)

    found = LookupModule().run([each["path"] for each in stores], {}, **options)

    assert found == [bao.document(each["path"])["token"] for each in stores]
    assert len(set(found)) == len(stores)
    assert (proxy.lines[0], proxy.lines[-1], len(proxy.lines)) == (LOGIN, SIGN_OUT, len(stores) + 2)
    proxy.lines.clear()

    run = succeeded(in_process.play([module("token_info", "info", stores=stores)]))

    assert [each["status"] for each in run["info"]["token_stores"]] == ["valid"] * len(stores)
    assert (proxy.lines[0], proxy.lines[-1], len(proxy.lines)) == (LOGIN, SIGN_OUT, len(stores) + 2)


# --- a play ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_play_of_sixty_hosts_that_share_a_document_signs_in_to_the_product_once(
    ansible: Ansible, lab: Lab, bao: Bao, proxy: StoreProxy, folder: str, role: dict[str, str]
) -> None:
    # All forks of the first batch want the token before it exists.
    lab.fault(EXAMPLE.name, "delay", method="POST", seconds=2)
    hosts: dict[str, dict[str, Any]] = {f"host{number}": {} for number in range(HOSTS)}
    kept = store(proxy, bao, f"{folder}/token", role)

    run = succeeded(ansible.play([EXAMPLE.task("kept", token_store=kept)], hosts=hosts))

    actions = sorted(run.by_host[name]["kept"]["action"] for name in hosts)
    assert actions == ["created"] + ["reused"] * (HOSTS - 1)
    assert len({run.by_host[name]["kept"]["fingerprint"] for name in hosts}) == 1
    assert lab.counts(EXAMPLE.name)["tokens_minted"] == 1
    print(f"{HOSTS} hosts: {len(proxy.lines)} requests to the store, {len(lab.requests())} to the product")
