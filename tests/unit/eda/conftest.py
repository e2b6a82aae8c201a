# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event sources as ansible-rulebook runs them, but in a thread of the test, and with pauses that take no time."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pytest

from ansible_collections.sddc.tokens.extensions.eda.plugins.plugin_utils import polling
from ansible_collections.sddc.tokens.plugins.module_utils._runner.token_set import TokenSet
from support.canaries import leaks

if TYPE_CHECKING:
    from lab.client import Lab

Main = Callable[[Any, dict[str, Any]], Coroutine[Any, Any, None]]
# Only catches hangs.
_SECONDS = 240.0
_STOPPED = object()


class _Unloadable(pytest.Module):
    """A file of tests that cannot be loaded here."""

    def collect(self) -> NoReturn:
        pytest.skip("ansible-test puts Ansible's loader before Python's, and no event source is ever loaded by it")


if "ansible_pytest_collections" in os.environ.get("PYTEST_PLUGINS", ""):

    def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
        """Skip every file below when ansible-test runs the tests. `make test` runs them as ansible-rulebook does."""
        return _Unloadable.from_parent(parent, path=module_path)


class Source:
    """A running event source, with its events in the order of their arrival."""

    def __init__(self, main: Main, args: dict[str, Any]) -> None:
        self._events: queue.Queue[Any] = queue.Queue()
        self._main = main
        self._args = args
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self.seen: list[dict[str, Any]] = []
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    async def put(self, event: dict[str, Any]) -> None:
        """Accept an event, as the queue of ansible-rulebook does."""
        self.seen.append(event)
        self._events.put(event)

    def event(self) -> dict[str, Any]:
        """The next event."""
        found = self._events.get(timeout=_SECONDS)
        if found is _STOPPED:
            raise AssertionError(f"the source has ended: {self.error!r}")
        assert isinstance(found, dict)
        return found

    def is_silent(self) -> bool:
        """Whether no event is waiting."""
        return self._events.empty()

    def cancel(self) -> None:
        """Ask it to end, as ansible-rulebook does."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join(_SECONDS)
        assert not self._thread.is_alive(), "the source does not end"

    def stop(self) -> None:
        """Cancel it, and wait for the end."""
        if self._thread.is_alive():
            self.cancel()
        self.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._main(self, self._args))
        try:
            self._loop.run_until_complete(self._task)
        except BaseException as error:
            self.error = error
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
            self._events.put(_STOPPED)


class StartSource(Protocol):
    """Starts an event source."""

    def __call__(self, main: Main, **args: Any) -> Source:
        """With the arguments of a rulebook."""


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between polls, in seconds. They take almost no time."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)
        await asyncio.sleep(0.005)

    monkeypatch.setattr(polling, "asyncio", SimpleNamespace(to_thread=asyncio.to_thread, sleep=sleep))
    return found


@pytest.fixture
def looks(pauses: list[float]) -> Callable[[int], None]:
    """A function that waits until the source has polled this many more times."""

    def looks(count: int) -> None:
        end, wanted = time.monotonic() + _SECONDS, len(pauses) + count
        while len(pauses) < wanted:
            assert time.monotonic() < end, f"only {len(pauses)} of {wanted} polls"
            time.sleep(0.002)

    return looks


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """A function that returns what an operator would see: the lines of the log from the level WARNING up."""
    caplog.set_level(logging.DEBUG, logger="sddc.tokens")
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture
def start(lab: Lab, log: Any, caplog: pytest.LogCaptureFixture) -> Iterator[StartSource]:
    """A function that starts a source. At the end it is stopped, and its events and log must not contain a secret."""
    sources: list[Source] = []

    def start(main: Main, **args: Any) -> Source:
        sources.append(Source(main, args))
        return sources[-1]

    yield start
    for source in sources:
        source.stop()
    # The fixture `log` is of the phase that is over.
    texts = {
        "log": "".join(f"{record.getMessage()}{record.exc_text}" for record in caplog.get_records("call")),
        "events": repr([source.seen for source in sources]),
        "errors": repr([source.error for source in sources]),
    }
    assert leaks(texts, [secret["value"] for secret in lab.secrets()]) == []


@pytest.fixture(autouse=True)
def _nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ignore the environment variables of the machine that runs the tests."""
    proxies = {"HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "HTTP_PROXY"}
    names = proxies | TokenSet.argument_spec.environment_variables
    for name in [name for name in os.environ if name.upper() in names]:
        monkeypatch.delenv(name)
