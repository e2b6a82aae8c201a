# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VCF Operations (Aria Operations, vRealize Operations): tokens whose expiry slides.

Vendor pages: "Auth" and "Versions" of its API reference, and the table of status codes of release 8.

Known from those pages and from vcf-operations: the calls and their fields; `validity` is the expiry in milliseconds;
each call extends a token to six hours from that call; the errors 401, 403, 422 and 429; the code 1512 and the message
of an invalid token. Known from public reports: release 9.0.2 accepts both schemes and ignores the header
`Authorization` of an acquisition; the hosted service refuses that header. Assumed: the code 1501 of a wrong password
and its use for an unsupported scheme, that an unknown source is a wrong password, that the request for the current user
requires a token and extends it, and that a released token is refused like an unknown one, also by a second release.
"""

from __future__ import annotations

import hmac
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from aiohttp import web

from ..product import Product, Refusal, Settings, Shared, credentials, host_of, json_object
from ..tokens import Token

_API = "/suite-api/api"
_LOCAL = "LOCAL"
_YEAR = 365 * 86400
# Those of release 9. Release 8 knows the last one only.
_SCHEMES = ("OpsToken", "vRealizeOpsToken")
_BAD_CREDENTIALS, _BAD_TOKEN = 1501, 1512


@dataclass(kw_only=True)
class VcfOperationsSettings(Settings):
    """The settings that a test may change."""

    lifetime: float = 6 * 3600
    """Seconds from the last request to the expiry of a token (six hours)."""
    extends: bool = True
    """Whether each request extends its token. The page says so; no public source confirms it for every request."""
    validity: Literal["ms", "absent", "past", "far"] = "ms"
    """The form of `validity` in a response. The others are oddities."""
    release: Literal[8, 9] = 9
    """The release of the product. Release 8 refuses the scheme `OpsToken`."""
    refuses_signed_acquisitions: bool = False
    """Whether an acquisition with a header `Authorization` is a 401, as in the hosted service."""
    without_accept: Literal["json", "xml"] = "json"
    """The format of a response if the request has no header `Accept` for JSON. Older releases return XML."""
    forbidden: bool = False
    """Whether the user may not read itself."""


@dataclass
class VcfOperationsState:
    """The state of a host besides its tokens."""

    acquisitions: int = 0
    releases: int = 0


class VcfOperations(Product[VcfOperationsState, VcfOperationsSettings]):
    """The primary node."""

    name = "vcf_operations"
    revocable = "tokens_valid"
    environment: ClassVar[tuple[tuple[str, str], ...]] = (
        ("VCF_OPERATIONS_HOST", "host"),
        ("VCF_OPERATIONS_USERNAME", "username"),
        ("VCF_OPERATIONS_PASSWORD", "password"),
    )

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.username, self.directory_username = "admin", "operator@example.com"
        self.directory = "Corporate directory"
        self.password = shared.secrets.make("vcf_operations password")
        self.directory_password = shared.secrets.make("vcf_operations directory_password")
        self._id = str(uuid.uuid4())

    def default_settings(self) -> VcfOperationsSettings:
        return VcfOperationsSettings()

    def new_state(self, host: str) -> VcfOperationsState:
        return VcfOperationsState()

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post(f"{_API}/auth/token/acquire", self.acquire_token),
            web.post(f"{_API}/auth/token/release", self.release_token),
            web.get(f"{_API}/auth/currentuser", self.get_current_user),
            web.get(f"{_API}/versions/current", self.get_current_version),
        )

    def details(self, url: str) -> dict[str, str]:
        return {
            "url": url,
            "username": self.username,
            "password": self.password,
            "directory": self.directory,
            "directory_username": self.directory_username,
            "directory_password": self.directory_password,
        }

    def counts(self, host: str) -> dict[str, int]:
        state = self.state(host)
        return {"acquisitions": state.acquisitions, "releases": state.releases}

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as `Error`."""
        body: dict[str, Any] = {"message": refusal.message, "httpStatusCode": refusal.status}
        body["apiErrorCode"] = refusal.code or refusal.status
        if refusal.fields:
            body["validationFailures"] = [
                {"failureMessage": message, "violationPath": path} for path, message in refusal.fields.items()
            ]
        return self._response(request, body, refusal.status)

    # The operations.

    async def acquire_token(self, request: web.Request) -> web.Response:
        """Acquire a token for a local user, or for a user of the source in `authSource`."""
        host = host_of(request)
        settings, now = self.settings(host), self.now(host)
        body = await json_object(request)
        if settings.refuses_signed_acquisitions and "Authorization" in request.headers:
            raise Refusal(401, "The request must not be authenticated.", _BAD_CREDENTIALS)
        invalid = [name for name in ("username", "password") if not isinstance(body.get(name), str) or not body[name]]
        if invalid:
            raise Refusal(422, "Invalid request body.", fields=dict.fromkeys(invalid, "must not be blank"))
        user = self._user(body)
        self.state(host).acquisitions += 1
        value = f"{uuid.uuid4()}::{uuid.uuid4()}"
        self.shared.secrets.remember("vcf_operations token", value)
        ends = now + settings.lifetime
        self.shared.ledger.add(Token(value, VcfOperations.name, host, "ops", user, ends))
        return self._response(request, {"token": value, **_validity(settings, now), "roles": []})

    async def release_token(self, request: web.Request) -> web.Response:
        """End the token that authenticates the request."""
        self._presented(request).ended = "revoked"
        self.state(host_of(request)).releases += 1
        return web.Response(status=200)

    async def get_current_user(self, request: web.Request) -> web.Response:
        """Return the user of the token."""
        user = self._presented(request).principal
        if self.settings(host_of(request)).forbidden:
            raise Refusal(403, "The user does not have the required privilege.")
        body = {"id": self._id, "username": user, "enabled": True, "roleNames": ["Administrator"]}
        return self._response(request, body)

    async def get_current_version(self, request: web.Request) -> web.Response:
        """Return the version."""
        self._presented(request)
        body = {"releaseName": "VCF Operations 9.1.0", "major": 9, "minor": 1, "minorMinor": 0, "patch": 0}
        return self._response(request, {**body, "buildNumber": 25000000, "humanlyReadableReleaseDate": "Today"})

    # Internal methods.

    def _user(self, body: dict[str, Any]) -> str:
        """Return the user of an acquisition, or refuse it."""
        users = {
            (_LOCAL, self.username): self.password,
            (self.directory, self.directory_username): self.directory_password,
        }
        expected = users.get((str(body.get("authSource") or _LOCAL), body["username"]), "")
        if not hmac.compare_digest(body["password"].encode(), expected.encode()):
            message = "The provided username/password or token is not valid. Please try again."
            raise Refusal(401, message, _BAD_CREDENTIALS)
        return str(body["username"])

    def _presented(self, request: web.Request) -> Token:
        """Return the valid token of the request, and extend it."""
        host = host_of(request)
        settings, now = self.settings(host), self.now(host)
        given = request.headers.get("Authorization", "").partition(" ")[0]
        accepted = _SCHEMES if settings.release == 9 else _SCHEMES[1:]
        scheme = next((scheme for scheme in accepted if scheme.lower() == given.lower()), None)
        if scheme is None:
            raise Refusal(401, "The request has no supported authentication.", _BAD_CREDENTIALS)
        token = self.shared.ledger.find(VcfOperations.name, credentials(request, scheme) or "", host)
        if token is None or not token.is_valid(now):
            message = f'The provided token for auth scheme "{scheme}" is either invalid or has expired.'
            raise Refusal(401, message, _BAD_TOKEN)
        if settings.extends:
            token.expires_at = now + settings.lifetime
        return token

    def _response(self, request: web.Request, body: dict[str, Any], status: int = 200) -> web.Response:
        wants_json = "application/json" in request.headers.get("Accept", "")
        if not wants_json and self.settings(host_of(request)).without_accept == "xml":
            return web.Response(text="<ops:response/>", content_type="application/xml", status=status)
        return web.json_response(body, status=status)


def _validity(settings: VcfOperationsSettings, now: float) -> dict[str, Any]:
    """Return the fields of a response about the expiry. A wrong value does not change the lifetime of the token."""
    told = {"ms": now + settings.lifetime, "past": now - 3600, "far": now + 10 * _YEAR}.get(settings.validity)
    if told is None:
        return {}
    sentence = time.strftime("%A, %B %d, %Y %I:%M:%S %p UTC", time.gmtime(told))
    return {"validity": int(told * 1000), "expiresAt": sentence}


PRODUCT = VcfOperations
