# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of an access token of VMware Cloud Services, as recorded by the lab."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from products.csp import OAUTH_APP, csp
from support.canaries import leaks
from support.in_process_plays import InProcess
from support.playbooks import Ansible, Task, module
from support.tasks import by_task, change_settings, checked, failing, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

EXCHANGE = "POST /csp/gateway/am/api/auth/api-tokens/authorize"
EXCHANGE_CLIENT = "POST /csp/gateway/am/api/auth/authorize"
LIFETIME = 1800
FILE = "{{ playbook_dir }}/token.json"


def test_an_api_token_and_an_oauth_app_are_exchanged_with_the_documented_requests(
    in_process: InProcess, lab: Lab
) -> None:
    run = succeeded(in_process.play([csp("by_api_token"), csp("by_app", **OAUTH_APP)]))

    cut = by_task(run, lab, "csp", "by_api_token", "by_app")
    (by_api_token,), (by_app,) = cut["by_api_token"], cut["by_app"]
    details = lab["csp"]
    assert by_api_token.line == EXCHANGE
    assert by_api_token.body == f"api_token={details['api_token']}"
    assert by_api_token.header("Authorization") is None
    assert by_app.line == EXCHANGE_CLIENT
    assert by_app.body == "grant_type=client_credentials"
    credentials = f"{details['client_id']}:{details['client_secret']}"
    assert by_app.header("Authorization") == "Basic " + base64.b64encode(credentials.encode()).decode()
    for name in cut:
        result = run[name]
        assert (result["changed"], result["action"], result["verified"]) == (True, "created", True)
        assert result["token_type"] == "Bearer"
        assert result["headers"] == {"Authorization": f"Bearer {result['token']}"}
        assert LIFETIME - 60 <= result["expires_in"] <= LIFETIME + 1
    assert run["by_api_token"]["id_token"].count(".") == 2
    assert run["by_api_token"]["id_token"] != run["by_api_token"]["token"]
    assert "id_token" not in run["by_app"]


def test_a_reused_token_is_returned_with_its_id_token_and_without_a_request(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        csp("created", token_file=FILE),
        csp("reused", token_file=FILE, require_id_token=True),
        csp("given", token="{{ created.token }}"),
        csp("silent", token_file=FILE, return_token=False),
    ]

    run = succeeded(in_process.play(tasks))

    assert lines(lab.requests()) == [EXCHANGE]
    for name in ("reused", "given", "silent"):
        assert (run[name]["changed"], run[name]["action"], run[name]["request_count"]) == (False, "reused", 0)
    for key in ("token", "id_token", "expires_at", "issued_at"):
        assert run["reused"][key] == run["created"][key]
        assert key not in run["silent"] or key in ("expires_at", "issued_at")
    assert run["given"]["expires_at"] == run["created"]["expires_at"], "the expiry is in its own claims"


def test_a_missing_id_token_fails_with_advice_and_a_stored_token_without_one_is_replaced(
    in_process: InProcess, lab: Lab
) -> None:
    lab.change_settings("csp", id_token=False)
    tasks = [
        csp("without", token_file=FILE),
        failing(csp("never", token_file=FILE, require_id_token=True, renew="never")),
        failing(csp("required", token_file=FILE, require_id_token=True)),
        csp("still_there", token_file=FILE),
        change_settings("csp", id_token=True),
        csp("replaced", token_file=FILE, require_id_token=True),
        csp("reused", token_file=FILE, require_id_token=True),
    ]

    run = succeeded(in_process.play(tasks))

    assert "it has no OpenID token" in run["never"]["msg"]
    message = run["required"]["msg"]
    assert "the response has no OpenID token" in message
    assert "with the OpenID scope" in message
    assert "is valid until 20" in message, "the token that is left on the server"
    assert run["still_there"]["token"] == run["without"]["token"]
    assert (run["replaced"]["action"], run["reused"]["action"]) == ("renewed", "reused")
    assert run["reused"]["id_token"] == run["replaced"]["id_token"]
    assert lines(lab.requests("csp")) == [EXCHANGE] * 3


def test_a_lifetime_below_min_remaining_is_a_warning_and_the_token_is_renewed_after_half_of_it(
    in_process: InProcess, lab: Lab
) -> None:
    options = {"token_file": FILE, "min_remaining": 2 * LIFETIME}
    run = succeeded(in_process.play([csp("created", **options), csp("reused", **options)]))

    assert run["reused"]["action"] == "reused"
    assert re.search(
        r"is valid for 1[78]\d\d s, not longer than min_remaining \(3600 s\)\. Instead, half its lifetime must remain",
        said(run),
    )

    let_pass(in_process, LIFETIME / 2 - 60)
    assert succeeded(in_process.play([csp("kept", **options)]))["kept"]["action"] == "reused"
    let_pass(in_process, 120)
    run = succeeded(in_process.play([checked(csp("predicted", **options)), csp("renewed", **options)]))

    assert run["predicted"]["action"] == run["renewed"]["action"] == "renewed"
    assert lines(lab.requests("csp")) == [EXCHANGE] * 2


def let_pass(in_process: InProcess, seconds: float) -> None:
    """Make the stored token older."""
    path = in_process.folder / "token.json"
    record = json.loads(path.read_text())
    for key in ("issued_at", "expires_at"):
        record["current"][key] -= seconds
    path.write_text(json.dumps(record))


def test_absent_removes_the_stored_token_and_warns_until_when_it_is_valid(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        csp("created", token_file=FILE),
        checked(csp("predicted", token_file=FILE, state="absent")),
        csp("forgotten", token_file=FILE, state="absent", api_token="{{ omit }}"),
        csp("again", token_file=FILE, state="absent"),
        csp("by_token", token="{{ created.token }}", state="absent"),
    ]

    run = succeeded(in_process.play(tasks, diff=True))

    names = ("predicted", "forgotten", "again", "by_token")
    assert [run[name]["action"] for name in names] == ["forgotten", "forgotten", "none", "none"]
    assert [run[name]["changed"] for name in names] == [True, True, False, False]
    assert [run[name]["verified"] for name in names] == [False] * 4
    created = run["created"]
    warning = f"cannot revoke the token {created['fingerprint']}. It is valid until {created['expires_at']}"
    assert said(run).count(warning) >= 1
    shown = {"fingerprint": created["fingerprint"], "expires_at": created["expires_at"]}
    assert run["forgotten"]["diff"]["after"] == {}
    assert run["by_token"]["diff"] == {"before": shown, "after": shown}, "it stays valid"
    assert not (in_process.folder / "token.json").exists()
    assert lines(lab.requests("csp")) == [EXCHANGE], "the product has no revocation"


def test_a_refused_credential_is_not_in_the_message_or_in_the_registered_result(ansible: Ansible, lab: Lab) -> None:
    refused = {"api_token": "refused-{{ lab.csp.api_token | reverse }}"}
    refused_app = {**OAUTH_APP, "client_secret": "refused-{{ lab.csp.client_secret | reverse }}"}
    tasks = [
        failing(csp("refused", **refused)),
        failing(csp("refused_app", **refused_app)),
        failing(csp("short", api_token="short1")),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    secrets = [
        "refused-" + lab["csp"]["api_token"][::-1],
        "refused-" + lab["csp"]["client_secret"][::-1],
        lab["csp"]["api_token"],
    ]
    texts = {"output": run.output, "registered": json.dumps(run.by_host)}
    assert leaks(texts, secrets) == []
    assert "short1" not in run["short"]["msg"]
    message = run["refused"]["msg"]
    assert message.startswith("Could not get an access token on 127.0.0.1:")
    assert "returned status 400, code invalid_grant" in message
    assert "Invalid refresh token" in message, "the text of the product"
    assert "Check api_token" in message
    assert "Check client_id and client_secret" in run["refused_app"]["msg"]
    assert "returned status 401" in run["refused_app"]["msg"]


def bare(register: str, **environment: str) -> Task:
    """A task with only the options to reach the server."""
    task = module("csp_access_token", register, ca_path="{{ ca_path }}")
    return {**task, "environment": {"CSP_HOST": "{{ lab.csp.url }}", **environment}}


def test_the_environment_replaces_missing_options_and_an_empty_variable_counts_as_not_set(
    ansible: Ansible, lab: Lab
) -> None:
    api_token = "{{ lab.csp.api_token }}"
    wrong = "wrong-token-of-the-environment"
    app = {"CSP_CLIENT_ID": "{{ lab.csp.client_id }}", "CSP_CLIENT_SECRET": "{{ lab.csp.client_secret }}"}
    environment = {"CSP_HOST": "{{ lab.csp.url }}", "CSP_API_TOKEN": wrong}
    tasks = [
        bare("first", CSP_API_TOKEN=api_token, NSXT_VMC_TOKEN=wrong),
        bare("second", NSXT_VMC_TOKEN=api_token),
        bare("empty", CSP_API_TOKEN="", NSXT_VMC_TOKEN=api_token),
        bare("app", CSP_API_TOKEN="", **app),
        {**csp("explicit_app", **OAUTH_APP), "environment": environment},
        {**csp("explicit_token", client_id="{{ omit }}"), "environment": {**environment, **app}},
        failing(bare("nothing", CSP_API_TOKEN="", NSXT_VMC_TOKEN="")),
        failing(bare("half", CSP_CLIENT_ID="{{ lab.csp.client_id }}")),
    ]
    process = {"CSP_API_TOKEN": "", "NSXT_VMC_TOKEN": "", "CSP_CLIENT_SECRET": ""}

    run = succeeded(ansible.play(tasks, environ=process))

    names = ["first", "second", "empty", "app", "explicit_app", "explicit_token"]
    cut = by_task(run, lab, "csp", *names)
    assert [lines(cut[name]) for name in names] == [
        [EXCHANGE],
        [EXCHANGE],
        [EXCHANGE],
        [EXCHANGE_CLIENT],
        [EXCHANGE_CLIENT],
        [EXCHANGE],
    ]
    assert wrong not in json.dumps([entry.body for entry in lab.requests()])
    assert "set api_token, or client_id" in run["nothing"]["msg"]
    assert "client_secret" in run["half"]["msg"]


def test_check_mode_predicts_and_exchanges_nothing(in_process: InProcess, lab: Lab) -> None:
    always: dict[str, Any] = {"token_file": FILE, "renew": "always"}
    tasks = [
        checked(csp("created_predicted", token_file=FILE)),
        csp("created", token_file=FILE),
        checked(csp("reused_predicted", token_file=FILE)),
        csp("reused", token_file=FILE),
        checked(csp("renewed_predicted", **always)),
        csp("renewed", **always),
        checked(csp("unkept_predicted")),
    ]

    run = succeeded(in_process.play(tasks, diff=True))

    for name in ("created", "reused", "renewed"):
        predicted = run[f"{name}_predicted"]
        assert (predicted["action"], predicted["changed"]) == (name, run[name]["changed"]) == (name, name != "reused")
        assert predicted["request_count"] == 0
        assert predicted["diff"]["before"] == run[name]["diff"]["before"]
    assert run["unkept_predicted"]["action"] == "created"
    assert set(run["renewed"]["diff"]["after"]) == {"fingerprint", "expires_at", "scope"}
    assert lines(lab.requests("csp")) == [EXCHANGE] * 2
