# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the body of a response up to a limit, and detect one that is cut off."""

from __future__ import annotations

import re
from typing import Any

from .._core.errors import OversizedResponse, ResponseLost

# Bytes. A page of 1,000 alarms has about 2 MB.
LONGEST_BODY = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_LEAST_REFUSAL = 400
# str.isdigit() also accepts digits that int() refuses.
_LENGTH = re.compile(r"[0-9]{1,19}")


def body_of(received: Any, method: str) -> bytes:
    """Return the body of a response of `requests`; empty for an error status whose body is too long or compressed.

    Raises ResponseLost, or OversizedResponse for a successful response.
    """
    try:
        return _read(received, method)
    except OversizedResponse:
        # The status of an error decides.
        if received.status_code < _LEAST_REFUSAL:
            raise
        return b""


def _read(received: Any, method: str) -> bytes:
    if received.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OversizedResponse("the response is compressed, which was not requested")
    # The default since urllib3 2. Older releases reuse a connection whose response was cut off.
    received.raw.enforce_content_length = True
    body = bytearray()
    for chunk in received.raw.stream(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > LONGEST_BODY:
            raise OversizedResponse(f"the response is longer than {LONGEST_BODY // 1024**2} MiB")
    announced = received.headers.get("Content-Length", "")
    if _LENGTH.fullmatch(announced) and method != "HEAD" and len(body) != int(announced):
        raise ResponseLost(f"the response was cut off after {len(body)} of {announced} bytes")
    return bytes(body)
