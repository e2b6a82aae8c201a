# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import the collection's tarball with galaxy-importer, as Ansible Galaxy does. Fail on any warning or error.

Usage: import_as_galaxy.py TARBALL. Its tests in a container are not run (`make lint` runs ansible-test), and neither is
its check for a version of 1.0.0, which only a release has.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SETTINGS = """\
[galaxy-importer]
CHECK_REQUIRED_TAGS = True
RUN_FLAKE8 = True
"""
FINDING = re.compile(r"^(?:WARNING|ERROR|CRITICAL): .*", re.MULTILINE)


def main(tarball: Path) -> int:
    """Return the exit code: 0 only if the importer reports nothing."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "galaxy-importer.cfg")
        settings.write_text(SETTINGS)
        done = subprocess.run(
            [sys.executable, "-m", "galaxy_importer.main", str(tarball.resolve())],
            cwd=folder,
            env={
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                "HOME": folder,
                "LANG": "C.UTF-8",
                "GALAXY_IMPORTER_CONFIG": str(settings),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    print(done.stdout, end="")
    findings = FINDING.findall(done.stdout)
    # Again at the end: the importer's own output is long, and ends with "completed successfully" after a warning.
    print("\n".join(["== galaxy", *findings, f"findings: {len(findings)}"]))
    return int(done.returncode != 0 or bool(findings))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
