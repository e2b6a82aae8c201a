# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name or a filter that matches nothing in a folder is a warning, or an error, that lists what exists."""

from __future__ import annotations

from support.in_process_plays import InProcess
from support.playbooks import module
from support.tasks import succeeded


def test_a_folder_without_a_token_file_is_a_warning_that_names_its_content(in_process: InProcess) -> None:
    for number in range(30):
        (in_process.folder / f"token-{number:02d}.jsn").touch()

    run = succeeded(in_process.play([module("token_info", "info", paths=["{{ playbook_dir }}"])]))

    (warning,) = run["info"]["warnings"]
    assert "token-00.jsn, " in warning
    assert "and 20 more" in warning
    assert run["info"]["token_files"] == []
