# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the suites know of a product: one kit for each, in tests/products."""

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
# Keys of a result: those of every module, and those of every module that hands over a token.
EVERY_RESULT = frozenset({"action", "request_count"})
TOKEN_RESULT = EVERY_RESULT | {
    *("token", "token_type", "headers", "issued_at", "expires_at", "expires_in", "fingerprint"),
    *("verified", "verified_at"),
}


@dataclass(frozen=True)
class Server:
    """A product of the lab; its credentials have the same names as options and in the lab's details."""

    product: str
    credentials: tuple[str, ...] = ()

    def options(self, lab: Details, prefix: str = "") -> Options:
        """Address and credentials, for a task in this process."""
        found = {"hostname": lab[self.product]["url"], **{name: lab[self.product][name] for name in self.credentials}}
        return {f"{prefix}{name}": value for name, value in found.items()}

    def templates(self, prefix: str = "") -> Options:
        """Address and credentials, for a task of a playbook that has the details in the variable `lab`."""
        details = {"hostname": "url", **{name: name for name in self.credentials}}
        return {f"{prefix}{name}": f"{{{{ lab.{self.product}.{detail} }}}}" for name, detail in details.items()}

    def task(self, module: str, register: str = "", **options: Any) -> Task:
        """A task of a playbook. Options replace the address, the credentials and the CA certificate of the lab."""
        task: Task = {"name": f"Task {register or module}"}
        task[f"sddc.tokens.{module}"] = {**self.templates(), "ca_path": "{{ ca_path }}", **options}
        return {**task, "register": register} if register else task


@dataclass(frozen=True)
class Job:
    """A task in this process: its module, and its options from the lab's details and the path of a token file."""

    module: str
    options: Callable[[Details, str], Options]
    before: tuple[Job, ...] = ()
    """Jobs that must have run."""
    keeps: bool = False
    """Whether it works on the token file."""
    all_keys: Options = field(default_factory=dict)
    """Options with which its result has every key."""
    settled: Mapping[str, int] | None = None
    """What the lab counts after it was killed and run again. Without it, the suite of crashes leaves it out."""
    at_most: Mapping[str, int] = field(default_factory=dict)
    """What the lab counts at most after a fault has struck it and it was run again."""
    may_run_twice: bool = False
    """Whether the lab may count more, because the killed run had done the work and the next cannot know."""
    entry_of: str = ""
    """The product, where these are the options of one entry of token_set."""

    def arguments(self, lab: Details, file: str, further: Options) -> Options:
        """The options of the module; further ones go where those of the job are."""
        options = {**self.options(lab, file), **further}
        return {"tokens": [{"product": self.entry_of, **options}]} if self.entry_of else options


@dataclass(frozen=True)
class Target:
    """A request that faults strike in a playbook: what it is for, in the words of an error, and the tasks that send it.

    The faults meet the tasks `before` and `struck`, as they are registered; other tasks ask the honest server.
    """

    method: str
    path: str
    doing: str
    tasks: tuple[Task, ...]
    safe: bool = False
    """Whether it may be sent again."""
    harmless: tuple[str, ...] = ()
    """Faults that do no harm here, because nobody reads the body."""
    body: Callable[[Details], Options] = lambda _lab: {}
    """Its JSON body, for a test that sends the request itself."""


@dataclass(frozen=True)
class Role:
    """A role that works with the product. Options are without the name of the role before them."""

    lab: Options
    """What tells it of the lab, in a play that has the details in the variable `lab`."""
    needed: Options = field(default_factory=dict)
    """What else its playbook must be told; where it takes a file with the caller's tasks, without that file."""
    task: Task | None = None
    """The caller's task that uses what the role hands over, in the surroundings of the documentation."""
    secret: str = ""
    """The variable of the role in which that is."""
    successes: tuple[Options, ...] = ({},)
    """All that it does successfully, with the caller's tasks in `use.yml` or `shout.yml`."""
    refusals: tuple[Options, ...] = ()
    """What goes wrong: a secret that is refused, of another type, or where it does not belong; tasks in `fail.yml`."""
    blank: Options = field(default_factory=dict)
    """What it is told where all texts that it does not need are blank, with the caller's tasks in `nothing.yml`."""
    left: Mapping[str, int] = field(default_factory=dict)
    """What the lab counts after the successes and refusals."""
    made: tuple[str, int] = ("", 0)
    """What the lab counts after its playbook, or a job of AWX, has run once."""
    prepare_job: Callable[[Lab], object] = lambda _lab: None
    """What the lab must do so that a job of AWX has work."""
    answers: tuple[Options, str] | None = None
    """Answers of its survey, which are texts, and the only request that the work consists of with them."""
    as_needed: bool = False
    """Whether another run makes only what is needed by then."""


@dataclass(frozen=True)
class Kit:
    """What the suites know of a product. Everything has a default that fits a product to which it does not apply."""

    server: Server
    task: Callable[..., Task]
    """A task of its main module: the name under which it is registered, then options."""
    promised: Mapping[str, frozenset[str]]
    """The keys that the results of each module have by design."""
    jobs: Mapping[str, Job]
    """One job for each way in which a module sends requests, so that the jobs together send every request."""
    is_example: bool = False
    """Whether suites that need some product take this one. Its jobs create, keep, reuse, renew and revoke."""
    other_user: Options = field(default_factory=dict)
    """Options with which its main module signs in as another user."""

    needs: tuple[str, ...] = ()
    """Products whose tokens its tasks take, as the tasks in `tokens` of those products have registered them."""
    tokens: tuple[Task, ...] = ()
    """Tasks that register the tokens that further tasks take, its own and those of other products."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the lab with which its jobs wait for nothing and are not limited."""

    # Faults, lies and crashes: regular expressions for method and path, such as "POST /v1/tokens$".
    mints: tuple[str, ...] = ()
    """Requests that create a token, each of which may be sent once only."""
    signs_in: tuple[str, ...] = ()
    signs_out: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Requests whose response body is not read, beside each DELETE."""
    lies: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a fault and a request in which the fault is a valid response."""
    plausible: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a job and JSON of another server that may be the product's own."""
    counts_tokens: bool = False
    """Whether every valid token that the lab counts must be in a result or in the token file."""

    reply: tuple[str, Options] | None = None
    """The field of the token in the response that creates it, and what else that response needs."""
    targets: Mapping[str, Target] = field(default_factory=dict)
    """Requests that faults strike in a playbook, too. The example has them all, another none."""
    scheme: str = "Bearer"
    """How its tokens sign requests: the word before them in the header Authorization."""
    guarded: str = ""
    """A path that its server shows only to those who are signed in."""
    odd: Mapping[str, tuple[str, int, str, str]] = field(default_factory=dict)
    """Odd headers of a response: the job, the number of the request, the headers, and the error, where there is one."""
    secrets_in_lab: int = 1
    """How many valid tokens the lab counts for each one that is created."""

    # Plays that look for secrets.
    successes: tuple[Task, ...] = ()
    """Its modules in everything that they do successfully."""
    done: str = "tokens_minted"
    """What the lab counts after them."""
    refusals: tuple[Task, ...] = ()
    """Tasks that fail: wrong credentials, and valid ones in the wrong option, in the variable `wrong`."""
    asks: tuple[Task, ...] = ()
    """Each module that sends requests, once or more. The suites let each of them fail at a hostile server."""
    asks_without_secret: tuple[Task, ...] = ()
    """The same for modules without credentials, which cannot recognize a secret that a server quotes."""
    quoted: str = ""
    """What a hostile server quotes of a request. Empty: the last of the credentials."""

    # Plays of every module.
    results: tuple[Task, ...] = ()
    """Each module in success, failure and check mode. Names of tasks that fail end with refused or misplaced."""
    faults: tuple[Mapping[str, Any], ...] = ()
    """Faults of the lab that these need."""
    from_file: Options = field(default_factory=dict)
    """Options of its main module beside `token_file`."""
    group_defaults: Options = field(default_factory=dict)
    """Defaults for its group in module_defaults, beside address and credentials."""
    by_defaults: Mapping[str, Options] = field(default_factory=dict)
    """By module, the options that such a task has, and as `action` what comes of it."""

    # Roles, documentation and AWX.
    roles: Mapping[str, Role] = field(default_factory=dict)
    """The roles that work with it, by their names."""
    exported: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The environment variables for options of its main module, by names that people already export."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The environment variables of its examples, and the lab's detail for each; `host` is its documented name."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The variables that its examples leave to the inventory, and the lab's detail for each."""
    prepare_examples: Callable[[Lab], object] = lambda _lab: None
    """What the lab must do before its examples run."""
    rotation: Options = field(default_factory=dict)
    """Its entry in the list of a rotation, beside `product`."""
    rotated: str = "created"
    """The action of this entry when it is run first."""
    renewal: Options = field(default_factory=lambda: {"renew": "always"})
    """Options with which the entry renews what it has created. Empty: it has none."""
    checks_by_request: bool = True
    """Whether it takes a request to find out that the token of the entry is valid."""

    @property
    def name(self) -> str:
        return self.server.product

    @property
    def module(self) -> str:
        """The main module."""
        (name,) = (key.removeprefix("sddc.tokens.") for key in self.task() if key.startswith("sddc.tokens."))
        return name

    @property
    def keeps_tokens(self) -> bool:
        """Whether its main module keeps its own tokens in a file."""
        return "renew" in self.renewal

    @property
    def host(self) -> str:
        """The host name by which the documentation has it, and the lab's proxy reaches it."""
        return f"{self.name.replace('_', '-')}.example.com"

    def sent(self, lab: Details) -> str:
        """A secret that its requests contain."""
        return self.quoted or str(lab[self.name][self.server.credentials[-1]])
