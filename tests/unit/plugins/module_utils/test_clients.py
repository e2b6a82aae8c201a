# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clients of the products, as far as a rule is general: units of time, paths, errors of any form."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._clients import avi, csp, nsx, nsx_auth, vcenter, vidb, vrni
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError, BadResponse, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token, iso8601
from ansible_collections.sddc.tokens.plugins.module_utils._http.auth import UNSIGNED, StaticAuth
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from products import KITS
from support.in_process import done

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]
YEAR = 366 * 86400
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def answer(lab: Lab, product: str, body: Any) -> None:
    """Let the next request be answered with this body, which may be no JSON that Python's writer is proud of."""
    lab.fault(product, "status", status=200, body=json.dumps(body), headers={"Content-Type": "application/json"})


# vRNI.


@pytest.fixture
def create_vrni_token(lab: Lab, session: OpenSession) -> Callable[[], Token]:
    one = session()
    password = Secret(lab["vrni"]["password"])
    return lambda: vrni.VrniClient(one).create_auth_token(lab["vrni"]["username"], password, "LOCAL")


@pytest.mark.parametrize(("form", "known"), [("s", True), ("ms", True), ("absent", False), ("past", False)])
def test_expiry_of_vrni_is_understood_in_seconds_and_milliseconds(
    lab: Lab, create_vrni_token: Callable[[], Token], form: str, known: bool
) -> None:
    lab.change_settings("vrni", expiry=form, lifetime=7200)
    token = create_vrni_token()
    assert token.expires_at == (pytest.approx(time.time() + 7200, abs=120) if known else None)
    assert token.issued_at == pytest.approx(time.time(), abs=120)


def test_expiry_more_than_a_year_away_is_not_believed(lab: Lab, create_vrni_token: Callable[[], Token]) -> None:
    lab.change_settings("vrni", expiry="far")
    assert create_vrni_token().expires_at is None


@pytest.mark.parametrize("offset", [-86400.0, 86400.0])
def test_expiry_is_judged_past_by_the_servers_clock(
    lab: Lab, create_vrni_token: Callable[[], Token], offset: float
) -> None:
    lab.change_settings("vrni", clock_offset=offset, lifetime=3600)
    token = create_vrni_token()
    assert token.expires_at == pytest.approx(time.time() + offset + 3600, abs=120)
    assert token.lifetime == pytest.approx(3600, abs=120)


@settings(max_examples=40)
@given(left=st.floats(120, YEAR - 10), unit=st.sampled_from([1, 1000]), whole=st.booleans())
def test_any_expiry_within_a_year_is_understood_in_either_unit(
    lab: Lab, create_vrni_token: Callable[[], Token], left: float, unit: int, whole: bool
) -> None:
    expiry = (time.time() + left) * unit
    answer(lab, "vrni", {"token": "opaque-token", "expiry": int(expiry) if whole else expiry})
    expires_at = create_vrni_token().expires_at
    assert expires_at is not None
    assert expires_at == pytest.approx(time.time() + left, abs=120)


@settings(max_examples=40)
@given(expiry=JSON)
@example(expiry=10**400)
@example(expiry=-(10**400))
@example(expiry=float("nan"))
@example(expiry=float("inf"))
@example(expiry=1e300)
@example(expiry=True)
@example(expiry="1800000000")
def test_expiry_that_makes_no_sense_is_unknown_and_loses_no_token(
    lab: Lab, create_vrni_token: Callable[[], Token], expiry: object
) -> None:
    answer(lab, "vrni", {"token": "opaque-token", "expiry": expiry})
    token = create_vrni_token()
    assert token.secret == Secret("opaque-token")
    assert token.expires_at is None or 0 < token.expires_at - time.time() < YEAR + 60


@pytest.mark.parametrize("body", [{}, {"expiry": 1}, {"token": None}, {"token": ""}, {"token": 5}, [], None, "token"])
def test_reply_without_a_token_is_an_error_that_names_what_may_be_left(
    lab: Lab, create_vrni_token: Callable[[], Token], body: object
) -> None:
    answer(lab, "vrni", body)
    with pytest.raises(BadResponse, match="may be left on the server"):
        create_vrni_token()


@pytest.mark.parametrize(("product", "reply"), [(name, kit.reply) for name, kit in KITS.items() if kit.reply])
def test_token_that_no_header_can_carry_is_an_error_once_and_kept_by_nobody(
    lab: Lab, tmp_path: Path, product: str, reply: tuple[str, dict[str, Any]]
) -> None:
    file = tmp_path / "token.json"
    name, document = reply
    (keeping,) = (job for job in KITS[product].jobs.values() if job.keeps and not job.before)
    answer(lab, product, {**document, name: "torn\nin two"})

    failed = done(keeping, lab.details, str(file))

    assert f"'{name}' in the response holds characters that no header can carry" in failed.message
    assert "may" in failed.message
    assert not file.exists()
    assert not done(keeping, lab.details, str(file)).result.get("failed")


def test_page_of_a_proxy_is_no_proof_that_a_token_works(lab: Lab, session: OpenSession) -> None:
    lab.fault("vrni", "html", status=200)
    with pytest.raises(BadResponse, match="HTML page"):
        vrni.VrniClient(session()).is_accepted(Secret("any"))


@pytest.mark.parametrize("status", [403, 404, 500, 502])
def test_only_a_401_says_that_a_token_is_dead(lab: Lab, session: OpenSession, status: int) -> None:
    client = vrni.VrniClient(session())
    assert client.is_accepted(Secret("nobody-knows-it")) is False
    assert client.delete_auth_token(Secret("nobody-knows-it")) is False
    lab.fault("vrni", "status", status=status, times=2)
    for ask in (client.is_accepted, client.delete_auth_token):
        with pytest.raises(TokensError, match=str(status)):
            ask(Secret("nobody-knows-it"))


def test_wrong_password_and_too_many_tokens_are_both_said(lab: Lab, session: OpenSession) -> None:
    with pytest.raises(ApiError) as caught:
        vrni.VrniClient(session()).create_auth_token("admin@local", Secret("wrong-password"), "LOCAL")
    assert "password" in str(caught.value)
    assert "100 valid tokens" in str(caught.value)
    assert "wrong-password" not in str(caught.value)


def test_token_that_the_server_quotes_while_it_refuses_to_end_it_is_not_shown(lab: Lab, session: OpenSession) -> None:
    token = "Mgs2YX0ZSY+gHW6RYypeeA"
    lab.fault("vrni", "status", status=500, body={"code": 500, "message": f"cannot delete {token} now"})
    with pytest.raises(ApiError) as caught:
        vrni.VrniClient(session()).delete_auth_token(Secret(token))
    assert f"cannot delete {MASK} now" in str(caught.value)


# CSP.


def test_api_token_that_csp_quotes_is_not_shown(lab: Lab, session: OpenSession) -> None:
    wrong = Secret("wrong-api-token/with+marks")
    with pytest.raises(ApiError) as caught:
        csp.CspClient(session("csp")).authorize_api_token(wrong)
    assert "Invalid refresh token" in str(caught.value)
    assert wrong.reveal() not in str(caught.value)


@settings(max_examples=40)
@given(expires_in=JSON)
@example(expires_in=10**400)
@example(expires_in=float("nan"))
@example(expires_in=float("inf"))
@example(expires_in="1800")
@example(expires_in=0)
def test_life_that_csp_tells_in_any_form_leaves_a_token_that_can_be_used(
    lab: Lab, session: OpenSession, expires_in: object
) -> None:
    answer(lab, "csp", {"access_token": "opaque-token", "expires_in": expires_in})
    token = csp.CspClient(session("csp")).authorize_api_token(Secret("any"))
    assert token.secret == Secret("opaque-token")
    assert token.expires_at is None or math.isfinite(token.expires_at)
    iso8601(token.expires_at)


def jwt(**claims: float) -> str:
    """A token that claims this, signed by nobody."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{part}.c2ln"


@pytest.mark.parametrize("earliest", ["expires_in", "access_token", "id_token"])
def test_earliest_of_the_expiries_counts(lab: Lab, session: OpenSession, earliest: str) -> None:
    left = {"expires_in": 1800, "access_token": 1700, "id_token": 1600, earliest: 600}
    claimed = {name: jwt(exp=time.time() + left[name]) for name in ("access_token", "id_token")}
    answer(lab, "csp", {"expires_in": left["expires_in"], **claimed})
    token = csp.CspClient(session("csp")).authorize_api_token(Secret("any"))
    assert token.expires_at == pytest.approx(time.time() + 600, abs=120)
    assert token.companions == {"id_token": Secret(claimed["id_token"])}


# NSX.

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
def test_any_id_arrives_at_the_manager_as_one_segment_and_unchanged(
    lab: Lab, session: OpenSession, nsx_tokens: Token, name: str
) -> None:
    assume(name not in (".", ".."))
    lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=[name], tier0_id=PLACE[0])
    before = lab.counts("nsx")["reauths"]
    headers = nsx_auth.bearer_headers(nsx_tokens.secret, open_id_token=nsx_tokens.companions["id_token"])
    client = nsx.NsxClient(session("nsx"), StaticAuth(headers))
    # The lab's router takes no braces; what arrives is seen all the same.
    with contextlib.suppress(*([ApiError] if set("{}") & set(name) else [])):
        client.renew_authentication_tokens(nsx.InstanceRef(*PLACE, name))
        assert lab.counts("nsx")["reauths"] == before + 1
    entry = lab.requests("nsx")[-1]
    segments = [urllib.parse.unquote(part) for part in entry.path.split("/")]
    assert segments[5:] == ["tier-0s", PLACE[0], "locale-services", PLACE[1], "service-instances", name]
    assert entry.query == "action=reauth"


@pytest.mark.parametrize("name", ["", ".", ".."])
@pytest.mark.parametrize("option", ["tier0_id", "locale_service_id", "service_instance_id"])
def test_id_that_no_url_can_carry_is_refused_by_its_option(name: str, option: str) -> None:
    ids = {"tier0_id": "a", "locale_service_id": "b", "service_instance_id": "c", option: name}
    with pytest.raises(TokensError, match=option):
        nsx.InstanceRef(**ids).url_path()


@given(ids=st.tuples(*[st.text(min_size=1).filter(lambda name: "/" not in name)] * 3))
def test_policy_path_of_an_instance_reads_back_as_the_same_instance(ids: tuple[str, str, str]) -> None:
    ref = nsx.InstanceRef(*ids)
    assert nsx.InstanceRef.from_path(ref.path) == ref


@pytest.mark.parametrize("path", ["", "/infra/tier-0s/a", "/infra/tier-0s/a/locale-services/b/service-instances/c/d"])
def test_path_of_something_else_names_no_instance(path: str) -> None:
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
def test_alarm_of_any_form_is_read_or_named_as_a_bad_reply(
    lab: Lab, session: OpenSession, fields: dict[str, Any]
) -> None:
    answer(lab, "nsx", {"results": [fields], **({"results": fields["results"]} if "results" in fields else {})})
    client = nsx.NsxClient(session("nsx"), UNSIGNED)
    try:
        alarms = client.list_policy_alarms()
    except BadResponse:
        return
    assert all(isinstance(part, str) for alarm in alarms for part in (alarm.text, *alarm.paths))


# Errors of all products.


@pytest.mark.parametrize("product", [avi, csp, nsx, vcenter, vidb, vrni], ids=lambda product: product.__name__[-7:])
@given(
    document=JSON
    | st.dictionaries(
        st.sampled_from(
            ["code", "message", "details", "error", "error_code", "error_message", "related_errors", "messages"]
        ),
        JSON,
        max_size=4,
    )
)
@example(document={"details": 5, "related_errors": True, "messages": 1.5})
@example(document={"details": {"a": 1}, "related_errors": {"error_message": 1}, "messages": "text"})
def test_error_of_any_form_is_read_without_stumbling(product: ModuleType, document: object) -> None:
    code, message = product.error_facts(document)
    assert isinstance(code, str)
    assert isinstance(message, str)
