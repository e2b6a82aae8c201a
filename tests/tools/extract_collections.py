# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the collections that the tests use, and that pip cannot install one by one, into a collections folder.

They are published on the Python index inside the `ansible` package only. Usage: extract_collections.py FOLDER
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "ansible==12.3.0"
COLLECTIONS = (
    "ansible/posix",  # its json and jsonl callbacks
    "awx/awx",  # with which playbooks/awx_setup.yml applies the definitions of playbooks/vars
)


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as download:
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--only-binary", ":all:", "--dest", download, PACKAGE], check=True)
        (wheel,) = Path(download).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            wanted = tuple(f"ansible_collections/{name}/" for name in COLLECTIONS)
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(wanted)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
