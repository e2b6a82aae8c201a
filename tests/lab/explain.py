# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell a person how to point a playbook at the lab: a file of variables to source, and how to use it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

_VENV = Path(__file__).resolve().parents[2] / ".venv"
_SHELL = """\
# The lab's products and their credentials, for this shell. The lab removes this file when it ends.
{exports}
"""
_TEXT = """\
The lab is running: {products}, each over TLS on its own port of this machine.

  {state}
      what is where, with all credentials, as JSON
  {variables}
      the same as the environment variables that the modules read, with the lab's CA in SSL_CERT_FILE

Both files are for your eyes only and go when the lab ends. In another shell:

  . {sourced}
  ansible localhost -m sddc.tokens.MODULE -a return_token=false

Every module and playbook finds the lab in the same way. tests/lab/README.md tells how to order faults.
Ctrl-C ends it.
"""


def variables_path(state_file: Path) -> Path:
    """Return where the variables stand: beside the state file, `.lab.env` for `.lab.json`."""
    named = state_file.with_suffix(".env")
    return named if named != state_file else state_file.with_name(f"{state_file.name}.env")


def shell_file(variables: Mapping[str, str]) -> str:
    """Return the content of the file to source."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return _SHELL.format(exports="\n".join([*exports, *_of_the_checkout()]))


def _of_the_checkout() -> list[str]:
    """Return what lets a shell find Ansible and this collection, where `make` has set them up."""
    if not _VENV.joinpath("collections").is_dir():
        return []
    collections, programs = shlex.quote(str(_VENV / "collections")), shlex.quote(str(_VENV / "bin"))
    return [f"export ANSIBLE_COLLECTIONS_PATH={collections}", f"export PATH={programs}:$PATH"]


def explanation(products: list[str], state_file: Path) -> str:
    """Return the text for the terminal; no secret is in it. Paths are as short as the working directory allows."""
    variables = _short(variables_path(state_file))
    # A shell looks for a name without a slash in its search path.
    sourced = variables if "/" in variables else f"./{variables}"
    names = f"{', '.join(products[:-1])} and {products[-1]}"
    return _TEXT.format(products=names, state=_short(state_file), variables=variables, sourced=shlex.quote(sourced))


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative
