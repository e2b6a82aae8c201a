# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain how to run playbooks against the lab: a file of environment variables, and what to do with it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

_VENV = Path(__file__).resolve().parents[2] / ".venv"
_SHELL = """\
# Addresses and credentials of the lab's products, for this shell. The lab deletes this file when it stops.
{exports}
"""
_TEXT = """\
The lab is running: {products}.
Each product listens on 127.0.0.1, over TLS. These files have their addresses and credentials:

  {variables}   environment variables that the modules read
  {state}   JSON

Only you can read them. The lab deletes them when it stops.
{store}
1. In another shell, in this folder:

     . {sourced}

2. Copy a playbook of README.md to example.yml. It runs as it is:

     ansible-playbook example.yml

3. Afterwards, delete the token files of the lab. A task refuses a token file of another host. README.md has the
   command for its playbooks.

That shell trusts the lab's CA certificate only (SSL_CERT_FILE). tests/lab/README.md shows how to make requests fail.
Press Ctrl-C to stop the lab.
"""
_STORE = """
The variables BAO_ADDR, BAO_TOKEN and VAULT_CACERT set {store} as the shared store, so that a task needs
only `token_store: {{path: sddc/example}}` in place of `token_file`.
"""


def variables_path(state_file: Path) -> Path:
    """Return the file of environment variables: beside the state file, `.lab.env` for `.lab.json`."""
    named = state_file.with_suffix(".env")
    return named if named != state_file else state_file.with_name(f"{state_file.name}.env")


def shell_file(variables: Mapping[str, str]) -> str:
    """Return the content of the file to source."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return _SHELL.format(exports="\n".join([*exports, *_of_the_checkout()]))


def _of_the_checkout() -> list[str]:
    """Return the variables with which a shell finds Ansible and this collection, where `make` has installed them."""
    if not _VENV.joinpath("collections").is_dir():
        return []
    collections, programs = shlex.quote(str(_VENV / "collections")), shlex.quote(str(_VENV / "bin"))
    return [f"export ANSIBLE_COLLECTIONS_PATH={collections}", f"export PATH={programs}:$PATH"]


def explanation(products: list[str], state_file: Path, *, has_openbao: bool = False) -> str:
    """Return the text for the terminal, without any secret. Paths are relative to the working directory if possible."""
    state, variables = _short(state_file), _short(variables_path(state_file))
    # A shell searches PATH for a name without a slash.
    sourced = variables if "/" in variables else f"./{variables}"
    names = f"{', '.join(products[:-1])} and {products[-1]}"
    width = max(len(state), len(variables))
    return _TEXT.format(
        products=names,
        state=state.ljust(width),
        variables=variables.ljust(width),
        sourced=shlex.quote(sourced),
        store=_STORE.format(store="OpenBao" if has_openbao else "a small store of the lab"),
    )


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative
