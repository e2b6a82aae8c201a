# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each guide is followed by a test, and marks the commands that the test does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import guides
from support.checkout import CHECKOUT
from support.guides import GUIDES, NOT_RUN, Substitute, follow, typed_script

PLAIN = "echo followed"
MARKED = f"{PLAIN}{NOT_RUN}"
REPLACED = {PLAIN: Substitute("echo replaced", "a test of substitutes")}
WRAPPED = {PLAIN: Substitute(f"{PLAIN} wrapped", "a test of substitutes", runs_it=True)}


def output(monkeypatch: pytest.MonkeyPatch, folder: Path, line: str, substitutes: dict[str, Substitute]) -> str:
    """What a guide with one command prints."""
    monkeypatch.setattr(guides, "GUIDES", folder)
    (folder / "guide.md").write_text(f"```console\n{line}\n```\n")
    done = follow("guide.md", folder, {"PATH": "/usr/bin:/bin"}, substitutes)
    assert done.returncode == 0
    return done.output.splitlines()[-1]


@pytest.mark.parametrize("guide", sorted(path.name for path in GUIDES.glob("*.md")))
def test_each_guide_is_followed_by_a_test_and_explains_its_marks(guide: str) -> None:
    tests = [path.read_text() for path in (CHECKOUT / "tests" / "integration").glob("test_*_guide.py")]

    assert any(f'"{guide}"' in text for text in tests)
    assert f"`{NOT_RUN.strip()}`" in (GUIDES / guide).read_text()


@pytest.mark.parametrize(
    ("line", "substitutes", "printed"),
    [(PLAIN, {}, "followed"), (MARKED, REPLACED, "replaced"), (PLAIN, WRAPPED, "followed wrapped")],
    ids=["run", "replaced", "wrapped"],
)
def test_a_command_runs_as_written_or_as_its_substitute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, substitutes: dict[str, Substitute], printed: str
) -> None:
    assert output(monkeypatch, tmp_path, line, substitutes) == printed


@pytest.mark.parametrize(
    ("line", "substitutes"),
    [(PLAIN, REPLACED), (MARKED, {}), (MARKED, WRAPPED)],
    ids=["not marked", "marked and run", "marked and wrapped"],
)
def test_a_wrong_mark_in_a_guide_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, substitutes: dict[str, Substitute]
) -> None:
    with pytest.raises(AssertionError, match="not run in tests"):
        output(monkeypatch, tmp_path, line, substitutes)
    with pytest.raises(AssertionError, match="not run in tests"):
        typed_script(line, substitutes)


def test_a_substitute_for_a_command_that_a_guide_does_not_have_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="no such commands"):
        output(monkeypatch, tmp_path, "true", WRAPPED)
