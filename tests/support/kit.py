# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a product for the suites: one kit for each, in tests/products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.playbooks import Task

if TYPE_CHECKING:
    from lab.client import Lab

Details = Mapping[str, Any]
Options = dict[str, Any]

OMIT = "{{ omit }}"
# Keys of a result: those of every module, and those of every module that returns a token.
EVERY_RESULT = frozenset({"action", "request_count"})
TOKEN_RESULT = EVERY_RESULT | {
    *("token", "token_type", "headers", "issued_at", "expires_at", "expires_in", "fingerprint"),
    *("verified", "verified_at"),
}


@dataclass(frozen=True)
class Server:
    """A product of the lab. Its credentials have the same names as options and in the lab's details."""

    product: str
    credentials: tuple[str, ...] = ()

    def options(self, lab: Details, prefix: str = "") -> Options:
        """Address and credentials, for an in-process task."""
        found = {"hostname": lab[self.product]["url"], **{name: lab[self.product][name] for name in self.credentials}}
        return {f"{prefix}{name}": value for name, value in found.items()}

    def templates(self, prefix: str = "") -> Options:
        """Address and credentials, for a task of a playbook that has the details in the variable `lab`."""
        details = {"hostname": "url", **{name: name for name in self.credentials}}
        return {f"{prefix}{name}": f"{{{{ lab.{self.product}.{detail} }}}}" for name, detail in details.items()}

    def task(self, module: str, register: str = "", **options: Any) -> Task:
        """A task of a playbook. Options override the address, the credentials and the CA certificate of the lab."""
        task: Task = {"name": f"Task {register or module}"}
        task[f"sddc.tokens.{module}"] = {**self.templates(), "ca_path": "{{ ca_path }}", **options}
        return {**task, "register": register} if register else task


@dataclass(frozen=True)
class Job:
    """An in-process task: its module, and its options from the lab's details and the path of a token file."""

    module: str
    options: Callable[[Details, str], Options]
    before: tuple[Job, ...] = ()
    """Jobs that must run before it."""
    keeps: bool = False
    """Whether it uses the token file."""
    all_keys: Options = field(default_factory=dict)
    """Options with which its result has every key."""
    settled: Mapping[str, int] | None = None
    """The counts of the lab after it was killed and run again. Without it, the crash tests skip the job."""
    at_most: Mapping[str, int] = field(default_factory=dict)
    """The highest counts of the lab after a fault and another run."""
    may_run_twice: bool = False
    """Whether the lab may count more, because the killed run had done the work and the next run cannot know."""
    entry_of: str = ""
    """The product, if these are the options of one entry of token_set."""

    def arguments(self, lab: Details, file: str, further: Options) -> Options:
        """The options of the module. Further ones go where those of the job are."""
        options = {**self.options(lab, file), **further}
        return {"tokens": [{"product": self.entry_of, **options}]} if self.entry_of else options


@dataclass(frozen=True)
class Target:
    """A request to which faults are applied in a playbook: its purpose, in the words of an error, and its tasks.

    The faults affect the tasks `before` and `struck`, which are registered. Other tasks use the server without faults.
    """

    method: str
    path: str
    doing: str
    tasks: tuple[Task, ...]
    safe: bool = False
    """Whether it may be retried."""
    harmless: tuple[str, ...] = ()
    """Faults without effect, because the body is not read."""
    body: Callable[[Details], Options] = lambda _lab: {}
    """Its JSON body, for a test that sends the request itself."""


@dataclass(frozen=True)
class Role:
    """A role that uses the product. Options are without the prefix of the role."""

    lab: Options
    """The variables with the lab's details, in a play that has these in the variable `lab`."""
    needed: Options = field(default_factory=dict)
    """Further variables that its playbook requires, except the file with the caller's tasks."""
    task: Task | None = None
    """The caller's task that uses the token of the role, in the environment of the documentation."""
    secret: str = ""
    """The variable of the role that contains it."""
    successes: tuple[Options, ...] = ({},)
    """Its successful uses, with the caller's tasks in `use.yml` or `shout.yml`."""
    refusals: tuple[Options, ...] = ()
    """Its failures: a secret that is refused, of another type, or in the wrong option; tasks in `fail.yml`."""
    blank: Options = field(default_factory=dict)
    """Its variables with all optional strings blank, with the caller's tasks in `nothing.yml`."""
    left: Mapping[str, int] = field(default_factory=dict)
    """The counts of the lab after the successes and refusals."""
    made: tuple[str, int] = ("", 0)
    """The counts of the lab after one run of its playbook, or of a job of AWX."""
    prepare_job: Callable[[Lab], object] = lambda _lab: None
    """Preparation of the lab so that a job of AWX has work."""
    answers: tuple[Options, str] | None = None
    """Answers of its survey, which are strings, and the only request of a run with them."""
    as_needed: bool = False
    """Whether another run creates only what is then required."""


@dataclass(frozen=True)
class Entry:
    """A token as an entry of token_set, and in the list of a rotation."""

    module: str
    options: Options
    """The entry without `product`."""
    action: str = "created"
    """Its action in the first run."""
    renewal: Options = field(default_factory=lambda: {"renew": "always"})
    """Options with which it renews its token. Empty if there are none."""
    checks_by_request: bool = True
    """Whether the verification of its token takes a request."""
    has_expiry: bool = True
    """Whether the result has the time at which its token expires."""

    @property
    def keeps_token(self) -> bool:
        """Whether its module stores the token in a file."""
        return "renew" in self.renewal


@dataclass(frozen=True)
class Kit:
    """The facts of a product for the suites. Every field has a default for products to which it does not apply."""

    server: Server
    task: Callable[..., Task]
    """A task of its main module: the name of the registered result, then options."""
    promised: Mapping[str, frozenset[str]]
    """The result keys of each module in the design."""
    jobs: Mapping[str, Job]
    """One job for each use of a module, so that the jobs together send every request."""
    is_example: bool = False
    """Whether it is the example in suites that require one product. Its jobs create, store, reuse, renew and revoke."""
    other_user: Options = field(default_factory=dict)
    """Options with which its main module authenticates as another user."""

    needs: tuple[str, ...] = ()
    """Products whose tokens its tasks use, as registered by `tokens` of those products."""
    uses: tuple[str, ...] = ()
    """Products whose servers its tasks use, and which its code may name."""
    group: str = ""
    """The product in whose group its modules are, if that is another one."""
    tokens: tuple[Task, ...] = ()
    """Tasks that register the tokens for further tasks, its own and those of other products."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the lab without delays and limits."""

    # Faults, hostile servers and crashes: regular expressions for method and path, such as "POST /v1/tokens$".
    mints: tuple[str, ...] = ()
    """Requests that create a token. Each may be sent only once."""
    reads: tuple[str, ...] = ()
    """Requests that change nothing, in addition to each GET."""
    signs_in: tuple[str, ...] = ()
    signs_out: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Requests whose response body is not read, in addition to each DELETE."""
    lies: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a fault and a request for which the fault is a valid response."""
    plausible: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a job and JSON of another server that could also be the product's own."""
    counts_tokens: bool = False
    """Whether every valid token in the lab must be in a result or in the token file."""

    response: tuple[str, Options] | None = None
    """The field of the token in the response that creates it, and the other required fields of that response."""
    targets: Mapping[str, Target] = field(default_factory=dict)
    """Requests to which faults are applied in a playbook, too. The example has them all, other products none."""
    scheme: str = "Bearer"
    """The scheme before its tokens in the header Authorization."""
    guarded: str = ""
    """A path on its server that requires authentication."""
    odd: Mapping[str, tuple[str, int, str, str]] = field(default_factory=dict)
    """Odd headers of a response: the job, the number of the request, the headers, and the error, if any."""
    secrets_in_lab: int = 1
    """The number of valid tokens in the lab for each created one."""

    # Plays that search for secrets.
    successes: tuple[Task, ...] = ()
    """Its modules in every successful use."""
    done: str = "tokens_minted"
    """The counts of the lab after them."""
    refusals: tuple[Task, ...] = ()
    """Tasks that fail: wrong credentials, and valid ones in the wrong option, in the variable `wrong`."""
    asks: tuple[Task, ...] = ()
    """Each module that sends requests, once or more. The suites run each of them against a hostile server."""
    asks_without_secret: tuple[Task, ...] = ()
    """The same for modules without credentials, which cannot recognize a secret in a response."""
    quoted: str = ""
    """The part of a request that a hostile server quotes. If empty, the last of the credentials."""

    # Plays of every module.
    results: tuple[Task, ...] = ()
    """Each module in success, failure and check mode. Names of failing tasks end with refused or misplaced."""
    faults: tuple[Mapping[str, Any], ...] = ()
    """Faults of the lab that these require."""
    from_file: Options = field(default_factory=dict)
    """Options of its main module in addition to `token_file`."""
    group_defaults: Options = field(default_factory=dict)
    """Defaults for its group in module_defaults, in addition to address and credentials."""
    by_defaults: Mapping[str, Options] = field(default_factory=dict)
    """By module, the options of such a task, and as `action` its expected result."""

    # Roles, documentation and AWX.
    roles: Mapping[str, Role] = field(default_factory=dict)
    """The roles that use it, by their names."""
    exported: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The environment variables of its main module, by the names that users already export."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The environment variables of its examples with the lab's detail for each. `host` is its documented name."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The variables that its examples expect from the inventory, with the lab's detail for each."""
    prepare_examples: Callable[[Lab], object] = lambda _lab: None
    """Preparation of the lab for its examples."""
    rotation: Options = field(default_factory=dict)
    """Its entry in the list of a rotation, in addition to `product`."""
    rotated: str = "created"
    """The action of this entry in the first run."""
    renewal: Options = field(default_factory=lambda: {"renew": "always"})
    """Options with which the entry renews its token. Empty if there are none."""
    checks_by_request: bool = True
    """Whether the verification of the entry's token takes a request."""
    further_entries: Mapping[str, Entry] = field(default_factory=dict)
    """The entries for its other modules that create tokens, by the value of `product`."""

    @property
    def name(self) -> str:
        return self.server.product

    @property
    def module(self) -> str:
        """The main module."""
        (name,) = (key.removeprefix("sddc.tokens.") for key in self.task() if key.startswith("sddc.tokens."))
        return name

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Its entries in the list of a rotation, by the value of `product`."""
        main = Entry(self.module, self.rotation, self.rotated, self.renewal, self.checks_by_request)
        return {self.name: main, **self.further_entries}

    @property
    def keeps_tokens(self) -> bool:
        """Whether its main module stores its tokens in a file."""
        return self.entries[self.name].keeps_token

    @property
    def host(self) -> str:
        """The host name in the documentation, with which the lab's proxy reaches it."""
        return f"{self.name.replace('_', '-')}.example.com"

    def sent(self, lab: Details) -> str:
        """A secret that its requests contain."""
        return self.quoted or str(lab[self.name][self.server.credentials[-1]])
