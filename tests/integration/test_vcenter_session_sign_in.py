# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a session of vCenter: with a password, with an access token, or not at all."""

from __future__ import annotations

import base64
import gzip
import re
import urllib.parse
from typing import TYPE_CHECKING

import pytest

from products.vcenter import BY_TOKEN, session, vcenter
from products.vidb import vidb
from support.canaries import leaks
from support.in_process import record_of
from support.in_process_plays import InProcess
from support.kit import OMIT
from support.tasks import by_task, failing, lines, succeeded

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

OPEN, CHECK = "POST /api/session", "GET /api/session"
EXCHANGE = "POST /api/vcenter/authentication/token"
FILE = "{{ playbook_dir }}/token.json"


def assertion_in(request: LoggedRequest) -> str:
    """The SAML assertion with which a request is signed."""
    (token,) = re.findall(r'^SIGN token="([A-Za-z0-9+/=]+)"$', str(request.header("Authorization")))
    return gzip.decompress(base64.b64decode(token)).decode()


def stored(in_process: InProcess) -> str:
    """The content of the token file."""
    return (in_process.folder / "token.json").read_text()


@pytest.mark.parametrize("encoding", ["base64", "base64url"])
def test_an_access_token_is_exchanged_for_an_assertion_of_which_only_the_session_is_stored(
    in_process: InProcess, lab: Lab, encoding: str
) -> None:
    lab.change_settings("vcenter", assertion_format=encoding, session_status=200)
    by_token = {"username": OMIT, "password": OMIT, "access_token": "{{ lab.vcenter.access_token }}"}

    run = succeeded(in_process.play([session("opened", token_file=FILE, **by_token)]))

    exchanged, opened, checked_ = lab.requests("vcenter")
    assert [request.line for request in (exchanged, opened, checked_)] == [EXCHANGE, OPEN, CHECK]
    access_token = lab["vcenter"]["access_token"]
    assert exchanged.header("Authorization") == f"Bearer {access_token}"
    assert urllib.parse.parse_qs(exchanged.body) == {
        "grant_type": ["urn:ietf:params:oauth:grant-type:token-exchange"],
        "subject_token": [access_token],
        "subject_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
        "requested_token_type": ["urn:ietf:params:oauth:token-type:saml2"],
    }
    assertion = assertion_in(opened)
    assert "<saml2:NameID>operator@example.com</saml2:NameID>" in assertion
    assert run["opened"]["verified"]
    record = record_of(str(in_process.folder / "token.json"))
    assert record is not None
    assert record.principal == "operator@example.com", "the subject of the access token"
    others = [one["value"] for one in lab.secrets() if one["value"] != run["opened"]["token"]]
    assert leaks({"file": stored(in_process)}, others) == []


def test_an_overflow_token_opens_a_session_once_it_is_registered(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        vidb("vidb"),
        failing(session("unregistered", **BY_TOKEN)),
        vcenter("registered"),
        session("opened", **BY_TOKEN),
    ]

    run = succeeded(in_process.play(tasks))

    assert "use vcenter_registered_token" in run["unregistered"]["msg"]
    assert run["unregistered"]["request_count"] == 1
    assert (run["opened"]["action"], run["opened"]["verified"]) == ("created", True)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('"torn\\nin two"', "the session id in the response contains characters that are invalid in a header"),
        ('""', "no usable session id"),
        ("7", "no usable session id"),
        ('{"value": null}', "no usable session id"),
    ],
)
def test_an_unusable_session_id_is_not_stored_and_the_error_names_what_may_be_left(
    in_process: InProcess, lab: Lab, body: str, error: str
) -> None:
    lab.fault("vcenter", "status", status=201, body=body, headers={"Content-Type": "application/json"})

    run = in_process.play([session("opened", token_file=FILE)])

    assert error in run["opened"]["msg"]
    assert "An unused session may be left open" in run["opened"]["msg"]
    assert not (in_process.folder / "token.json").exists()


@pytest.mark.parametrize("answer", ["no base64!", "dGV4dA", "/////w==", "A", 5, None], ids=str)
def test_what_is_no_assertion_is_not_sent_to_sign_in(in_process: InProcess, lab: Lab, answer: object) -> None:
    body, by_token = {"access_token": answer}, {"username": OMIT, "password": OMIT}
    lab.fault("vcenter", "status", status=200, body=body, path="/authentication/token")

    run = in_process.play([session("opened", **by_token, access_token="{{ lab.vcenter.access_token }}")])

    assert "'access_token'" in run["opened"]["msg"]
    assert lines(lab.requests("vcenter")) == [EXCHANGE]


def test_a_session_of_another_user_in_the_file_is_refused_untouched(in_process: InProcess, lab: Lab) -> None:
    by_token = {"username": OMIT, "password": OMIT, "access_token": "{{ lab.vcenter.access_token }}"}
    tasks = [session("opened", token_file=FILE), failing(session("other", token_file=FILE, **by_token))]

    run = succeeded(in_process.play(tasks))

    assert f"holds a vcenter token of {lab['vcenter']['username']}" in run["other"]["msg"]
    assert run["other"]["request_count"] == 0
    assert run["opened"]["token"] in stored(in_process)


@pytest.mark.parametrize(
    ("exported", "first"),
    [
        (("username", "password"), OPEN),
        (("access_token",), EXCHANGE),
        (("username", "password", "access_token"), OPEN),
    ],
)
def test_the_environment_names_the_user_or_the_access_token_and_the_user_wins(
    in_process: InProcess, lab: Lab, exported: tuple[str, ...], first: str
) -> None:
    names = {"username": "VMWARE_USER", "password": "VMWARE_PASSWORD", "access_token": "VCENTER_ACCESS_TOKEN"}
    environment = {"VMWARE_HOST": lab["vcenter"]["url"], **{names[one]: lab["vcenter"][one] for one in exported}}
    unset = dict.fromkeys(("hostname", *names), OMIT)

    run = succeeded(in_process.play([{**session("opened", **unset), "environment": environment}]))

    assert lines(lab.requests("vcenter"))[0] == first
    assert run["opened"]["action"] == "created"


def test_a_refused_password_is_sent_once_and_a_refused_assertion_names_what_vcenter_withholds(
    in_process: InProcess, lab: Lab
) -> None:
    lab.change_settings("vcenter", bearer_assertions=False)
    by_token = {"username": OMIT, "password": OMIT, "access_token": "{{ lab.vcenter.access_token }}"}
    tasks = [
        failing(session("password", password="wrong", token_file=FILE)),
        failing(session("assertion", token_file=FILE, **by_token)),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vcenter", "password", "assertion")
    assert [lines(requests) for requests in cut.values()] == [[OPEN], [EXCHANGE, OPEN]]
    assert "code UNAUTHENTICATED, 'Authentication required.'" in run["password"]["msg"]
    assert "Check username" in run["password"]["msg"]
    assert "clocks" in run["assertion"]["msg"]
    assert not (in_process.folder / "token.json").exists()


def test_the_error_at_the_limit_of_sessions_names_it(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("vcenter", most_sessions=0)

    run = in_process.play([session("opened", retries=0)])

    assert "its maximum number of sessions is reached" in run["opened"]["msg"]
    assert lab.counts("vcenter")["refused_for_limit"] == 1
