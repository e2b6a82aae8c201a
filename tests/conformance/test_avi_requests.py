# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each request of our Avi client is the same as that of avisdk, except for deliberate differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from avi.sdk.avi_api import ApiSession

from ansible_collections.sddc.tokens.plugins.module_utils._clients import avi, avi_auth
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from conformance.comparison import (
    ESCAPED,
    PAGE_SIZE,
    RESERVED,
    Deliberate,
    Operation,
    assert_told_once,
    differences,
    meant,
    session,
)
from conformance.test_avi_client import TYPE as TOKENS
from conformance.test_avi_client import UUID, avi_session

if TYPE_CHECKING:
    from lab.client import Lab

LABEL = {"name": "se-01", "expiry_time": 1893456000.5, "metadata": [{"key": "a", "val": "1"}]}


class AviClients:
    """Both clients of an Avi controller, signed in."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.theirs = avi_session(lab)
        self.ours = self.client()
        self.cloud = self.theirs.get_object_by_name("cloud", lab["avi"]["cloud"])["uuid"]
        self.tenant = self.theirs.get_object_by_name("tenant", "lab")["uuid"]
        self.context = self.theirs.get_context()

    def client(self, *, own_session: bool = True, **identity: Any) -> avi.AviClient:
        """Return our client, signed in."""
        details = self.lab["avi"]
        given = {
            "username": details["username"] if own_session else None,
            "password": Secret(details["password"]) if own_session else None,
            "session_id": None if own_session else Secret(self.context["session_id"]),
            "csrftoken": None if own_session else Secret(self.context["csrftoken"]),
            "api_version": details["api_version"],
            "tenant": details["tenant"],
            "tenant_uuid": None,
        }
        controller = session(self.lab, "avi", avi)
        self.auth = avi_auth.AviAuth(controller, avi_auth.Identity(**{**given, **identity}))
        self.auth.login()
        return avi.AviClient(controller, self.auth)

    def in_their_session(self) -> ApiSession:
        """Return the vendor's client in an existing session."""
        return avi_session(self.lab, username=None, password=None, **self.context)

    def make(self, uuid: str = UUID) -> None:
        """Create an object with this uuid if it does not exist."""
        self.theirs.post(TOKENS, data=LABEL, force_uuid=uuid)

    def make_many(self) -> None:
        """Create enough objects for a listing of more than two pages."""
        for number in range(2 * PAGE_SIZE + 1):
            self.make(f"se-uuid-{number}")

    def end_sessions(self) -> None:
        """End all sessions."""
        self.lab.act("avi", "end_sessions", host="127.0.0.1")

    def rotate(self) -> None:
        """Change the CSRF token with each write."""
        self.lab.change_settings("avi", rotate_csrf=True)


REQUESTS = {
    "avi login": Operation(lambda it: avi_session(it.lab), lambda it: it.client()),
    "avi logout": Operation(lambda it: it.theirs.post("logout"), lambda it: it.auth.logout()),
    "avi list": Operation(lambda it: list(it.theirs.get_objects_iter(TOKENS)), lambda it: it.ours.list_tokens()),
    "avi list, page by page": Operation(
        lambda it: list(it.theirs.get_objects_iter(TOKENS, params={"page_size": PAGE_SIZE})),
        lambda it: it.ours.list_tokens(),
        lambda it: it.make_many(),
    ),
    "avi list by name": Operation(
        lambda it: it.theirs.get_object_by_name(TOKENS, "se 01&more"), lambda it: it.ours.list_tokens("se 01&more")
    ),
    "avi list without a version": Operation(
        lambda it: avi_session(it.lab, api_version=None).get(TOKENS),
        lambda it: it.client(api_version=None).list_tokens(),
    ),
    "avi list in a session of the user": Operation(
        lambda it: it.in_their_session().get(TOKENS), lambda it: it.client(own_session=False).list_tokens()
    ),
    "avi list in a tenant by uuid": Operation(
        lambda it: it.theirs.get(TOKENS, tenant_uuid=it.tenant),
        lambda it: it.client(own_session=False, tenant_uuid=it.tenant).list_tokens(),
    ),
    "avi list after the session has ended": Operation(
        lambda it: it.theirs.get(TOKENS), lambda it: it.ours.list_tokens(), lambda it: it.end_sessions()
    ),
    "avi get": Operation(
        lambda it: it.theirs.get(f"{TOKENS}/{UUID}"),
        lambda it: it.ours.get_token(UUID),
        lambda it: it.make(),
    ),
    "avi get of a uuid with reserved characters": Operation(
        lambda it: it.theirs.get(f"{TOKENS}/{RESERVED}"), lambda it: it.ours.get_token(RESERVED)
    ),
    "avi create": Operation(
        lambda it: it.theirs.post(TOKENS, data=LABEL), lambda it: it.ours.create_token(LABEL)
    ),
    "avi create after the CSRF token has changed": Operation(
        lambda it: [it.theirs.post(TOKENS, data=LABEL) for _time in range(2)],
        lambda it: [it.ours.create_token(LABEL) for _time in range(2)],
        lambda it: it.rotate(),
    ),
    "avi update": Operation(
        lambda it: it.theirs.put(f"{TOKENS}/{UUID}", data=LABEL),
        lambda it: it.ours.update_token(UUID, LABEL),
        lambda it: it.make(),
    ),
    "avi delete": Operation(
        lambda it: it.theirs.delete(f"{TOKENS}/{UUID}"),
        lambda it: it.ours.delete_token(UUID),
        lambda it: it.make(),
    ),
    "avi cloud": Operation(
        lambda it: it.theirs.get_object_by_name("cloud", it.lab["avi"]["cloud"]),
        lambda it: it.ours.list_clouds(it.lab["avi"]["cloud"]),
    ),
    "avi cluster": Operation(lambda it: it.theirs.get("cluster"), lambda it: it.ours.get_cluster()),
    "avi token of an engine": Operation(
        lambda it: it.theirs.get("securetoken-generate", params={"cloud_uuid": it.cloud}),
        lambda it: it.ours.generate_se_token(it.cloud),
    ),
}  # fmt: skip

_LISTINGS = tuple(name for name in REQUESTS if name.startswith("avi list") or name == "avi cloud")
_CSRF = "avi create after the CSRF token has changed"
_RESERVED_UUID = "avi get of a uuid with reserved characters"
DELIBERATE = (
    Deliberate(
        tuple(name for name in REQUESTS if name != _CSRF),
        "header accept",
        None,
        "application/json",
        "Ours accepts JSON only, because a proxy could otherwise respond with an HTML page.",
    ),
    Deliberate(
        (*_LISTINGS, "avi get", _RESERVED_UUID, "avi delete", "avi cluster", "avi token of an engine"),
        "header content-type",
        "application/json",
        None,
        "There is no body whose type could be declared.",
    ),
    Deliberate(
        ("avi logout",),
        "body",
        None,
        "{}",
        "Both declare JSON, which an empty body is not.",
    ),
    Deliberate(
        _LISTINGS,
        "query page",
        None,
        "1",
        "Ours sends the page number from the first page on and follows no link; the vendor's from the second on.",
    ),
    Deliberate(
        ("avi list",),
        "query page_size",
        "100",
        "200",
        "The largest page size of the API requires the fewest requests.",
    ),
    Deliberate(
        tuple(name for name in _LISTINGS if name not in ("avi list", "avi list, page by page")),
        "query page_size",
        None,
        "200",
        "The vendor's client uses the first object of that name, or the first page; ours checks if there are more.",
    ),
    Deliberate(
        ("avi list without a version",),
        "header x-avi-version",
        None,
        "31.1.1",
        "The API requires a version. Without one from the user, ours uses the controller's own.",
    ),
    Deliberate(
        (_RESERVED_UUID,), "path", "/api/securechanneltoken/a%20b/c", "/api/securechanneltoken/a%20b%2Fc%3Fd%23e",
        ESCAPED,
    ),
    Deliberate((_RESERVED_UUID,), "query d", "", None, ESCAPED),
    Deliberate(
        (_CSRF,),
        "requests",
        "POST /api/securechanneltoken, POST /api/securechanneltoken, POST /login, POST /api/securechanneltoken",
        "POST /api/securechanneltoken, POST /api/securechanneltoken",
        "Ours sends the token of the last response, so that it is not refused.",
    ),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _page_size(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Both clients use the same page size."""
    if "page by page" in request.node.name:
        monkeypatch.setattr(avi, "PAGE_SIZE", PAGE_SIZE)


@pytest.mark.parametrize("name", REQUESTS)
def test_our_request_is_the_same_as_that_of_the_vendors_client(lab: Lab, name: str) -> None:
    assert differences(lab, "avi", REQUESTS[name], AviClients(lab)) == meant(DELIBERATE, name)


def test_each_deliberate_difference_has_one_entry_with_a_reason() -> None:
    assert_told_once(DELIBERATE, REQUESTS)
