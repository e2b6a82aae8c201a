# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault does what it says, to the requests it should."""

from __future__ import annotations

import concurrent.futures
import email.utils
import socket
import ssl
import time
import urllib.parse

import pytest
import requests


def minted(lab):
    return lab.counts("vrni").get("tokens_minted", 0)


def test_fault_strikes_after_skip_and_so_many_times(lab, vrni):
    lab.fault("vrni", "status", status=503, skip=1, times=2)
    assert [vrni.create().status_code for _number in range(4)] == [200, 503, 503, 200]


def test_fault_strikes_only_what_it_matches(lab, vrni, csp):
    lab.fault("vrni", "status", status=503, times=0, method="POST", path=r"/auth/token$", host="127.0.0.1")
    assert vrni.create().status_code == 503
    assert vrni.from_vidm("x").status_code == 401
    assert vrni.delete("x").status_code == 401
    assert csp.authorize().status_code == 200
    lab.clear_faults()
    assert vrni.create().status_code == 200


def test_status_fault_has_headers_and_body(lab, vrni):
    lab.fault("vrni", "status", status=429, headers={"Retry-After": "7"}, body={"code": 429})
    reply = vrni.create()
    assert (reply.status_code, reply.headers["Retry-After"], reply.json()) == (429, "7", {"code": 429})
    assert minted(lab) == 0


@pytest.mark.parametrize("abrupt", [False, True])
@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after", 1)])
def test_connection_drops_before_or_after_the_work(lab, vrni, kind, made, abrupt):
    lab.fault("vrni", kind, abrupt=abrupt)
    with pytest.raises(requests.ConnectionError):
        vrni.create()
    assert minted(lab) == made
    entry = lab.wait_for_requests(1, "vrni")[0]
    assert (entry.status, entry.work_status, entry.fault) == (None, 200 if made else None, kind)


def test_truncated_reply_promises_all_and_the_work_is_done(lab, vrni):
    lab.fault("vrni", "truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        vrni.create()
    assert minted(lab) == 1


@pytest.mark.parametrize("status", [200, 403, 502])
@pytest.mark.parametrize("work", [False, True])
def test_proxys_page_is_html_whether_or_not_work_was_done(lab, vrni, status, work):
    lab.fault("vrni", "html", status=status, work=work)
    reply = vrni.create()
    assert (reply.status_code, reply.headers["Content-Type"].split(";")[0]) == (status, "text/html")
    assert minted(lab) == int(work)


def test_invalid_json_and_empty_body(lab, vrni):
    lab.fault("vrni", "invalid_json")
    lab.fault("vrni", "empty")
    broken, empty = vrni.create(), vrni.create()
    with pytest.raises(requests.exceptions.JSONDecodeError):
        broken.json()
    assert empty.content == b""


def test_redirect_names_another_host(lab, vrni):
    lab.fault("vrni", "redirect", status=307)
    reply = vrni.create(allow_redirects=False)
    assert (reply.status_code, reply.headers["Location"]) == (307, "https://elsewhere.example.net/api/ni/auth/token")


def date_of(reply):
    return email.utils.parsedate_to_datetime(reply.headers["Date"]).timestamp()


def test_date_is_skewed_alone_or_with_the_products_clock(lab, vrni):
    lab.fault("vrni", "skew_date", seconds=-3600)
    skewed = vrni.create()
    assert date_of(skewed) - time.time() == pytest.approx(-3600, abs=120)
    assert skewed.json()["expiry"] / 1000 - time.time() == pytest.approx(18000, abs=120)
    lab.change_settings("vrni", clock_offset=-3600)
    consistent = vrni.create()
    assert consistent.json()["expiry"] / 1000 - date_of(consistent) == pytest.approx(18000, abs=120)


def test_modifiers_go_with_another_fault(lab, vrni):
    lab.fault("vrni", "skew_date", seconds=-3600, times=0)
    lab.fault("vrni", "status", status=503)
    reply = vrni.create()
    assert reply.status_code == 503
    assert date_of(reply) - time.time() == pytest.approx(-3600, abs=120)
    assert lab.requests("vrni")[0].fault == "skew_date+status"


@pytest.mark.parametrize(("work", "made"), [(False, 0), (True, 1)])
def test_delay_outlasts_the_client_with_or_without_work(lab, vrni, work, made):
    fault = lab.fault("vrni", "delay", seconds=600, work=work)
    with pytest.raises(requests.Timeout):
        vrni.create(timeout=(60, 0.3))
    lab.clear_faults(fault)
    lab.wait_for_requests(1, "vrni")
    assert minted(lab) == made


def test_delayed_request_goes_on_when_the_fault_is_cleared(lab, vrni):
    fault = lab.fault("vrni", "delay", seconds=600)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(vrni.create, timeout=120)
        assert lab.wait_for_requests(1, "vrni", finished=False)[0].fault == "delay"
        lab.clear_faults(fault)
        assert waiting.result().status_code == 200


def test_trickle_sends_byte_by_byte(lab, vrni):
    lab.fault("vrni", "trickle", interval=0.002)
    reply = vrni.create()
    assert reply.status_code == 200
    assert lab.wait_for_requests(1, "vrni")[0].seconds >= len(reply.content) * 0.002


def test_huge_body_comes_as_large_as_ordered(lab, vrni):
    lab.fault("vrni", "huge", megabytes=3)
    assert len(vrni.create().content) == 3 * 1024 * 1024


def test_gzip_bomb_is_small_on_the_wire(lab, vrni):
    lab.fault("vrni", "gzip_bomb", megabytes=20)
    reply = vrni.create(stream=True)
    assert int(reply.headers["Content-Length"]) < 100_000
    assert len(reply.content) == 20 * 1024 * 1024


def test_headers_never_end(lab, vrni):
    lab.fault("vrni", "endless_headers")
    address = urllib.parse.urlsplit(vrni.base)
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
    assert lab.wait_for_requests(1, "vrni")[0].done, "the lab stops when the client does"


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"kind": "nonesuch", "product": "vrni"}, "kind"),
        ({"kind": "delay", "product": "vrni"}, "missing: seconds"),
        ({"kind": "delay", "product": "vrni", "seconds": "x"}, "seconds"),
        ({"kind": "empty", "product": "nonesuch"}, "no product"),
        ({"kind": "empty", "product": "vrni", "path": "("}, "regular expression"),
        ({"kind": "empty", "product": "vrni", "times": -1}, "negative"),
    ],
)
def test_wrong_order_is_explained(lab, order, why):
    from lab.client import LabError

    with pytest.raises(LabError, match=why):
        lab.fault(**order)
