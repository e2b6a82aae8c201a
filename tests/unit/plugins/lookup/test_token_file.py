# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup returns the token of a file while it is valid, and changes nothing."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError

from ansible_collections.sddc.tokens.plugins.lookup import token_file as lookup
from ansible_collections.sddc.tokens.plugins.module_utils._core import secret as secrets
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import SYSTEM_CLOCK, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import ClockReading, Record, serialized

VALUE, COMPANION = "token-of-great-value", "companion-of-great-value"


@pytest.fixture(scope="module", autouse=True)
def _options_as_documented() -> None:
    """Do what the plugin loader does: set the options from the documentation."""
    options = yaml.safe_load(lookup.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("lookup", "sddc.tokens.token_file", options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(lookup.display, "warning", found.append)
    return found


def store(path: Path, left: float | None = 600.0, offset: float = 0.0, **facts: Any) -> Record:
    """Write a file whose token is valid for another `left` seconds by the server's clock."""
    expires_at = None if left is None else time.time() + offset + left
    token = Token(Secret(VALUE), "Bearer", 1.0, expires_at, None, {"id_token": Secret(COMPANION)})
    record = Record(
        **{"product": "product", "host": "h", "principal": "me", "current": token, **facts},
        clock_offset=offset,
        clock=ClockReading.of(SYSTEM_CLOCK),
    )
    with FileStore(str(path), Runtime()).exclusive(10) as writer:
        writer.write(record)
    return record


def look(*paths: Path | str, **options: Any) -> list[str]:
    plugin = lookup.LookupModule()
    plugin._load_name = "sddc.tokens.token_file"
    found: list[str] = plugin.run([str(path) for path in paths], variables={}, **options)
    return found


def refusal(*paths: Path | str, **options: Any) -> str:
    with pytest.raises(AnsibleError) as caught:
        look(*paths, **options)
    text = str(caught.value)
    assert text.startswith("token_file lookup: ")
    assert VALUE not in text
    assert COMPANION not in text
    return text


def test_token_of_each_file_is_returned(path: Path) -> None:
    store(path)
    assert look(path, path) == [VALUE, VALUE]
    assert isinstance(look(path)[0], str)


def test_other_secrets_of_the_file_are_returned_by_their_name(path: Path) -> None:
    store(path)
    assert look(path, secret="id_token") == [COMPANION]


def test_missing_secret_is_named_with_the_existing_ones(path: Path) -> None:
    store(path)
    assert "contains no refresh_token" in refusal(path, secret="refresh_token")
    assert "token, id_token" in refusal(path, secret="refresh_token")


@pytest.mark.parametrize(("left", "min_remaining", "good"), [(600, 0, True), (600, 300, True), (600, 610, False)])
def test_token_must_have_the_requested_lifetime_left(path: Path, left: float, min_remaining: float, good: bool) -> None:
    store(path, left)
    if good:
        assert look(path, min_remaining=min_remaining) == [VALUE]
    else:
        assert "too soon" in refusal(path, min_remaining=min_remaining)


@pytest.mark.parametrize("offset", [-86400.0, 0.0, 86400.0])
def test_expiry_is_judged_by_the_servers_clock(path: Path, offset: float) -> None:
    store(path, 600, offset)
    assert look(path) == [VALUE]
    store(path, -1, offset)
    assert "expired at" in refusal(path)


def test_token_whose_expiry_is_unknown_is_returned(path: Path) -> None:
    store(path, None)
    assert look(path, min_remaining=1e6) == [VALUE]


def test_path_may_begin_with_a_variable_or_a_tilde_and_may_be_an_object(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Decrypted:
        """A path in a vault, as cores before 2.19 pass it."""

        def __str__(self) -> str:
            return str(path)

    store(path)
    monkeypatch.setenv("HOME", str(path.parent))
    assert look(f"~/{path.name}", f"$HOME/{path.name}", Decrypted()) == [VALUE] * 3


def test_relative_path_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(path)
    monkeypatch.chdir(path.parent)
    assert "absolute path" in refusal(path.name)


def test_lifetime_may_be_a_number_with_a_unit(path: Path) -> None:
    store(path, 600)
    assert look(path, min_remaining="9m") == [VALUE]
    assert "Raise min_remaining in the task that renews the token" in refusal(path, min_remaining="11m")
    assert "30m" in refusal(path, min_remaining="soon")


def test_missing_file_says_what_to_do(path: Path) -> None:
    assert "Run the task that stores the token" in refusal(path)
    assert "Create" in refusal(path.parent / "none" / "token.json")


def test_pending_token_is_not_returned(path: Path) -> None:
    pending = store(path).current
    store(path, current=None, pending=pending, superseded=(pending,))
    assert "There is no token" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"{", serialized(Record("product", "h", "me"))[:-2]])
def test_damaged_file_is_named_and_left_unchanged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    assert "damaged" in refusal(path)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_symbolic_link_is_refused(path: Path, tmp_path: Path) -> None:
    store(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert "symbolic link" in refusal(link)


def test_file_that_others_can_read_is_a_warning_and_left_unchanged(path: Path, warnings: list[str]) -> None:
    store(path)
    path.chmod(0o644)
    assert look(path) == [VALUE]
    assert len(warnings) == 1
    assert VALUE not in warnings[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_only_the_file_is_read_and_no_lock_is_created(path: Path) -> None:
    store(path)
    path.with_name(path.name + ".lock").unlink()
    before = path.stat().st_mtime_ns
    look(path)
    assert path.stat().st_mtime_ns == before
    assert os.listdir(path.parent) == [path.name]


def test_home_folder_may_be_written_as_a_tilde(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(path)
    monkeypatch.setenv("HOME", str(path.parent))
    assert look(f"~/{path.name}") == [VALUE]


def test_every_secret_is_registered_with_the_core(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(path)
    registered: list[str] = []
    monkeypatch.setattr(secrets, "register_secret", registered.append)
    look(path)
    assert {VALUE, COMPANION} <= set(registered)
