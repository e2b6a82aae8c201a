# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same work without the collection: a session of `requests`, and threads. Usage: nsx_bare_requests.py WORK.json"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests


def main() -> None:
    work = json.loads(Path(sys.argv[1]).read_text())
    session = requests.Session()
    session.verify = os.environ["SSL_CERT_FILE"]
    session.trust_env = False
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=work["concurrency"]))
    session.headers["Authorization"] = f"Bearer {work['access_token']}"
    session.headers["X-NSX-OpenId"] = work["open_id_token"]

    def reauthenticate(path: str) -> None:
        url = f"{work['url']}/policy/api/v1{path}?action=reauth"
        session.post(url, headers={"Content-Type": "application/json"}, timeout=30).raise_for_status()

    with ThreadPoolExecutor(max_workers=work["concurrency"]) as pool:
        list(pool.map(reauthenticate, work["paths"]))


if __name__ == "__main__":
    main()
