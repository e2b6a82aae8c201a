# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of an access token of the VMware Identity Broker, as recorded by the lab."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from products.vcenter import vcenter
from products.vcf_api import vcf_api
from products.vidb import VIDB_CLIENT, vidb
from support.bao import Bao
from support.canaries import leaks
from support.in_process_plays import InProcess
from support.kit import OMIT
from support.playbooks import Ansible, module
from support.tasks import by_task, change_settings, checked, end_tokens, failing, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

GRANT = "POST /acs/t/CUSTOMER/token"
API_TOKEN_GRANT = "urn:custom:vcf:params:oauth:grant-type:api-token"
LIFETIME = 1800
FILE = "{{ playbook_dir }}/token.json"
NO_API_TOKEN: dict[str, Any] = {"api_token": "{{ omit }}"}


def test_a_client_an_api_token_and_a_refresh_token_get_tokens_with_the_documented_requests(
    ansible: Ansible, lab: Lab
) -> None:
    refresh: dict[str, Any] = {**NO_API_TOKEN, "refresh_token": "{{ by_api_token.refresh_token }}"}
    tasks = [
        vidb("by_client", **VIDB_CLIENT),
        vidb("by_api_token"),
        vidb("by_refresh_token", **refresh),
        vidb("by_refresh_token_of_client", **{**VIDB_CLIENT, **refresh}),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv", "--diff"]))

    details = lab["vidb"]
    names = ["by_client", "by_api_token", "by_refresh_token", "by_refresh_token_of_client"]
    cut = by_task(run, lab, None, *names)
    assert [lines(cut[name]) for name in names] == [[GRANT]] * 4
    refresh_form = {"grant_type": "refresh_token", "refresh_token": run["by_api_token"]["refresh_token"]}
    assert [dict(parse_qsl(cut[name][0].body)) for name in names] == [
        {"grant_type": "client_credentials"},
        {"grant_type": API_TOKEN_GRANT, "api_token": details["api_token"]},
        refresh_form,
        refresh_form,
    ]
    client = f"{details['client_id']}:{details['client_secret']}"
    basic = "Basic " + base64.b64encode(client.encode()).decode()
    assert [cut[name][0].header("Authorization") for name in names] == [basic, None, None, basic]
    for name in names:
        result = run[name]
        assert (result["changed"], result["action"], result["verified"]) == (True, "created", True)
        assert result["token_type"] == "Bearer"
        assert result["headers"] == {"Authorization": f"Bearer {result['token']}"}
        assert LIFETIME - 60 <= result["expires_in"] <= LIFETIME + 1
        assert ("refresh_token" in result) == (name != "by_client")
    assert len({run[name]["fingerprint"] for name in names}) == 4
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_an_existing_token_is_reused_without_a_request_and_renewed_when_it_expires_too_soon(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        vidb("created", token_file=FILE),
        vidb("reused", token_file=FILE),
        vidb("given", token="{{ created.token }}"),
        vidb("sealed", token_file=FILE, return_token=False),
        vidb("renewed", token_file=FILE, renew="always"),
        vidb("of_another_user", token_file=FILE, replace_foreign=True, **VIDB_CLIENT),
        failing(vidb("never", token="not-a-token-that-lasts", min_remaining=300, renew="never")),
    ]

    run = succeeded(in_process.play(tasks))

    names = ["created", "reused", "given", "sealed", "renewed", "of_another_user"]
    cut = by_task(run, lab, None, *names)
    assert [len(cut[name]) for name in names] == [1, 0, 0, 0, 1, 1]
    for name in ("reused", "given"):
        assert (run[name]["changed"], run[name]["action"]) == (False, "reused")
        assert run[name]["token"] == run["created"]["token"]
    assert run["reused"]["refresh_token"] == run["created"]["refresh_token"]
    assert not {"token", "headers", "refresh_token"} & set(run["sealed"])
    assert run["sealed"]["fingerprint"] == run["created"]["fingerprint"]
    assert (run["renewed"]["action"], run["renewed"]["changed"]) == ("renewed", True)
    assert run["renewed"]["token"] != run["created"]["token"]
    assert run["of_another_user"]["action"] == "created"
    assert lab.counts("vidb")["grants"] == 3


def sent_refresh_tokens(cut: dict[str, list[LoggedRequest]], name: str) -> list[str]:
    """The refresh tokens in the requests of a task."""
    return [dict(parse_qsl(entry.body))["refresh_token"] for entry in cut[name]]


def test_a_rotating_refresh_token_is_stored_and_the_latest_one_is_used(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("vidb", rotate_refresh_tokens=True)
    given = lab.act("vidb", "make_refresh_token")
    options: dict[str, Any] = {**NO_API_TOKEN, "token_file": FILE, "refresh_token": given}
    names = ["once", "twice", "thrice"]

    run = succeeded(in_process.play([vidb(name, **options, renew="always") for name in names]))

    cut = by_task(run, lab, "vidb", *names)
    latest = [run[name]["refresh_token"] for name in names]
    assert [sent_refresh_tokens(cut, name) for name in names] == [[given], [latest[0]], [latest[1]]]
    assert [run[name]["action"] for name in names] == ["created", "renewed", "renewed"]
    assert len({given, *latest}) == 4


def test_a_token_file_is_matched_by_the_refresh_token_in_it_and_stays_matched(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("vidb", rotate_refresh_tokens=True)
    given = lab.act("vidb", "make_refresh_token")
    options: dict[str, Any] = {**NO_API_TOKEN, "token_file": FILE, "refresh_token": given}
    by_latest = {**options, "refresh_token": "{{ created.refresh_token }}"}
    tasks = [
        vidb("created", **options),
        vidb("reused", **by_latest),
        vidb("renewed", **by_latest, renew="always"),
        # By now the file contains a later one.
        vidb("again", **by_latest, renew="always"),
        failing(vidb("of_another_tenant", **by_latest, tenant="OTHER")),
    ]

    run = succeeded(in_process.play(tasks))

    names = ["created", "reused", "renewed", "again", "of_another_tenant"]
    cut = by_task(run, lab, "vidb", *names)
    assert [run[name]["action"] for name in names[:4]] == ["created", "reused", "renewed", "renewed"]
    assert sent_refresh_tokens(cut, "renewed") == [run["created"]["refresh_token"]]
    assert sent_refresh_tokens(cut, "again") == [run["renewed"]["refresh_token"]]
    assert "replace_foreign" in run["of_another_tenant"]["msg"]


def test_the_refresh_token_of_the_user_is_used_when_that_of_the_file_is_refused(
    in_process: InProcess, lab: Lab
) -> None:
    given = lab.act("vidb", "make_refresh_token")
    options: dict[str, Any] = {**NO_API_TOKEN, "token_file": FILE, "refresh_token": given}
    created = succeeded(in_process.play([vidb("created", **options)]))["created"]
    lab.expire_tokens("vidb", tokens=[created["refresh_token"]])
    lab.clear_requests()
    tasks = [
        vidb("renewed", **options, renew="always"),
        end_tokens("revoked", "vidb"),
        failing(vidb("refused", **options, renew="always")),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vidb", "renewed", "refused")
    assert sent_refresh_tokens(cut, "renewed") == [created["refresh_token"], given]
    assert run["renewed"]["action"] == "renewed"
    assert sent_refresh_tokens(cut, "refused") == [run["renewed"]["refresh_token"], given]
    assert "Check refresh_token" in run["refused"]["msg"]


def test_a_refresh_token_of_the_file_stays_when_its_use_returns_no_new_one(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("vidb", rotate_refresh_tokens=True)
    given = lab.act("vidb", "make_refresh_token")
    options: dict[str, Any] = {**NO_API_TOKEN, "token_file": FILE, "refresh_token": given}
    tasks = [
        vidb("created", **options),
        change_settings("vidb", refresh_token_grants=[]),
        vidb("renewed", **options, renew="always"),
        vidb("again", **options, renew="always"),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vidb", "created", "renewed", "again")
    latest = run["created"]["refresh_token"]
    assert [sent_refresh_tokens(cut, name) for name in ("renewed", "again")] == [[latest]] * 2
    assert run["again"]["refresh_token"] == latest


def test_wrong_credentials_are_named_with_the_text_of_the_product_and_what_to_check(ansible: Ansible, lab: Lab) -> None:
    wrong = "a-wrong-secret-of-the-user"
    tasks = [
        failing(vidb("api_token", api_token=wrong)),
        failing(vidb("client", **{**VIDB_CLIENT, "client_secret": wrong})),
        failing(vidb("refresh_token", **NO_API_TOKEN, refresh_token=wrong)),
        failing(vidb("tenant", tenant="NOBODY")),
        failing(vidb("nothing", **NO_API_TOKEN)),
        failing(vidb("both", client_id="someone", client_secret=wrong)),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    advice = {
        "api_token": "Check api_token",
        "client": "Check client_id, client_secret and tenant",
        "refresh_token": "Check refresh_token",
        "tenant": "Check hostname and tenant",
    }
    for name, sentence in advice.items():
        (answered,) = by_task(run, lab, None, *advice)[name]
        message = run[name]["msg"]
        assert message.startswith("Could not get an access token on 127.0.0.1:"), message
        assert f"returned status {answered.status}, code " in message
        assert sentence in message
        assert run[name]["changed"] is False
    assert (
        "set api_token, api_token_file, api_token_store, subject_token, refresh_token, or client_id"
        in run["nothing"]["msg"]
    )
    assert "mutually exclusive: api_token|api_token_file|api_token_store|subject_token|client_id" in run["both"]["msg"]
    assert leaks({"output": run.output}, [wrong, *(secret["value"] for secret in lab.secrets())]) == []


def test_absent_removes_the_file_and_warns_until_when_the_token_is_valid_also_in_check_mode(
    in_process: InProcess, lab: Lab
) -> None:
    always: dict[str, Any] = {"token_file": FILE, "renew": "always"}
    gone = {"hostname": "{{ lab.vidb.url }}", "token_file": FILE, "state": "absent", "ca_path": "{{ ca_path }}"}
    tasks = [
        checked(vidb("created_predicted", token_file=FILE)),
        vidb("created", token_file=FILE),
        checked(vidb("reused_predicted", token_file=FILE)),
        vidb("reused", token_file=FILE),
        checked(vidb("renewed_predicted", **always)),
        vidb("renewed", **always),
        checked(module("vidb_access_token", "forgotten_predicted", **gone)),
        module("vidb_access_token", "forgotten", **gone),
        module("vidb_access_token", "gone_already", **gone),
    ]

    run = succeeded(in_process.play(tasks, diff=True))

    for name in ("created", "reused", "renewed", "forgotten"):
        predicted = run[f"{name}_predicted"]
        assert (predicted["action"], predicted["changed"]) == (name, run[name]["changed"]) == (name, name != "reused")
        assert predicted["request_count"] == 0
        assert predicted["diff"]["before"] == run[name]["diff"]["before"]
    assert run["forgotten"]["verified"] is False
    assert "token" not in run["forgotten"]
    assert f"until {run['renewed']['expires_at']}" in said(run)
    assert (run["gone_already"]["changed"], run["gone_already"]["action"]) == (False, "none")
    assert not (in_process.folder / "token.json").exists()
    assert lines(lab.requests()) == [GRANT] * 2


REVOKE = "POST /acs/t/CUSTOMER/revoke"


def test_absent_revokes_a_client_token_at_the_broker_and_warns_about_products_that_accept_it(
    in_process: InProcess, lab: Lab
) -> None:
    client: dict[str, Any] = {**VIDB_CLIENT, "token_file": FILE}
    tasks = [
        vidb("created", **client),
        checked(vidb("predicted", **client, state="absent")),
        vidb("revoked", **client, state="absent"),
        vidb("held", **VIDB_CLIENT),
        vidb("given", **VIDB_CLIENT, token="{{ held.token }}", state="absent"),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, None, "created", "predicted", "revoked", "held", "given")
    assert [lines(cut[name]) for name in cut] == [[GRANT], [], [REVOKE], [GRANT], [REVOKE]]
    (sent,) = cut["revoked"]
    form = {"token": run["created"]["token"], "token_type_hint": "access_token"}
    assert dict(parse_qsl(sent.body)) == form
    assert str(sent.header("Authorization")).startswith("Basic ")
    assert (run["predicted"]["action"], run["predicted"]["changed"]) == ("revoked", True)
    for name, token in (("revoked", "created"), ("given", "held")):
        result = run[name]
        assert (result["action"], result["changed"], result["verified"]) == ("revoked", True, False)
        (warning,) = result["warnings"]
        assert f"may accept it until {run[token]['expires_at']}" in warning
    assert lab.counts("vidb")["revocations"] == 2
    assert not (in_process.folder / "token.json").exists()


def test_a_token_that_the_broker_cannot_revoke_is_removed_with_a_warning(in_process: InProcess, lab: Lab) -> None:
    mine: dict[str, Any] = {**VIDB_CLIENT, "token_file": FILE}
    tasks = [
        vidb("of_api_token"),
        # It belongs to a client whose secret is unknown.
        vidb("of_another", **VIDB_CLIENT, token="{{ of_api_token.token }}", state="absent"),
        vidb("created", **mine),
        change_settings("vidb", revoke_api=False),
        vidb("unknown", **mine, state="absent"),
    ]

    run = succeeded(in_process.play(tasks))

    assert (run["of_another"]["action"], run["of_another"]["changed"]) == ("none", False)
    assert (run["unknown"]["action"], run["unknown"]["changed"]) == ("forgotten", True)
    for name, token in (("of_another", "of_api_token"), ("unknown", "created")):
        assert run[name]["verified"] is False
        (warning,) = run[name]["warnings"]
        assert f"valid until {run[token]['expires_at']}" in warning
    assert lab.counts("vidb")["revocations"] == 0


def test_a_renewal_revokes_the_replaced_client_token_and_nothing_that_shares_a_grant(
    in_process: InProcess, lab: Lab
) -> None:
    given = lab.act("vidb", "make_refresh_token")
    by_refresh: dict[str, Any] = {**VIDB_CLIENT, "refresh_token": given, "token_file": "{{ playbook_dir }}/user.json"}
    by_client: dict[str, Any] = {**VIDB_CLIENT, "token_file": FILE}
    tasks = [
        vidb("client", **by_client),
        vidb("client_renewed", **by_client, renew="always"),
        vidb("user", **by_refresh),
        vidb("user_renewed", **by_refresh, renew="always"),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, None, "client", "client_renewed", "user", "user_renewed")
    assert [lines(cut[name]) for name in cut] == [[GRANT], [GRANT, REVOKE], [GRANT], [GRANT]]
    assert dict(parse_qsl(cut["client_renewed"][1].body))["token"] == run["client"]["token"]


ROOT = "{{ playbook_dir }}/vcf_api.json"


def test_an_access_token_comes_from_the_api_token_that_another_task_keeps_and_renews(
    in_process: InProcess, lab: Lab
) -> None:
    of_file = {**NO_API_TOKEN, "api_token_file": ROOT, "token_file": FILE}
    tasks = [
        vcf_api("root"),
        vidb("created", **of_file),
        vcf_api("rotated", renew="always"),
        vidb("reused", **of_file),
        vidb("renewed", **of_file, renew="always"),
        vcenter("registered", access_token=OMIT, vidb_hostname="{{ lab.vidb.url }}", vidb_api_token_file=ROOT),
    ]

    run = succeeded(in_process.play(tasks))

    grants = [dict(parse_qsl(entry.body)) for entry in lab.requests("vidb") if entry.line == GRANT]
    first, second = run["root"]["token"], run["rotated"]["token"]
    # The module that keeps an API token exchanges it once, too.
    assert [grant["api_token"] for grant in grants] == [first, first, second, second, second]
    assert [run[name]["action"] for name in ("created", "reused", "renewed")] == ["created", "reused", "renewed"]
    assert run["reused"]["request_count"] == 0
    client = lab["vcf_api"]["api_client_id"]
    assert json.loads((in_process.folder / "token.json").read_text())["principal"] == f"CUSTOMER/API client {client}"


def test_a_file_without_an_api_token_or_for_another_broker_sends_nothing(in_process: InProcess, lab: Lab) -> None:
    elsewhere = lab["vidb"]["url"].replace("127.0.0.1", "localhost")
    of_file = {**NO_API_TOKEN, "api_token_file": ROOT}
    tasks = [
        vcf_api("root"),
        vidb("access", token_file=FILE),
        failing(vidb("missing", **{**of_file, "api_token_file": "{{ playbook_dir }}/none.json"})),
        failing(vidb("of_another_type", **{**of_file, "api_token_file": FILE})),
        failing(vidb("of_another_broker", **of_file, hostname=elsewhere)),
        failing(vidb("with_another_credential", api_token_file=ROOT)),
    ]

    run = succeeded(in_process.play(tasks))

    assert len(lab.requests("vidb")) == 2
    assert "There is no token in" in run["missing"]["msg"]
    assert "holds a Bearer token, not an API token" in run["of_another_type"]["msg"]
    assert "the option hostname is localhost" in run["of_another_broker"]["msg"].replace("The", "the")
    assert "mutually exclusive" in run["with_another_credential"]["msg"]


def test_an_api_token_in_a_shared_store_is_read_from_there(ansible: Ansible, lab: Lab, bao: Bao) -> None:
    root = {"path": "sddc/root", "url": bao.address, "token": bao.root_token, "ca_path": bao.ca_path}
    tasks = [
        vcf_api("root", token_file=OMIT, token_store=root),
        vidb("created", **NO_API_TOKEN, api_token_store=root, token_file=FILE),
        vidb("reused", **NO_API_TOKEN, api_token_store=root, token_file=FILE),
    ]

    run = succeeded(ansible.play(tasks))

    assert [run[name]["action"] for name in ("root", "created", "reused")] == ["created", "created", "reused"]
    document = bao.document("sddc/root")
    assert document["token_id"] == run["root"]["token_id"]
    assert document["token_type"] == "api_token"
    assert "announced" not in document
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_a_token_of_the_identity_provider_is_exchanged_and_not_stored(in_process: InProcess, lab: Lab) -> None:
    given, again, other = (lab.act("vidb", "make_subject_token", subject=name) for name in ("one", "one", "two"))
    tasks = [
        vidb("created", **NO_API_TOKEN, subject_token=given, token_file=FILE),
        vidb("reused", **NO_API_TOKEN, subject_token=again, token_file=FILE),
        failing(vidb("of_another_user", **NO_API_TOKEN, subject_token=other, token_file=FILE)),
        failing(vidb("refused", **NO_API_TOKEN, subject_token="no-such-token")),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vidb", "created", "reused", "of_another_user", "refused")
    assert [len(cut[name]) for name in ("created", "reused", "of_another_user", "refused")] == [1, 0, 0, 1]
    assert dict(parse_qsl(cut["created"][0].body)) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": given,
        "subject_token_type": "urn:custom:vcf:params:oauth:token-type:idp_access_token:oidc",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access-token",
    }
    assert cut["created"][0].header("Authorization") is None
    assert run["reused"]["action"] == "reused"
    assert "of CUSTOMER/subject one" in run["of_another_user"]["msg"]
    assert "subject_token" in run["refused"]["msg"]
    assert given not in (in_process.folder / "token.json").read_text()


def test_an_unknown_lifetime_is_not_an_expiry_and_the_claims_of_the_token_decide(
    in_process: InProcess, lab: Lab
) -> None:
    lab.change_settings("vidb", unknown_lifetime=True)

    run = succeeded(in_process.play([vidb("created", token_file=FILE), vidb("reused", token_file=FILE)]))

    assert LIFETIME - 60 <= run["created"]["expires_in"] <= LIFETIME
    assert run["reused"]["action"] == "reused"
    assert "warnings" not in run["created"]
