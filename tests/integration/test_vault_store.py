# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of a shared store: on OpenBao, or on the lab's store where OpenBao does not run."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._clients.vault import (
    AppRole,
    GivenToken,
    VaultAuth,
    VaultClient,
    error_facts,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ApiError,
    DamagedRecord,
    ForeignRecord,
    StoreError,
    StoreUnavailable,
    WriteConflict,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token, iso8601
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session, SessionOptions
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.shared_store import SharedStore
from ansible_collections.sddc.tokens.plugins.module_utils._operations.vault_store import VaultDocuments
from support.bao import Bao

POLICY = """
path "secret/data/sddc/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/sddc/*" { capabilities = ["read"] }
"""
READ = 'path "secret/data/sddc/*" { capabilities = ["read"] }'
FIELDS = {"schema": "1", "product": "lab", "host": "h", "principal": "p"}
PATH = "sddc/token"


@pytest.fixture(autouse=True)
def empty(bao: Bao) -> None:
    bao.do("DELETE", f"secret/metadata/{PATH}")


class Store:
    """What one task has of the store."""

    def __init__(self, bao: Bao, auth: VaultAuth | None = None, *, mount: str = "secret", namespace: str = "") -> None:
        self.warnings: list[str] = []
        self.runtime = Runtime(warn=self.warnings.append)
        options = SessionOptions(ca_path=bao.ca_path, retries=0)
        self.session = Session(BaseUrl.parse(bao.address), options, error_facts=error_facts, runtime=self.runtime)
        self.client = VaultClient(self.session, namespace, auth or GivenToken(Secret(bao.root_token)))
        self.documents = VaultDocuments(self.client, mount, PATH, self.warnings.append)
        self.store = SharedStore(
            self.documents, self.runtime, lease=30, needed=10, local_lock=lambda timeout: nullcontext()
        )


def token(value: str) -> Token:
    return Token(Secret(value), "Bearer", 1795000000.0, 1895000000.0)


def record(current: Token | None = None, pending: Token | None = None) -> Record:
    return Record("lab", "h", "p", current=current, pending=pending)


def keep(store: Store, value: str) -> None:
    with store.store.exclusive(10) as writer:
        writer.write(record(token(value)))


def test_a_token_is_written_and_read_by_others_as_flat_strings(bao: Bao) -> None:
    keep(Store(bao), "first-token")

    stored = Store(bao).store.read().record
    assert stored is not None
    assert stored.current == token("first-token")
    document = bao.document(PATH)
    assert document["token"] == "first-token"
    assert document["expires_at"] == iso8601(1895000000.0)
    assert not {name for name in document if name.startswith("lease_")}


def test_only_the_latest_version_stays_and_none_may_be_written_unchecked(bao: Bao) -> None:
    store = Store(bao)
    keep(store, "first-token")
    keep(store, "second-token")

    settings = bao.do("GET", f"secret/metadata/{PATH}")["data"]
    assert (settings["max_versions"], settings["cas_required"]) == (1, True)
    assert list(settings["versions"]) == [str(settings["current_version"])]
    assert bao.call("POST", f"secret/data/{PATH}", {"data": {}}).status_code == 400
    assert store.warnings == []


def test_a_version_is_replaced_once(bao: Bao) -> None:
    documents = Store(bao).documents
    documents.write(FIELDS, 0)
    documents.write({**FIELDS, "by": "one"}, 1)

    with pytest.raises(WriteConflict):
        documents.write({**FIELDS, "by": "another"}, 1)
    assert documents.read().fields["by"] == "one"


def test_times_are_those_of_the_server(bao: Bao) -> None:
    documents = Store(bao).documents
    documents.write(FIELDS, 0)

    version = documents.read()

    assert version.number == 1
    assert abs(version.created_at - version.read_at) < 60
    assert abs(version.clock_offset) < 60


def test_a_document_that_was_deleted_is_written_again(bao: Bao) -> None:
    store = Store(bao)
    keep(store, "first-token")
    bao.do("DELETE", f"secret/data/{PATH}")

    assert store.store.is_empty()
    keep(store, "second-token")
    assert bao.document(PATH)["token"] == "second-token"


def test_a_document_that_was_destroyed_is_written_again(real_bao: Bao) -> None:
    store = Store(real_bao)
    keep(store, "first-token")
    real_bao.do("PUT", f"secret/destroy/{PATH}", {"versions": [store.documents.read().number]})

    assert store.store.is_empty()
    keep(store, "second-token")
    assert real_bao.document(PATH)["token"] == "second-token"


@pytest.mark.parametrize(
    ("content", "error", "cost"),
    [
        ({"password": "somebody's"}, ForeignRecord, "nothing needs it"),
        ({"schema": "1", "token": "without a type"}, DamagedRecord, "is not revoked"),
    ],
    ids=["another document", "damaged"],
)
def test_the_error_about_an_unusable_document_says_what_deleting_it_costs(
    bao: Bao, content: dict[str, str], error: type[StoreError], cost: str
) -> None:
    bao.do("POST", f"secret/data/{PATH}", {"data": content})
    with pytest.raises(error, match=rf"(?=.*\(kv delete\)).*{cost}"):
        Store(bao).store.read()

    # What 'kv delete' sends.
    bao.do("DELETE", f"secret/data/{PATH}")
    keep(Store(bao), "first-token")

    assert bao.document(PATH)["token"] == "first-token"
    assert Store(bao).documents.read().number > 1, "versions go on"


def test_an_engine_of_version_1_is_refused_before_anything_is_written(real_bao: Bao) -> None:
    real_bao.do("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    try:
        store = Store(real_bao, mount="old")
        with pytest.raises(StoreError, match="version 2 is required"):
            keep(store, "first-token")
        assert real_bao.call("GET", f"old/{PATH}").status_code == 404
        assert real_bao.call("GET", f"old/data/{PATH}").status_code == 404
    finally:
        real_bao.do("DELETE", "sys/mounts/old")


def test_a_policy_that_cannot_set_the_document_up_is_named_once(bao: Bao) -> None:
    store = Store(bao, GivenToken(Secret(bao.token_for(POLICY))))
    keep(store, "first-token")
    keep(store, "second-token")

    assert ["max_versions" in warning for warning in store.warnings] == [True]


def test_a_node_that_shows_no_document_yet_does_not_change_the_settings_of_the_document(bao: Bao) -> None:
    Store(bao).documents.write(FIELDS, 0)
    bao.do("POST", f"secret/metadata/{PATH}", {"max_versions": 5})
    behind = Store(bao, GivenToken(Secret(bao.token_for(POLICY))))

    # The version that such a node shows is 0.
    with pytest.raises(WriteConflict):
        behind.documents.write({**FIELDS, "by": "another"}, 0)
    behind.documents.write({**FIELDS, "by": "another"}, 1)

    assert bao.do("GET", f"secret/metadata/{PATH}")["data"]["max_versions"] == 5
    assert behind.warnings == []
    # The engine, and the two writes.
    assert behind.session.request_count == 3


def test_a_document_whose_settings_cannot_be_set_now_is_written_with_a_warning(
    bao: Bao, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(bao)

    def fail(*_arguments: object) -> bool:
        raise ApiError(500, message="it is down")

    monkeypatch.setattr(store.client, "update_metadata", fail)
    keep(store, "first-token")

    assert bao.document(PATH)["token"] == "first-token"
    (warning,) = store.warnings
    assert "it is down" in warning


def test_a_policy_without_update_fails_before_a_token_is_written(bao: Bao) -> None:
    keep(Store(bao), "first-token")
    limited = bao.token_for(READ, "readers")
    store = Store(bao, GivenToken(Secret(limited)))

    assert store.store.read().record is not None
    with pytest.raises(StoreError, match="403"):
        keep(store, "second-token")
    assert bao.document(PATH)["token"] == "first-token"


def approle(bao: Bao, policy: str = POLICY, secret_id_num_uses: int = 0) -> AppRole:
    role = bao.app_role(policy, "sddc", secret_id_num_uses)
    return AppRole("approle", role["role_id"], Secret(role["secret_id"]))


def is_valid(bao: Bao, token: str) -> bool:
    return bao.call("GET", f"secret/data/{PATH}", token=token).ok


def test_an_approle_signs_in_once_and_its_token_is_revoked_at_the_end(bao: Bao) -> None:
    store = Store(bao, approle(bao, secret_id_num_uses=1))
    keep(store, "first-token")
    own = store.client._signer.credential().reveal()
    assert is_valid(bao, own)

    store.client.sign_out()

    assert not is_valid(bao, own)
    assert bao.document(PATH)["token"] == "first-token"


def test_a_token_of_the_store_that_was_revoked_is_renewed_once(bao: Bao) -> None:
    store = Store(bao, approle(bao))
    keep(store, "first-token")
    bao.call("POST", "auth/token/revoke-self", {}, token=store.client._signer.credential().reveal())

    keep(store, "second-token")

    assert bao.document(PATH)["token"] == "second-token"
    # There is nothing to revoke of the first one.
    store.client.sign_out()


def test_a_token_that_ends_after_a_forbidden_request_is_renewed(bao: Bao) -> None:
    keep(Store(bao), "first-token")
    store = Store(bao, approle(bao, READ))
    with pytest.raises(StoreError, match="403"):
        keep(store, "second-token")
    assert store.documents.read().fields["token"] == "first-token"
    bao.call("POST", "auth/token/revoke-self", {}, token=store.client._signer.credential().reveal())

    assert store.documents.read().fields["token"] == "first-token"


def test_a_given_token_is_not_revoked(bao: Bao) -> None:
    given = bao.token_for(POLICY)
    store = Store(bao, GivenToken(Secret(given)))
    keep(store, "first-token")

    store.client.sign_out()

    assert is_valid(bao, given)


@pytest.mark.parametrize("secret_id", ["wrong", None])
def test_a_wrong_approle_is_an_error_of_the_store(bao: Bao, secret_id: str | None) -> None:
    right = approle(bao)
    wrong = AppRole("approle", right.role_id, Secret(secret_id) if secret_id else None)

    with pytest.raises(StoreError) as caught:
        Store(bao, wrong).documents.read()
    assert isinstance(caught.value.__cause__, ApiError)
    assert caught.value.__cause__.status == 400


def test_a_namespace_has_documents_of_its_own(real_bao: Bao) -> None:
    real_bao.do("POST", "sys/namespaces/team", {})
    real_bao.do("POST", "team/sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})

    keep(Store(real_bao, namespace="team"), "their-token")

    assert real_bao.document(PATH) == {}
    assert real_bao.document(PATH, "team/secret")["token"] == "their-token"
    with pytest.raises(StoreError):
        Store(real_bao, namespace="nobody").documents.read()


def test_twenty_tasks_of_which_one_creates_the_token(bao: Bao) -> None:
    """Each has a connection of its own, and no file in common with another."""
    made: list[str] = []
    start = threading.Barrier(20)

    def task(number: int) -> None:
        store = Store(bao).store
        start.wait()
        with store.exclusive(60) as writer:
            if store.read().record is None:
                made.append(f"token-{number}")
                writer.write(record(pending=token(made[-1])))
                writer.write(record(token(made[-1])))

    threads = [threading.Thread(target=task, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert bao.document(PATH)["token"] == made[0]


def test_a_lease_that_nobody_ended_is_taken_over_when_it_is_over(bao: Bao) -> None:
    dead = {"lease_holder": "a machine that died", "lease_seconds": "1"}
    Store(bao).documents.write({**FIELDS, **dead}, 0)
    started = time.monotonic()

    keep(Store(bao), "next-token")

    assert time.monotonic() - started >= 1
    assert bao.document(PATH)["token"] == "next-token"


def test_a_sealed_store_is_unavailable(own_bao: Bao) -> None:
    store = Store(own_bao)
    own_bao.do("PUT", "sys/seal", {})
    with pytest.raises(StoreUnavailable, match="sealed"):
        store.documents.read()
