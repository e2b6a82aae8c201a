# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault does what it promises, to the matching requests."""

from __future__ import annotations

import concurrent.futures
import email.utils
import socket
import ssl
import time
import urllib.parse

import pytest
import requests

from products import EXAMPLE, ISSUER

PRODUCT, CREATE = EXAMPLE.name, EXAMPLE.targets["create"]


def minted(lab):
    return lab.counts(PRODUCT).get("tokens_minted", 0)


def test_fault_applies_after_skip_and_the_given_number_of_times(lab, example):
    lab.fault(PRODUCT, "status", status=503, skip=1, times=2)
    assert [example.create().status_code for _number in range(4)] == [200, 503, 503, 200]


def test_fault_applies_only_to_matching_requests(lab, example):
    lab.fault(PRODUCT, "status", status=503, times=0, method="POST", path=f"{CREATE.path}$", host="127.0.0.1")
    assert example.create().status_code == 503
    assert example.create(f"{CREATE.path}/further").status_code in (404, 405)
    assert example.delete("x").status_code == 401
    assert example.http.get(lab[ISSUER.name]["url"]).status_code == 404
    lab.clear_faults()
    assert example.create().status_code == 200


def test_status_fault_has_headers_and_body(lab, example):
    lab.fault(PRODUCT, "status", status=429, headers={"Retry-After": "7"}, body={"code": 429})
    response = example.create()
    assert (response.status_code, response.headers["Retry-After"], response.json()) == (429, "7", {"code": 429})
    assert minted(lab) == 0


@pytest.mark.parametrize("abrupt", [False, True])
@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after", 1)])
def test_connection_drops_before_or_after_the_work(lab, example, kind, made, abrupt):
    lab.fault(PRODUCT, kind, abrupt=abrupt)
    with pytest.raises(requests.ConnectionError):
        example.create()
    assert minted(lab) == made
    entry = lab.wait_for_requests(1, PRODUCT)[0]
    assert (entry.status, entry.work_status, entry.fault) == (None, 200 if made else None, kind)


def test_truncated_response_announces_the_whole_body_and_the_request_is_carried_out(lab, example):
    lab.fault(PRODUCT, "truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        example.create()
    assert minted(lab) == 1


@pytest.mark.parametrize("status", [200, 403, 502])
@pytest.mark.parametrize("work", [False, True])
def test_proxy_page_is_html_whether_or_not_the_request_was_carried_out(lab, example, status, work):
    lab.fault(PRODUCT, "html", status=status, work=work)
    response = example.create()
    assert (response.status_code, response.headers["Content-Type"].split(";")[0]) == (status, "text/html")
    assert minted(lab) == int(work)


def test_invalid_json_and_empty_body(lab, example):
    lab.fault(PRODUCT, "invalid_json")
    lab.fault(PRODUCT, "empty")
    broken, empty = example.create(), example.create()
    with pytest.raises(requests.exceptions.JSONDecodeError):
        broken.json()
    assert empty.content == b""


def test_redirect_points_to_another_host(lab, example):
    lab.fault(PRODUCT, "redirect", status=307)
    response = example.create(allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (307, f"https://elsewhere.example.net{CREATE.path}")


def date_of(response):
    return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()


def test_modifiers_combine_with_another_fault(lab, example):
    lab.fault(PRODUCT, "skew_date", seconds=-3600, times=0)
    lab.fault(PRODUCT, "status", status=503)
    response = example.create()
    assert response.status_code == 503
    assert date_of(response) - time.time() == pytest.approx(-3600, abs=120)
    assert lab.requests(PRODUCT)[0].fault == "skew_date+status"


@pytest.mark.parametrize(("work", "made"), [(False, 0), (True, 1)])
def test_delay_exceeds_the_timeout_of_the_client_with_or_without_carrying_out_the_request(lab, example, work, made):
    fault = lab.fault(PRODUCT, "delay", seconds=600, work=work)
    with pytest.raises(requests.Timeout):
        example.create(timeout=(60, 0.3))
    lab.clear_faults(fault)
    lab.wait_for_requests(1, PRODUCT)
    assert minted(lab) == made


def test_delayed_request_continues_when_the_fault_is_cleared(lab, example):
    fault = lab.fault(PRODUCT, "delay", seconds=600)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(example.create, timeout=120)
        assert lab.wait_for_requests(1, PRODUCT, finished=False)[0].fault == "delay"
        lab.clear_faults(fault)
        assert waiting.result().status_code == 200


def test_trickle_sends_byte_by_byte(lab, example):
    lab.fault(PRODUCT, "trickle", interval=0.002)
    response = example.create()
    assert response.status_code == 200
    assert lab.wait_for_requests(1, PRODUCT)[0].seconds >= len(response.content) * 0.002


def test_huge_body_has_the_requested_size(lab, example):
    lab.fault(PRODUCT, "huge", megabytes=3)
    assert len(example.create().content) == 3 * 1024 * 1024


def test_gzip_bomb_is_small_on_the_wire(lab, example):
    lab.fault(PRODUCT, "gzip_bomb", megabytes=20)
    response = example.create(stream=True)
    assert int(response.headers["Content-Length"]) < 100_000
    assert len(response.content) == 20 * 1024 * 1024


def test_headers_never_end(lab, example):
    lab.fault(PRODUCT, "endless_headers")
    address = urllib.parse.urlsplit(example.url)
    context = ssl.create_default_context(cafile=lab.ca_path)
    with (
        socket.create_connection((address.hostname, address.port), timeout=120) as plain,
        context.wrap_socket(plain, server_hostname=address.hostname) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        received = 0
        while received < 1_000_000:
            chunk = connection.recv(65536)
            assert chunk, "they ended"
            received += len(chunk)
    assert lab.wait_for_requests(1, PRODUCT)[0].done, "the lab stops when the client does"


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"kind": "nonesuch", "product": PRODUCT}, "kind"),
        ({"kind": "delay", "product": PRODUCT}, "missing: seconds"),
        ({"kind": "delay", "product": PRODUCT, "seconds": "x"}, "seconds"),
        ({"kind": "empty", "product": "nonesuch"}, "unknown product"),
        ({"kind": "empty", "product": PRODUCT, "path": "("}, "regular expression"),
        ({"kind": "empty", "product": PRODUCT, "times": -1}, "negative"),
    ],
)
def test_invalid_fault_is_explained(lab, order, why):
    from lab.client import LabError

    with pytest.raises(LabError, match=why):
        lab.fault(**order)
