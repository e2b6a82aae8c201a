# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX: a stand-in for the controller's REST API, as far as the modules of awx.awx set up job templates.

It stores objects and refuses what a running AWX was seen to refuse. It runs no job: the action `launch` returns what it
would start. Vendor page: "AWX API Reference".

Object numbers are one sequence, project updates end at once unless the dispatcher is set to be silent, and there are
two roles: system administrators, and administrators of an organization. It follows observations of a running AWX of
late 2024, and is not tested against the vendor's server.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ..product import (
    Handler,
    Middleware,
    Product,
    Refusal,
    Settings,
    Shared,
    action,
    basic_credentials,
    credentials,
    host_of,
    json_object,
)
from .awx_checks import check_credential, check_credentials, check_environment, check_prompts, check_template, refuse
from .awx_jobs import check_unused, prepared, run
from .awx_model import BASE, RESOURCES, Item, Items, shown
from .awx_projects import output_of, updated
from .awx_query import matching
from .awx_rules import wrong_injectors, wrong_inputs, wrong_rrule, wrong_survey
from .awx_users import User, signed_in

_USER = "admin"
_CALLER = "caller"
_ONE = f"{BASE}/{{resource}}/{{number:\\d+}}"


@dataclass(kw_only=True)
class AwxSettings(Settings):
    """The settings that a test may change."""

    version: str = "24.6.1"
    page_size: int = 25
    repositories: dict[str, str] = field(default_factory=dict)
    """The folder with the content of each repository, by its URL. An update of a project with an unknown URL fails."""
    dispatcher: bool = True
    """Whether jobs are started. Otherwise the update of a project stays `pending`."""


@dataclass
class AwxState:
    """The objects of one controller."""

    items: Items = field(default_factory=Items)
    tokens: dict[int, tuple[str, User]] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    updates: dict[int, dict[str, Any]] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)


class Awx(Product[AwxState, AwxSettings]):
    """The controller."""

    name = "awx"
    environment = (
        ("CONTROLLER_HOST", "url"),
        ("CONTROLLER_USERNAME", "username"),
        ("CONTROLLER_PASSWORD", "password"),
    )

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._password = shared.secrets.make("awx password", 24)

    def default_settings(self) -> AwxSettings:
        return AwxSettings()

    def new_state(self, host: str) -> AwxState:
        """Return a controller as it is after its installation."""
        state = AwxState()
        state.items.add("organizations", {"name": "Default"})
        state.items.add("execution_environments", {"name": "AWX EE (latest)", "image": "awx-ee"})
        state.items.add("credential_types", {"name": "Machine", "kind": "ssh", "managed": True})
        state.items.add("credential_types", {"name": "Source Control", "kind": "scm", "managed": True})
        state.users[_USER] = User(state.items.number(), _USER, self._password)
        return state

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post(f"{BASE}/tokens/", self.create_token),
            web.delete(f"{BASE}/tokens/{{number:\\d+}}/", self.delete_token),
            web.get(f"{BASE}/me/", self.read_me),
            web.get(f"{BASE}/unified_jobs/", self.list_jobs),
            web.get(f"{BASE}/project_updates/{{number:\\d+}}/", self.read_update),
            web.get(f"{BASE}/project_updates/{{number:\\d+}}/stdout/", self.read_output),
            web.post(f"{BASE}/projects/{{number:\\d+}}/update/", self.update_project),
            web.get(f"{BASE}/projects/{{number:\\d+}}/playbooks/", self.list_playbooks),
            web.get(f"{_ONE}/survey_spec/", self.read_survey),
            web.post(f"{_ONE}/survey_spec/", self.write_survey),
            web.delete(f"{_ONE}/survey_spec/", self.delete_survey),
            web.get(f"{_ONE}/{{list}}/", self.read_list),
            web.post(f"{_ONE}/{{list}}/", self.change_list),
            web.get(f"{_ONE}/", self.read),
            web.patch(f"{_ONE}/", self.change),
            web.delete(f"{_ONE}/", self.delete),
            web.get(f"{BASE}/{{resource}}/", self.list_all),
            web.post(f"{BASE}/{{resource}}/", self.create),
        )

    def details(self, url: str) -> dict[str, str]:
        return {"url": url, "username": _USER, "password": self._password}

    def counts(self, host: str) -> dict[str, int]:
        state = self.state(host)
        return {"sessions_open": len(state.tokens), **{name: len(state.items.of(name)) for name in RESOURCES}}

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as the REST framework does: field errors as lists, everything else as `detail`."""
        body: Any = {name: json.loads(text) for name, text in refusal.fields.items()} or {"detail": refusal.message}
        return web.json_response({"error": refusal.message} if refusal.code == "error" else body, status=refusal.status)

    def middlewares(self) -> Iterable[Middleware]:
        return (self._sign,)

    async def _sign(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Require authentication, and identify the product in each response."""
        state = self.state(host_of(request))
        basic, bearer = basic_credentials(request), credentials(request, "Bearer")
        request[_CALLER] = signed_in(state.users.values(), state.tokens.values(), basic, bearer)
        response = await handler(request)
        response.headers["X-API-Product-Name"] = "AWX"
        response.headers["X-API-Product-Version"] = self.settings(host_of(request)).version
        return response

    # Signing in and out.

    async def create_token(self, request: web.Request) -> web.Response:
        """Create an OAuth2 token of the user. This requires Basic authentication."""
        state = self.state(host_of(request))
        number = state.items.number()
        token = self.shared.secrets.make("awx token", 30)
        state.tokens[number] = (token, request[_CALLER])
        return web.json_response({"id": number, "type": "o_auth2_access_token", "token": token}, status=201)

    async def delete_token(self, request: web.Request) -> web.Response:
        """Revoke a token."""
        if self.state(host_of(request)).tokens.pop(int(request.match_info["number"]), None) is None:
            raise Refusal(404, "Not found.")
        return web.Response(status=204)

    async def read_me(self, request: web.Request) -> web.Response:
        """Return the user of the request."""
        return self._page(request, [request[_CALLER].shown()])

    @action
    def add_administrator(self, host: str, name: str, organization: str) -> str:
        """Add an administrator of an organization, and return the password."""
        state = self.state(host)
        password = self.shared.secrets.make("awx password", 24)
        number = state.items.named("organizations", organization).number
        state.users[name] = User(state.items.number(), name, password, number)
        return password

    # Objects.

    async def list_all(self, request: web.Request) -> web.Response:
        """List objects, filtered by fields and by `or__` alternatives, as the modules use them."""
        items = self._items(request)
        resource = request.match_info["resource"]
        if resource not in RESOURCES and resource != "unified_job_templates":
            raise Refusal(404, "Not found.")
        user: User = request[_CALLER]
        seen = [item for item in items.of(resource) if user.may_see(items, item.resource, item.values, item.number)]
        return self._page(request, matching([shown(item, items) for item in seen], request.query, items))

    async def read(self, request: web.Request) -> web.Response:
        """Read an object."""
        return web.json_response(shown(self._one(request), self._items(request)))

    async def create(self, request: web.Request) -> web.Response:
        """Create an object."""
        resource = request.match_info["resource"]
        if resource not in RESOURCES:
            raise Refusal(404, "Not found.")
        items = self._items(request)
        body = await json_object(request)
        request[_CALLER].check(items, resource, body)
        values = items.checked(resource, body)
        self._check(request, resource, values, None)
        item = items.add(resource, values)
        response = shown(item, items)
        if resource == "projects" and values.get("scm_type"):
            response["summary_fields"] = {"current_update": {"id": self._update(request, item)["id"]}}
        return web.json_response(response, status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Change an object."""
        item = self._writable(request)
        values = self._items(request).checked(item.resource, await json_object(request), item)
        self._check(request, item.resource, values, item)
        item.values.update(values)
        return web.json_response(shown(item, self._items(request)))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete an object, unless it is a credential type in use or is used by a running job."""
        item, items = self._writable(request), self._items(request)
        used = [other for other in items.of("credentials") if other.values["credential_type"] == item.number]
        if item.resource == "credential_types" and used:
            raise Refusal(403, "Credential types that are in use cannot be deleted")
        check_unused(item, self.state(host_of(request)).jobs)
        items.remove(item)
        return web.Response(status=204)

    def _check(self, request: web.Request, resource: str, values: dict[str, Any], old: Item | None) -> None:
        """Check what the types do not define, and complete what AWX completes."""
        items = self._items(request)
        whole = {**(old.values if old else {}), **values}
        if resource == "credential_types":
            if old and old.values["managed"]:
                raise Refusal(403, "Modifications not allowed for managed credential types")
            refuse(inputs=wrong_inputs(whole.get("inputs", {})))
            refuse(injectors=wrong_injectors(whole.get("injectors", {}), whole.get("inputs", {})))
        elif resource == "credentials":
            for secret in check_credential(items, values, whole, old):
                self.shared.secrets.remember("credential of awx", secret)
        elif resource == "execution_environments":
            check_environment(values, old)
        elif resource == "job_templates":
            check_template(items, whole)
            values["organization"] = items.by_number[whole["project"]].values["organization"]
        elif resource == "schedules":
            refuse(rrule=wrong_rrule(whole["rrule"]))
            check_prompts(items.by_number[whole["unified_job_template"]], whole.get("extra_data", {}), complete=True)
        elif resource == "workflow_job_template_nodes" and whole.get("unified_job_template"):
            check_prompts(items.by_number[whole["unified_job_template"]], whole.get("extra_data", {}), complete=False)

    # Surveys and lists of an object.

    async def read_survey(self, request: web.Request) -> web.Response:
        """Read the survey."""
        return web.json_response(self._surveyed(request, self._one(request)).survey)

    async def write_survey(self, request: web.Request) -> web.Response:
        """Set the survey."""
        survey = await json_object(request)
        wrong = wrong_survey(survey)
        if wrong:
            raise Refusal(400, wrong[0], "error")
        self._surveyed(request, self._writable(request)).survey = survey
        return web.Response(status=200)

    async def delete_survey(self, request: web.Request) -> web.Response:
        """Empty the survey."""
        self._surveyed(request, self._writable(request)).survey = {}
        return web.Response(status=200)

    async def read_list(self, request: web.Request) -> web.Response:
        """List the objects that belong to an object."""
        items = self._items(request)
        return self._page(request, [shown(items.by_number[number], items) for number in self._list(request)])

    async def change_list(self, request: web.Request) -> web.Response:
        """Associate an object with another one, or disassociate it."""
        self._writable(request)
        items, numbers, body = self._items(request), self._list(request), await json_object(request)
        item = items.one(RESOURCES[self._one(request).resource].lists[request.match_info["list"]], body.get("id"))
        if body.get("disassociate"):
            numbers[:] = [number for number in numbers if number != item.number]
        elif item.number not in numbers:
            if request.match_info["list"] == "credentials":
                check_credentials(items, numbers, item)
            numbers.append(item.number)
        return web.Response(status=204)

    # Projects.

    async def update_project(self, request: web.Request) -> web.Response:
        """Update a project at once."""
        project = self._items(request).one("projects", request.match_info["number"])
        request[_CALLER].check(self._items(request), "projects", project.values)
        return web.json_response(self._update(request, project), status=202)

    async def read_update(self, request: web.Request) -> web.Response:
        """Read an update of a project."""
        return web.json_response(self._one_update(request))

    async def read_output(self, request: web.Request) -> web.Response:
        """Return the output of a project update."""
        return web.Response(text=output_of(self._one_update(request)))

    async def list_playbooks(self, request: web.Request) -> web.Response:
        """List the playbooks of a project."""
        return web.json_response(self._items(request).one("projects", request.match_info["number"]).playbooks)

    def _one_update(self, request: web.Request) -> dict[str, Any]:
        try:
            return self.state(host_of(request)).updates[int(request.match_info["number"])]
        except KeyError as problem:
            raise Refusal(404, "Not found.") from problem

    def _update(self, request: web.Request, project: Item) -> dict[str, Any]:
        host = host_of(request)
        state, settings = self.state(host), self.settings(host)
        number, folder = state.items.number(), settings.repositories.get(project.values["scm_url"])
        state.updates[number] = updated(project, folder, number, self.now(host), started=settings.dispatcher)
        return state.updates[number]

    # Jobs.

    async def list_jobs(self, request: web.Request) -> web.Response:
        """List the running jobs."""
        state = self.state(host_of(request))
        return self._page(request, matching(state.jobs, request.query, state.items))

    @action
    def start_job(self, host: str, name: str) -> int:
        """Start a job of a job template, a workflow or a project that runs until `end_jobs`, and return its number."""
        state = self.state(host)
        state.jobs.append(run(state.items, state.items.named("unified_job_templates", name)))
        return int(state.jobs[-1]["id"])

    @action
    def end_jobs(self, host: str) -> None:
        """End all running jobs."""
        for job in self.state(host).jobs:
            job["status"] = "successful"

    @action
    def launch(
        self,
        host: str,
        job_template: str,
        answers: dict[str, Any] | None = None,
        prompts: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Launch a job template by its name, and return what each of its jobs would get from AWX.

        `prompts` are the values of a launch in addition to the answers: `limit`, `inventory`, `credentials` and
        `extra_vars`. Those for which the job template does not ask are ignored.
        """
        items = self.state(host).items
        try:
            return prepared(items, items.named("job_templates", job_template), answers or {}, prompts or {})
        except Refusal as refusal:
            raise ValueError(f"{refusal.status}: {dict(refusal.fields)}") from refusal

    # The objects of a request.

    def _items(self, request: web.Request) -> Items:
        return self.state(host_of(request)).items

    def _one(self, request: web.Request) -> Item:
        return self._items(request).one(request.match_info["resource"], request.match_info["number"])

    def _writable(self, request: web.Request) -> Item:
        item = self._one(request)
        request[_CALLER].check(self._items(request), item.resource, item.values)
        return item

    def _list(self, request: web.Request) -> list[int]:
        try:
            return self._one(request).lists[request.match_info["list"]]
        except KeyError as problem:
            raise Refusal(404, "Not found.") from problem

    def _surveyed(self, request: web.Request, item: Item) -> Item:
        if item.resource not in ("job_templates", "workflow_job_templates"):
            raise Refusal(404, "Not found.")
        return item

    def _page(self, request: web.Request, found: list[dict[str, Any]]) -> web.Response:
        size = int(request.query.get("page_size", self.settings(host_of(request)).page_size))
        page = int(request.query.get("page", 1))
        more = len(found) > page * size
        others = [(name, value) for name, value in request.query.items() if name != "page"]
        query = urllib.parse.urlencode([*others, ("page", page + 1)])
        body = {"count": len(found), "next": f"{request.path}?{query}" if more else None, "previous": None}
        return web.json_response({**body, "results": found[(page - 1) * size : page * size]})


PRODUCT = Awx
