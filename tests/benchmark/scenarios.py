# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios, and the contestants of each. All do the same work, except `debug`, which does none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from products import EXAMPLE

Task = dict[str, Any]

DEBUG, URI, IN_PROCESS, AS_MODULE = "debug", "uri", "in process", "as a module"
BARE = "bare requests"
TOKEN_SET = "token_set"
IN_FILE, IN_STORE = "token_file", "token_store"
_SERVER = "{{ address }}:{{ port }}"


@dataclass(frozen=True)
class Contestant:
    """A play: its tasks, its variables, and on how many hosts it runs instead of the scenario's.

    With `at_once` it runs on one host, with an entry for each of the scenario's hosts in the variable `tokens`. With
    `anew` its token files are removed before each run, and it gets another document. With `in_store` it needs a store.
    """

    name: str
    tasks: Sequence[Task]
    variables: Mapping[str, Any] = field(default_factory=dict)
    sample: int = 0
    at_once: bool = False
    anew: bool = False
    in_store: bool = False


@dataclass(frozen=True)
class Target:
    """A target: the time of one contestant, divided by that of another, is at most `limit`.

    The time is the `wall` clock, or the processor time (`cpu`).
    """

    contestant: str
    other: str
    limit: float
    time: str = "wall"


@dataclass(frozen=True)
class Scenario:
    """Contestants on the same hosts. Each runs `rounds` times, alternately."""

    title: str
    hosts: int
    contestants: Sequence[Contestant]
    targets: Sequence[Target]
    rounds: int = 5
    prepared: bool = False
    """Whether a run without measurement comes first and creates the tokens."""


def _debug(**keywords: Any) -> Task:
    return {"name": "Debug", "ansible.builtin.debug": {"msg": "Hello {{ address }}"}, **keywords}


def _uri(method: str, path: str, **options: Any) -> Task:
    url = f"https://{_SERVER}/api/ni{path}"
    return {"name": f"{method} {path}", "ansible.builtin.uri": {"url": url, "method": method, **options}}


def _uri_creates(**keywords: Any) -> list[Task]:
    """The same HTTP requests without the collection: create a token, and verify it."""
    body = {
        "username": "{{ username }}",
        "password": "{{ password }}",
        "domain": {"domain_type": "LOCAL"},
    }
    create = {**_uri("POST", "/auth/token", body_format="json", body=body), "register": "created", **keywords}
    token = "{{ (created.results[0] if created.results is defined else created).json.token }}"
    verify = {**_uri("GET", "/info/version", headers={"Authorization": f"NetworkInsight {token}"}), **keywords}
    return [create, verify]


def _token(token_file: str = "", **keywords: Any) -> Task:
    kept = {"token_file": token_file} if token_file else {}
    return {"name": "Token", f"sddc.tokens.{EXAMPLE.module}": {**_OPTIONS, **kept}, **keywords}


def _shared_token(**kept: Any) -> Task:
    """The token of one server, which all hosts use."""
    options = {**_OPTIONS, "hostname": "{{ shared_address }}:{{ port }}", **kept}
    return {"name": "Token", f"sddc.tokens.{EXAMPLE.module}": options}


_OPTIONS = {
    "hostname": _SERVER,
    "username": "{{ username }}",
    "password": "{{ password }}",
    "return_token": False,
}
_AS_MODULE = {"sddc_tokens_in_process": False}
_FILE = "{{ folder }}/{{ inventory_hostname }}.json"
_TOKEN = "lookup('ansible.builtin.file', kept ~ '/' ~ inventory_hostname ~ '.json') | from_json"
_KEPT = {"Authorization": f"NetworkInsight {{{{ ({_TOKEN}).current.token }}}}"}
_LOOP = {"loop": list(range(50)), "loop_control": {"label": "{{ item }}"}}


_SET = {"name": "Tokens", "sddc.tokens.token_set": {"tokens": "{{ tokens }}"}}


def _ours(**options: Any) -> list[Contestant]:
    return [
        Contestant(IN_PROCESS, [_token(**options)]),
        Contestant(AS_MODULE, [_token(**options)], _AS_MODULE),
    ]


def _shared(**facts: Any) -> list[Contestant]:
    """One token for all hosts, in a file and in a store."""
    store = {name: f"{{{{ store.{name} }}}}" for name in ("url", "ca_path", "token", "path")}
    return [
        Contestant(IN_FILE, [_shared_token(token_file="{{ folder }}/shared.json")], **facts),
        Contestant(IN_STORE, [_shared_token(token_store=store)], in_store=True, **facts),
    ]


SCENARIOS = (
    Scenario(
        "A loop of 50",
        1,
        [Contestant(DEBUG, [_debug(**_LOOP)]), Contestant(URI, _uri_creates(**_LOOP)), *_ours(**_LOOP)],
        [Target(IN_PROCESS, URI, 1 / 25), Target(AS_MODULE, URI, 1.0)],
        rounds=3,
    ),
    Scenario(
        "60 hosts, a new token each",
        60,
        [Contestant(DEBUG, [_debug()]), Contestant(URI, _uri_creates()), *_ours()],
        [Target(IN_PROCESS, DEBUG, 1.3), Target(IN_PROCESS, URI, 1 / 10), Target(AS_MODULE, URI, 1.0)],
    ),
    Scenario(
        "60 hosts, converged",
        60,
        # The first creates the tokens that `uri` uses.
        [
            *_ours(token_file=_FILE),
            Contestant(URI, [_uri("GET", "/info/version", headers=_KEPT)]),
            Contestant(DEBUG, [_debug()]),
        ],
        [Target(IN_PROCESS, DEBUG, 1.3), Target(IN_PROCESS, URI, 1 / 10), Target(AS_MODULE, URI, 1.0)],
        prepared=True,
    ),
    Scenario(
        "1,000 hosts, a new token each",
        1000,
        [Contestant(DEBUG, [_debug()]), Contestant(URI, _uri_creates(), sample=60), Contestant(IN_PROCESS, [_token()])],
        [Target(IN_PROCESS, DEBUG, 1.3), Target(IN_PROCESS, URI, 1 / 10)],
        rounds=3,
    ),
    Scenario(
        "60 hosts, one new token for all",
        60,
        _shared(anew=True),
        [Target(IN_STORE, IN_FILE, 2.0)],
    ),
    Scenario(
        "60 hosts, one token for all, converged",
        60,
        _shared(),
        [Target(IN_STORE, IN_FILE, 2.0)],
        prepared=True,
    ),
    Scenario(
        "token_set 1,000: a new token on each of 1,000 servers",
        1000,
        [Contestant(DEBUG, [_debug()]), Contestant(TOKEN_SET, [_SET], at_once=True, anew=True)],
        [Target(TOKEN_SET, DEBUG, 0.5, "cpu")],
        rounds=3,
    ),
    Scenario(
        "token_set 1,000: converged",
        1000,
        [Contestant(DEBUG, [_debug()]), Contestant(TOKEN_SET, [_SET], at_once=True)],
        [Target(TOKEN_SET, DEBUG, 0.5, "cpu")],
        rounds=3,
        prepared=True,
    ),
)
