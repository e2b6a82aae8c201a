# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of NSX: its sessions, ids in paths, pages, alarms of any form."""

from __future__ import annotations

import contextlib
import urllib.parse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._clients import csp, nsx, nsx_auth
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError, BadResponse, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._http.auth import UNSIGNED, StaticAuth
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.documents import JSON, answer

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]

PLACE = ("T0/main %2F", "default")


@pytest.fixture
def nsx_tokens(lab: Lab, session: OpenSession) -> Token:
    lab.change_settings("nsx", rate_limit=0)
    return csp.CspClient(session("csp")).authorize_api_token(Secret(lab["csp"]["api_token"]))


@settings(max_examples=50)
@given(name=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12))
@example(name="partner fw 12")
@example(name="a/b?action=x#y")
@example(name="%2e%2e")
@example(name="a;b=c&d+e")
@example(name="ünïcode 名前")
@example(name="...")
def test_any_id_reaches_the_manager_as_one_unchanged_segment(
    lab: Lab, session: OpenSession, nsx_tokens: Token, name: str
) -> None:
    assume(name not in (".", ".."))
    lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=[name], tier0_id=PLACE[0])
    before = lab.counts("nsx")["reauths"]
    headers = nsx_auth.bearer_headers(nsx_tokens.secret, open_id_token=nsx_tokens.companions["id_token"])
    client = nsx.NsxClient(session("nsx"), StaticAuth(headers))
    # The lab's router does not accept braces. What arrives is recorded all the same.
    with contextlib.suppress(*([ApiError] if set("{}") & set(name) else [])):
        client.renew_authentication_tokens(nsx.InstanceRef(*PLACE, name))
        assert lab.counts("nsx")["reauths"] == before + 1
    entry = lab.requests("nsx")[-1]
    segments = [urllib.parse.unquote(part) for part in entry.path.split("/")]
    assert segments[5:] == ["tier-0s", PLACE[0], "locale-services", PLACE[1], "service-instances", name]
    assert entry.query == "action=reauth"


@pytest.mark.parametrize("name", ["", ".", ".."])
@pytest.mark.parametrize("option", ["tier0_id", "locale_service_id", "service_instance_id"])
def test_id_that_cannot_be_in_a_url_is_refused_by_its_option(name: str, option: str) -> None:
    ids = {"tier0_id": "a", "locale_service_id": "b", "service_instance_id": "c", option: name}
    with pytest.raises(TokensError, match=option):
        nsx.InstanceRef(**ids).url_path()


@given(ids=st.tuples(*[st.text(min_size=1).filter(lambda name: "/" not in name)] * 3))
def test_policy_path_of_an_instance_is_parsed_as_the_same_instance(ids: tuple[str, str, str]) -> None:
    ref = nsx.InstanceRef(*ids)
    assert nsx.InstanceRef.from_path(ref.path) == ref


@pytest.mark.parametrize("path", ["", "/infra/tier-0s/a", "/infra/tier-0s/a/locale-services/b/service-instances/c/d"])
def test_path_of_another_object_names_no_instance(path: str) -> None:
    assert nsx.InstanceRef.from_path(path) is None


@pytest.mark.parametrize("last_cursor", ["absent", "zeros"])
def test_alarms_of_all_pages_are_read(
    lab: Lab, session: OpenSession, nsx_tokens: Token, monkeypatch: pytest.MonkeyPatch, last_cursor: str
) -> None:
    monkeypatch.setattr(nsx, "PAGE_SIZE", 2)
    lab.change_settings("nsx", last_cursor=last_cursor)
    one = session("nsx")
    alarms = nsx.NsxClient(one, StaticAuth(nsx_auth.bearer_headers(nsx_tokens.secret))).list_policy_alarms()
    assert len(alarms) == 3
    assert one.request_count == 2


@settings(max_examples=40)
@given(
    fields=st.dictionaries(
        st.sampled_from(["message", "error_details", "source_reference", "intent_paths", "results"]), JSON
    )
)
@example(fields={"intent_paths": 5})
@example(fields={"error_details": [], "message": {"a": 1}})
def test_alarm_of_any_form_is_read_or_named_as_a_bad_response(
    lab: Lab, session: OpenSession, fields: dict[str, Any]
) -> None:
    answer(lab, "nsx", {"results": [fields], **({"results": fields["results"]} if "results" in fields else {})})
    client = nsx.NsxClient(session("nsx"), UNSIGNED)
    try:
        alarms = client.list_policy_alarms()
    except BadResponse:
        return
    assert all(isinstance(part, str) for alarm in alarms for part in (alarm.text, *alarm.paths))


# Sessions.


@pytest.fixture
def signed_in(lab: Lab, session: OpenSession) -> tuple[nsx_auth.SessionAuth, nsx.NsxClient]:
    lab.change_settings("nsx", rate_limit=0)
    one = session("nsx")
    auth = nsx_auth.SessionAuth(one, lab["nsx"]["username"], Secret(lab["nsx"]["password"]))
    return auth, nsx.NsxClient(one, auth)


def paths(lab: Lab) -> list[str]:
    return [entry.path.split("/")[-1] for entry in lab.requests("nsx")]


def test_a_session_is_opened_with_the_first_request_and_again_after_a_refusal(
    lab: Lab, signed_in: tuple[nsx_auth.SessionAuth, nsx.NsxClient]
) -> None:
    auth, client = signed_in
    assert paths(lab) == []
    client.list_tier0s()
    lab.fault("nsx", "status", path="/tier-0s", status=403, body={"error_message": "Bad XSRF token"})

    assert client.list_tier0s()
    auth.sign_out()
    auth.sign_out()

    assert paths(lab) == ["create", "tier-0s", "tier-0s", "destroy", "create", "tier-0s", "destroy"]
    assert (lab.counts("nsx")["sessions_opened"], lab.counts("nsx")["sessions_open"]) == (2, 0)


def test_a_session_that_is_refused_at_once_is_not_opened_again(
    lab: Lab, signed_in: tuple[nsx_auth.SessionAuth, nsx.NsxClient]
) -> None:
    auth, client = signed_in
    lab.fault("nsx", "status", path="/tier-0s", status=403, body={"error_message": "no permission"})

    with pytest.raises(ApiError) as caught:
        client.list_tier0s()
    auth.sign_out()

    assert caught.value.status == 403
    assert paths(lab) == ["create", "tier-0s", "destroy"]


def test_after_a_failed_sign_in_there_is_no_session_to_sign_out_of(
    lab: Lab, signed_in: tuple[nsx_auth.SessionAuth, nsx.NsxClient]
) -> None:
    auth, client = signed_in
    client.list_tier0s()
    lab.fault("nsx", "status", path="/tier-0s", status=401, body={})
    lab.fault("nsx", "status", path="/session/create", status=403, body={})

    with pytest.raises(ApiError) as caught:
        client.list_tier0s()
    auth.sign_out()

    assert caught.value.doing == "sign in"
    assert paths(lab) == ["create", "tier-0s", "tier-0s", "destroy", "create"]
