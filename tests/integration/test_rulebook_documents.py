# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rulebooks, and the examples of event sources, are valid for ansible-rulebook, which the unit tests do not install."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import yaml
from ansible_rulebook.validators import Validate
from jsonschema import ValidationError

from support.checkout import CHECKOUT

EDA = CHECKOUT / "extensions" / "eda"


@pytest.mark.parametrize("path", sorted(EDA.glob("plugins/event_source/*.py")), ids=lambda path: path.stem)
def test_examples_of_an_event_source_are_a_valid_rulebook(path: Path) -> None:
    Validate.rulebook(yaml.safe_load(runpy.run_path(str(path))["EXAMPLES"]))


@pytest.mark.parametrize("path", sorted(EDA.glob("rulebooks/*.yml")), ids=lambda path: path.stem)
def test_rulebook_is_valid(path: Path) -> None:
    Validate.rulebook(yaml.safe_load(path.read_text()))


def test_a_rulebook_with_an_unknown_key_is_refused() -> None:
    (ruleset, *_others) = yaml.safe_load(next(EDA.glob("rulebooks/*.yml")).read_text())

    with pytest.raises(ValidationError):
        Validate.rulebook([{**ruleset, "rulz": ruleset["rules"]}])
