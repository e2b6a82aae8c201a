# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source token_expiry: which files it reports, when, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.extensions.eda.plugins.event_source.token_expiry import main
from ansible_collections.sddc.tokens.extensions.eda.plugins.plugin_utils.polling import InvalidArguments
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from support.canaries import leaks

if TYPE_CHECKING:
    from conftest import StartSource

Looks = Callable[[int], None]
Log = Callable[[], list[str]]

FIRST, SECOND = "canary-of-the-first-token", "canary-of-the-second-token"


def keep(path: Path, secret: str, left: float, lifetime: float = 18000, role: str = "current") -> None:
    """A token file whose token is valid for another `left` seconds."""
    now = time.time()
    token = Token(Secret(secret), "Bearer", issued_at=now + left - lifetime, expires_at=now + left)
    record = Record("product", "sddc.example.com", "LOCAL/admin@local", **{role: token})
    with FileStore(str(path), Runtime(warn=pytest.fail)).exclusive(10) as writer:
        writer.write(record)


def reasons(events: list[dict[str, Any]]) -> list[str]:
    return [event["token_expiry"]["reason"] for event in events]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


def test_a_token_is_reported_once_when_it_is_due_and_so_is_its_replacement(
    start: StartSource, path: Path, looks: Looks, log: Log
) -> None:
    keep(path, FIRST, 1000)
    source = start(main, paths=[str(path)], min_remaining=300)
    looks(3)
    assert source.is_silent()

    keep(path, FIRST, 299)
    source.event()
    looks(3)
    assert source.is_silent()

    keep(path, SECOND, 1000)
    looks(3)
    keep(path, SECOND, 200)
    source.event()
    looks(3)

    assert reasons(source.seen) == ["expiring", "expiring"]
    assert leaks({"events": repr(source.seen), "log": "".join(log())}, [FIRST, SECOND]) == []


def test_an_event_contains_all_known_facts_of_the_file(start: StartSource, path: Path, pauses: Any) -> None:
    keep(path, FIRST, 1000)

    event = start(main, paths=str(path), min_remaining=2000).event()["token_expiry"]

    assert 0 < event.pop("expires_in") <= 1000
    assert event.pop("issued_at") < event.pop("expires_at")
    assert event == {
        "reason": "expiring",
        "min_remaining": 2000,
        "path": str(path),
        "product": "product",
        "host": "sddc.example.com",
        "principal": "LOCAL/admin@local",
        "fingerprint": Secret(FIRST).fingerprint,
        "usable": False,
        "status": "expiring",
        "error": None,
    }


def test_a_replacement_that_is_due_too_is_reported_again(start: StartSource, path: Path, pauses: Any) -> None:
    keep(path, FIRST, 200)
    source = start(main, paths=[str(path)])
    source.event()

    keep(path, SECOND, 200)

    assert source.event()["token_expiry"]["fingerprint"] == Secret(SECOND).fingerprint


def test_the_expiry_of_a_reported_token_is_no_new_event(start: StartSource, path: Path, looks: Looks) -> None:
    keep(path, FIRST, 200)
    source = start(main, paths=[str(path)])
    source.event()
    keep(path, FIRST, -1)
    looks(3)

    assert reasons(source.seen) == ["expiring"]


def test_a_token_that_has_already_expired_is_reported_as_expired(start: StartSource, path: Path, pauses: Any) -> None:
    keep(path, FIRST, -10)

    assert reasons([start(main, paths=[str(path)]).event()]) == ["expired"]


def test_a_token_with_a_short_lifetime_is_reported_after_half_of_it(
    start: StartSource, path: Path, looks: Looks
) -> None:
    keep(path, FIRST, 280, lifetime=290)
    source = start(main, paths=[str(path)], min_remaining=300)
    looks(3)
    assert source.is_silent()

    keep(path, FIRST, 140, lifetime=290)

    assert reasons([source.event()]) == ["expiring"]


def test_a_missing_or_damaged_file_is_reported_once_with_its_reason(
    start: StartSource, path: Path, looks: Looks
) -> None:
    source = start(main, paths=[str(path)])
    source.event()
    looks(3)

    path.write_text('{"version": 1')
    path.chmod(0o600)
    source.event()
    looks(3)

    keep(path, FIRST, 1000)
    looks(3)
    path.unlink()
    source.event()

    assert reasons(source.seen) == ["missing", "unusable", "missing"]
    assert "damaged" in source.seen[1]["token_expiry"]["error"]


def test_a_missing_file_whose_token_is_being_created_is_no_new_event(
    start: StartSource, path: Path, looks: Looks
) -> None:
    source = start(main, paths=[str(path)])
    source.event()

    keep(path, FIRST, 1000, role="pending")
    looks(3)

    assert reasons(source.seen) == ["missing"]


def test_a_file_that_others_can_read_is_logged_once_and_left_unchanged(
    start: StartSource, path: Path, looks: Looks, log: Log
) -> None:
    keep(path, FIRST, 1000)
    path.chmod(0o644)

    start(main, paths=[str(path)])
    looks(4)

    assert len(log()) == 1
    assert "0644" in log()[0]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_folder_is_watched_including_files_that_are_added_or_removed(
    start: StartSource, tmp_path: Path, looks: Looks
) -> None:
    source = start(main, paths=[str(tmp_path)])
    looks(3)
    assert source.is_silent()

    keep(tmp_path / "new.json", FIRST, 200)
    source.event()
    (tmp_path / "new.json").unlink()
    looks(3)

    assert reasons(source.seen) == ["expiring"]


def test_each_of_many_files_has_its_own_event(start: StartSource, tmp_path: Path, looks: Looks) -> None:
    for number in range(20):
        keep(tmp_path / f"{number:02d}.json", f"canary-{number}", 200 if number % 2 else 1000)

    source = start(main, paths=[str(tmp_path)])
    looks(3)

    assert [Path(event["token_expiry"]["path"]).stem for event in source.seen] == [
        f"{number:02d}" for number in range(1, 20, 2)
    ]


def test_tokens_that_are_still_due_are_reported_again_if_requested(start: StartSource, path: Path, pauses: Any) -> None:
    keep(path, FIRST, 200)

    source = start(main, paths=[str(path)], repeat_after=0.1)

    assert reasons([source.event() for _number in range(3)]) == ["expiring"] * 3


def test_every_file_is_reported_at_every_poll_if_requested(start: StartSource, tmp_path: Path, looks: Looks) -> None:
    keep(tmp_path / "a.json", FIRST, 1000)
    keep(tmp_path / "b.json", SECOND, 200)

    source = start(main, paths=[str(tmp_path)], all_files=True)
    looks(4)
    source.stop()

    told = [event["token_file"]["usable"] for event in source.seen if "token_file" in event]
    assert told[:8] == [True, False] * 4
    assert reasons([event for event in source.seen if "token_expiry" in event]) == ["expiring"]


def test_a_folder_that_cannot_be_read_is_logged_once(
    start: StartSource, tmp_path: Path, looks: Looks, log: Log, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a patch: permissions do not apply to the user who runs the tests."""
    from ansible_collections.sddc.tokens.plugins.module_utils._operations import token_info

    keep(tmp_path / "lasting.json", FIRST, 7200)
    source = start(main, paths=[str(tmp_path)], interval=60)
    looks(2)

    def refuse(path: str) -> Any:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patch:
        patch.setattr(token_info.os, "scandir", refuse)
        looks(4)
    looks(2)
    keep(tmp_path / "new.json", FIRST, 200)

    assert source.event()
    assert max(pauses) > 60
    assert len(log()) == 2
    assert "Permission denied" in log()[0]
    assert "works again" in log()[1]


@pytest.mark.parametrize(
    ("args", "reason"),
    [({}, "paths"), ({"paths": ["/tmp/x"], "interval": 0}, "interval"), ({"path": ["/tmp/x"]}, "path")],
)
def test_invalid_arguments_are_refused_at_the_start(start: StartSource, args: dict[str, Any], reason: str) -> None:
    source = start(main, **args)

    source.join()

    assert isinstance(source.error, InvalidArguments)
    assert reason in str(source.error)


def test_the_source_ends_at_once_when_it_is_cancelled(start: StartSource, path: Path) -> None:
    source = start(main, paths=[str(path)], interval=3600)
    source.event()

    source.stop()
