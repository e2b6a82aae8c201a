# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's tarball from what git tracks. Usage: build.py FOLDER, in which it replaces older tarballs.

Its CHANGELOG.rst has a section for the version that is built, also before the release.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from support.checkout import copied, packed
from tools import changelog


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("sddc-tokens-*.tar.gz"):
        old.unlink()
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, "tokens")
        copied(copy)
        (copy / changelog.FILE.name).write_text(changelog.upcoming())
        print(f"Built {packed(copy, folder)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
