# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refused request is replayed once with a renewed credential. Several threads share one renewal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError, ResponseLost
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._http.auth import Auth
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from products import EXAMPLE

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]
PRODUCT = EXAMPLE.name
VERSION, TOKEN = (EXAMPLE.targets[name].path for name in ("prove", "create"))


class Numbered(Auth[int]):
    """Authenticates with a number, which each renewal increases up to a limit."""

    def __init__(self, renewals: int = 1) -> None:
        self.number = 0
        self.renewals = renewals
        self.confirmed: list[int] = []
        self._lock = threading.Lock()

    def credential(self) -> int:
        return self.number

    def headers(self, credential: int) -> Mapping[str, Any]:
        return {"X-Number": Secret(f"number-{credential}")}

    def renewed(self, refused: int, error: ApiError) -> int | None:
        with self._lock:
            if refused == self.number:
                if not self.renewals:
                    return None
                self.renewals -= 1
                self.number += 1
            return self.number

    def confirm(self, renewed: int) -> None:
        self.confirmed.append(renewed)


def numbers(lab: Lab) -> list[str | None]:
    return [entry.header("X-Number") for entry in lab.requests(PRODUCT)]


PAGE = {"Content-Type": "text/html"}
# The body of a refusal, and its headers.
BODIES: dict[str, dict[str, Any]] = {
    "empty": {},
    "JSON": {"body": {"message": "expired"}},
    "a page": {"body": "<!DOCTYPE html><html>401</html>", "headers": PAGE},
    "a page without a type": {"body": "<html>401</html>"},
    "torn JSON": {"body": '{"message": "'},
    "compressed": {"body": "\x1f\x8b", "headers": {"Content-Encoding": "gzip"}},
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_request_is_replayed_with_the_renewed_credential(
    lab: Lab, session: OpenSession, status: int, method: str, body: str
) -> None:
    lab.fault(PRODUCT, "status", status=status, **BODIES[body])
    lab.fault(PRODUCT, "status", status=200, body={})
    auth, one = Numbered(renewals=5), session()

    one.request(method, VERSION, doing="read", auth=auth)

    assert numbers(lab) == ["number-0", "number-1"]
    assert (auth.confirmed, one.request_count) == ([1], 2)


def test_a_request_is_replayed_once(lab: Lab, session: OpenSession) -> None:
    auth = Numbered(renewals=5)

    with pytest.raises(ApiError) as caught:
        session().request("GET", VERSION, doing="read", auth=auth)

    assert caught.value.status == 401
    assert numbers(lab) == ["number-0", "number-1"]
    assert auth.confirmed == []


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_other_than_a_refusal_renews_nothing(lab: Lab, session: OpenSession, status: int) -> None:
    lab.fault(PRODUCT, "status", status=status)
    auth = Numbered()

    with pytest.raises(ApiError):
        session().request("GET", VERSION, doing="read", auth=auth)

    assert (numbers(lab), auth.number) == (["number-0"], 0)


def test_without_a_new_credential_the_refusal_is_the_error(lab: Lab, session: OpenSession) -> None:
    with pytest.raises(ApiError) as caught:
        session().request("GET", VERSION, doing="read", auth=Numbered(renewals=0))

    assert (caught.value.status, numbers(lab)) == (401, ["number-0"])


def test_a_post_whose_response_was_lost_is_not_replayed(lab: Lab, session: OpenSession) -> None:
    lab.fault(PRODUCT, "drop_after")
    auth = Numbered()

    with pytest.raises(ResponseLost):
        session(retries=3).request("POST", TOKEN, doing="create", json_body={}, auth=auth)

    assert (numbers(lab), auth.number) == (["number-0"], 0)


def test_one_renewal_serves_all_threads_whose_request_was_refused(lab: Lab, session: OpenSession) -> None:
    auth, one = Numbered(), session(connections=4)
    lab.fault(PRODUCT, "delay", seconds=0.2, times=4)

    def refused(_number: int) -> int:
        with pytest.raises(ApiError) as caught:
            one.request("GET", VERSION, doing="read", auth=auth)
        return caught.value.status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(refused, range(12))) == {401}

    assert auth.number == 1
    assert set(numbers(lab)) == {"number-0", "number-1"}


def test_a_replay_keeps_that_an_earlier_attempt_may_have_been_carried_out(lab: Lab, session: OpenSession) -> None:
    lab.fault(PRODUCT, "drop_after")
    lab.fault(PRODUCT, "status", status=401)
    lab.fault(PRODUCT, "status", status=404)

    with pytest.raises(ApiError) as caught:
        session(retries=1).request("DELETE", TOKEN, doing="delete", auth=Numbered())

    assert (caught.value.status, caught.value.follows_lost_response) == (404, True)


def test_a_signature_is_never_quoted(lab: Lab, session: OpenSession) -> None:
    lab.fault(PRODUCT, "status", status=400, body={"code": 1, "message": "who is number-0?"})

    with pytest.raises(ApiError) as caught:
        session().request("GET", VERSION, doing="read", auth=Numbered())

    assert "number-0" not in str(caught.value)
