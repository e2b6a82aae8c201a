# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make this collection importable in ansible-rulebook, which runs an event source by its path.

An event source runs this file by its path as well, before it imports anything of the collection.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

# The folder that contains sddc/tokens. Symbolic links are not resolved. None if the checkout is in another folder.
_COLLECTIONS = next((path for path in Path(__file__).absolute().parents if path.name == "ansible_collections"), None)

if _COLLECTIONS:
    if str(_COLLECTIONS.parent) not in sys.path:
        # At the first position, so that imported code is of the same release as the event source.
        sys.path.insert(0, str(_COLLECTIONS.parent))
    importlib.invalidate_caches()
    _folders = importlib.import_module("ansible_collections").__path__
    if str(_COLLECTIONS) not in list(_folders):
        # The PyPI package `ansible` contains a regular package of this name, which hides all other folders.
        _folders.append(str(_COLLECTIONS))
