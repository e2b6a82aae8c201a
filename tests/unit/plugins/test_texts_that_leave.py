# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of a server on every way out of a task contain no known secret, and are bounded."""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.extensions.eda.plugins.plugin_utils.polling import values_from
from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.outcome import Outcome
from ansible_collections.sddc.tokens.plugins.module_utils._core.redaction import LONGEST_TEXT
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._http.response import Response
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session, SessionOptions
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from support.encodings import EXACT, encoded, pairs, values

MODULE_UTILS = Path(__file__).parents[3] / "plugins" / "module_utils"
# One for each way in which a task gets a secret.
SOURCES = (
    *("option that is not sent", "current", "pending", "superseded", "companion"),
    *("minted", "minted companion", "hidden by a client", "password of a proxy"),
)
ROUTES = ("message", "result", "key of a result", "warning", "notice", "diff", "scope", "event", "failed event")


class Quoting(Operation):
    """An operation that gets secrets, and quotes a text everywhere."""

    name = "sddc.tokens.quoting"
    argument_spec = ArgumentSpec({"password": {"type": "str", "no_log": True}})
    file: ClassVar[str]
    text: ClassVar[str]
    secrets: ClassVar[Mapping[str, str]]
    fails: ClassVar[bool] = True

    def run(self) -> Outcome:
        text, hide = self.text, self.runtime.redactor.hide
        self.runtime.warn(f"before anything is known: <{text}>")
        FileStore(self.file, self.runtime).read()
        body = json.dumps({name: self.secrets[name] for name in ("minted", "minted companion")}).encode()
        response = Response(200, {}, body, doing="", host="", received_at=0, hide=hide)
        for name in ("minted", "minted companion"):
            response.as_secret(response.mapping()[name])
        proxy = Secret("http://user:" + _percent(self.secrets["password of a proxy"]) + "@proxy.example.com:3128")
        session = Session(
            BaseUrl.parse("quoting.example.com"),
            SessionOptions(proxy_url=proxy),
            error_facts=lambda _document: ("", ""),
            runtime=self.runtime,
        )
        session.hide(Secret(self.secrets["hidden by a client"]))
        session.close()
        self.runtime.notify(f"<{text}>")
        return Outcome(
            True,
            "created",
            Token(Secret("one of the lab"), "Bearer", scope=f"<{text}>"),
            values={"texts": [{"text": f"<{text}>", f"<{text}>": 1}]},
            error=ApiError(400, message=f"<{text}>", doing=f"find <{text}>") if self.fails else None,
            about_token=True,
        )


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def quoting(folder: Path, text: str, secrets: Mapping[str, str], *, fails: bool = True) -> Quoting:
    """The operation. Its file contains the secrets that must be in a file."""
    path = str(folder / "token.json")

    def token(name: str) -> Token:
        return Token(Secret(secrets[name]), "Bearer")

    with FileStore(path, Runtime()).exclusive(10) as writer:
        current = replace(token("current"), companions={"refresh_token": Secret(secrets["companion"])})
        writer.write(Record("p", "h", "me", current, token("pending"), (token("superseded"),)))
    kind = type("Quoting", (Quoting,), {"file": path, "text": text, "secrets": secrets, "fails": fails})
    return kind({"password": Secret(secrets["option that is not sent"])}, Runtime())


def left(folder: Path, text: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """The output of each route."""
    operation = quoting(folder, text, secrets)
    notices: list[str] = []
    params = {"password": secrets["option that is not sent"]}
    result = execute(type(operation), params, Runtime(notify=notices.append), diff_mode=True)
    with pytest.raises(TokensError) as failed:
        values_from(operation)
    (entry,) = result["texts"]
    (event,) = values_from(quoting(folder, text, secrets, fails=False))["texts"]
    routes = {
        "message": result["msg"],
        "result": entry["text"],
        "key of a result": next(key for key in entry if key != "text"),
        "warning": result["warnings"][0],
        "notice": notices[0],
        "diff": json.dumps(result["diff"], ensure_ascii=False),
        "scope": result["diff"]["after"]["scope"],
        "event": event["text"],
        "failed event": str(failed.value),
    }
    assert routes.keys() == set(ROUTES)
    return routes


def bracketed(shown: str) -> str:
    return shown[shown.index("<") + 1 : shown.rindex(">")]


@settings(max_examples=40)
@given(value=values(8), source=st.sampled_from(SOURCES), names=pairs())
@example(value="Tom&Jerry", source="superseded", names=("HTML", "plain"))
def test_no_known_secret_leaves_a_task_in_any_form_on_any_route(
    tmp_path: Path, value: str, source: str, names: tuple[str, str]
) -> None:
    secrets = {name: f"other-{number}-of-them" for number, name in enumerate(SOURCES)} | {source: value}
    text = encoded(value, names)
    for route, shown in left(tmp_path, text, secrets).items():
        assert MASK in shown, route
        assert text not in shown, route
        if set(names) <= EXACT.keys() and route != "diff":
            assert set(bracketed(shown).split(MASK)) <= {"", ">' <", ">: the server returned status 400, '<"}, route


@pytest.mark.parametrize("source", SOURCES)
def test_every_known_secret_is_redacted_on_every_route(tmp_path: Path, source: str) -> None:
    secrets = {name: f"Zq7wX2Bk9-{number}-{number}" for number, name in enumerate(SOURCES)}
    for route, shown in left(tmp_path, f"a {secrets[source]} z", secrets).items():
        assert f"<a {MASK} z>" in shown, route


def test_no_route_passes_control_characters_or_text_of_unlimited_length(tmp_path: Path) -> None:
    secrets = {name: f"Zq7wX2Bk9-{number}" for number, name in enumerate(SOURCES)}
    for route, shown in left(tmp_path, "\x1b]0;owned\x07\u202e\ud800" + "x" * 10**6, secrets).items():
        assert len(shown) < 4 * LONGEST_TEXT, route
        assert shown.isprintable(), route


def seconds(work: Callable[[], object]) -> float:
    taken = []
    for _try in range(3):
        start = time.thread_time()
        work()
        taken.append(time.thread_time() - start)
    return min(taken)


@pytest.mark.parametrize("text", ["a", "4d", "eyJ", "&amp;", "bearer "])
def test_the_work_of_a_task_is_bounded_whatever_a_server_returns(tmp_path: Path, text: str) -> None:
    secrets = {name: f"Zq7wX2Bk9-{number}" for number, name in enumerate(SOURCES)}
    length = 40_000 // len(text)
    once, tenfold = text * length, text * length * 10
    assert seconds(lambda: left(tmp_path, tenfold, secrets)) < 4 * seconds(lambda: left(tmp_path, once, secrets))


@pytest.mark.parametrize("receiver", ["warn", "notify"])
def test_a_runtime_passes_no_text_without_redaction_however_it_was_created(receiver: str) -> None:
    received: list[str] = []
    runtime = Runtime(**{receiver: received.append})
    again = replace(runtime, check_mode=True)
    other = replace(Runtime(redactor=runtime.redactor), **{receiver: received.append})
    runtime.redactor.hide(Secret("Zq7wX2Bk9"))
    for one in (runtime, again, other):
        getattr(one, receiver)("<Zq7wX2Bk9>")
    assert received == [f"<{MASK}>"] * 3


# The places that create secrets. Redaction would not know those created elsewhere.
MAKERS = {
    "_core/argspec.py": "options, which every operation hides",
    "_core/secret.py": "headers of other secrets, which are hidden when they are sent",
    "_http/response.py": "what is read of a response, which it hides",
    "_http/session.py": "cookies, which are hidden when they arrive",
    "_lifecycle/document.py": "the token of a shared store, which the store hides",
    "_lifecycle/record.py": "the token of a file, which the store hides",
    "_operations/vault_store.py": "a credential of the shared store in a file, which is hidden when it is sent",
    "_runner/entries.py": "options in a list, for its own messages",
    "_runner/token_set.py": "options in a list, which are hidden there",
    "_runner/validation.py": "options, for its own messages",
}


def makes_secrets(path: Path) -> bool:
    """Whether a file creates a Secret that it does not hide at once."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    hiding = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "hide"]
    hidden = {id(part) for call in hiding for part in call.args}
    mapped = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "map"]
    made = [*mapped, *(call.func for call in calls if id(call) not in hidden)]
    return any(isinstance(maker, ast.Name) and maker.id == "Secret" for maker in made)


def test_secrets_are_created_only_where_they_are_also_hidden() -> None:
    made = {str(path.relative_to(MODULE_UTILS)) for path in MODULE_UTILS.rglob("*.py") if makes_secrets(path)}
    others = made - MAKERS.keys()
    assert all(name.startswith("_operations/") for name in others), others
    # Values that an operation derives from those that its client has hidden.
    assert len(others) <= 1
