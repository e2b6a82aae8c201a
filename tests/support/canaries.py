# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking for secrets where none may be."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

# Shorter values stand in any text by chance.
SHORTEST = 8


def leaks(texts: Mapping[str, str], secrets: Iterable[str]) -> list[str]:
    """Where which secret stands, in plain or encoded; told by its first characters only."""
    found = []
    for secret in {value for value in secrets if len(value) >= SHORTEST}:
        for form, value in forms(secret).items():
            found += [f"{place}: {secret[:4]}... ({form})" for place, text in texts.items() if value in text]
    return found


def forms(secret: str) -> dict[str, str]:
    """How a secret may be written."""
    encoded = base64.b64encode(secret.encode()).decode()
    return {
        "plain": secret,
        "base64": encoded.rstrip("=")[:-1],
        "URL-encoded": quote(secret, safe=""),
        "form-encoded": quote_plus(secret),
        "JSON": json.dumps(secret)[1:-1],
    }
