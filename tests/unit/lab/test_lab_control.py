# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API and the command keep their promises."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import email.utils
import json
import os
import shlex
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest
import requests

from lab.client import RUN, Lab, LabError, awaited
from lab.products import discover
from lab.server import Lab as LabServer
from products import EXAMPLE, ISSUER, KITS
from support import bao

PRODUCT, CREATE = EXAMPLE.name, EXAMPLE.targets["create"]


def test_log_returns_requests_with_their_connections(lab, http, example):
    example.create(headers={"X-Mark": "one"})
    http.get(f"{example.url}/a/no%2Fsuch?a=b%20c")
    with requests.Session() as other:
        other.get(example.url, verify=lab.ca_path)
    first, second, third = lab.requests(PRODUCT)
    assert (first.line, first.status, first.host) == (f"POST {CREATE.path}", 200, "127.0.0.1")
    assert first.header("x-mark") == "one"
    assert json.loads(first.body) == example.body
    assert (second.path, second.parameters) == ("/a/no%2Fsuch", {"a": "b c"})
    assert first.connection == second.connection != third.connection
    assert lab.requests(ISSUER.name) == []
    assert [entry.number for entry in lab.requests(after=second.number)] == [third.number]


def test_log_waits_for_a_request_that_has_not_arrived_yet(lab, example):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(Lab(lab.details).wait_for_requests, 2, PRODUCT)
        example.create()
        example.create()
        assert len(waiting.result()) == 2
    with pytest.raises(LabError, match="2 of 3"):
        lab.wait_for_requests(3, timeout=0.05)


BAD_HTTP = {
    b"GET / HTTP/1.1\r\nHost: [::bad\r\n\r\n": b" 404 ",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}": b" 400 ",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n": b" 404 ",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}": None,
    b"no HTTP at all\r\n\r\n": b" 400 ",
}


def test_invalid_http_gets_no_traceback(tmp_path):
    path = tmp_path / "lab.json"
    with subprocess.Popen([sys.executable, RUN, "--state-file", path], stderr=subprocess.PIPE) as process:
        details = awaited(path, process)
        context = ssl.create_default_context(cafile=details["ca_path"])
        port = urllib.parse.urlsplit(details[PRODUCT]["url"]).port
        responses = {}
        for head, status in BAD_HTTP.items():
            with (
                socket.create_connection(("127.0.0.1", port), timeout=120) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
            ):
                connection.sendall(head)
                responses[head] = connection.recv(65536) if status else b""
        process.terminate()
        assert b"Traceback" not in process.communicate(timeout=120)[1]
    for head, response in responses.items():
        assert (BAD_HTTP[head] or b"") in response.split(b"\r\n")[0]
        assert b"Traceback" not in response


@pytest.mark.parametrize("kit", [kit for kit in KITS.values() if kit.guarded], ids=lambda kit: kit.name)
@pytest.mark.parametrize("credentials", [b"Bearer \xff", b"Basic \xff", b"Basic YQ==", b"Bearer", b"\xff"])
def test_malformed_credentials_are_refused_as_wrong_ones(lab, http, kit, credentials):
    response = http.get(lab[kit.name]["url"] + kit.guarded, headers={"Authorization": credentials})
    assert response.status_code in (400, 401, 403)


def test_log_is_cleared(lab, example):
    example.create()
    lab.clear_requests()
    assert lab.requests() == []


@pytest.mark.parametrize("kit", [kit for kit in KITS.values() if kit.server.credentials], ids=lambda kit: kit.name)
def test_the_credential_of_each_product_is_known_as_a_secret(lab, kit):
    assert lab[kit.name][kit.server.credentials[-1]] in {secret["value"] for secret in lab.secrets()}


def test_reset_restores_the_initial_state_and_keeps_credentials(lab, example):
    token = example.token()
    assert example.read(token).status_code == 200
    lab.fault(PRODUCT, "empty", times=0)
    lab.change_settings(PRODUCT, clock_offset=1)
    lab.reset()
    assert (lab.faults(), lab.requests(), lab.state(PRODUCT)) == ([], [], {PRODUCT: {}})
    assert lab.settings(PRODUCT)["clock_offset"] == 0
    assert example.read(token).status_code == 401
    assert example.create().status_code == 200


def test_settings_apply_to_one_host_or_to_all(lab, example):
    lab.change_settings(PRODUCT, host="127.0.0.1", clock_offset=-86400)
    sent = email.utils.parsedate_to_datetime(example.create().headers["Date"]).timestamp()
    assert sent - time.time() == pytest.approx(-86400, abs=600)
    assert lab.settings(PRODUCT)["clock_offset"] == 0
    lab.change_settings(PRODUCT, clock_offset=5)
    assert lab.settings(PRODUCT, host="127.0.0.1")["clock_offset"] == 5


@pytest.mark.parametrize(
    ("name", "value", "why"), [("clock_offset", "long", "clock_offset"), ("nonesuch", 1, "unknown: nonesuch")]
)
def test_invalid_setting_is_explained(lab, name, value, why):
    with pytest.raises(LabError, match=why):
        lab.change_settings(PRODUCT, **{name: value})


def test_revoked_tokens_are_counted_as_revoked(lab, example):
    tokens = [example.token() for _number in range(3)]
    assert lab.revoke_tokens(PRODUCT, tokens=tokens[:1]) == 1
    assert lab.revoke_tokens(PRODUCT, host="127.0.0.1") == 2
    assert lab.counts(PRODUCT)["tokens_revoked"] == 3


def test_further_addresses_present_their_own_certificates(lab, http):
    for address in lab.add_addresses(2):
        for product in KITS:
            assert http.get(lab.url(product, address)).status_code in (401, 403, 404)
    assert lab.addresses()[-1].startswith("127.0.1.")


def test_address_with_an_occupied_port_is_left_out():
    with Lab.start() as lab:
        port = urllib.parse.urlsplit(lab[PRODUCT]["url"]).port
        with socket.create_server(("127.0.1.2", port)):
            added = lab.add_addresses(3)

        assert len(added) == 3
        assert "127.0.1.2" not in added
        with requests.Session() as http:
            urls = [lab.url(product, address) for product in KITS for address in added]
            assert {http.get(url, verify=lab.ca_path).status_code for url in urls} <= {401, 403, 404}


@pytest.mark.parametrize(
    ("certificate", "why"),
    [("expired", "expired"), ("wrong_name", "match|mismatch"), ("untrusted", "unable to get|self.signed")],
)
def test_address_can_have_a_wrong_certificate(lab, http, certificate, why):
    address = lab.add_addresses(1, certificate)[0]
    with pytest.raises(requests.exceptions.SSLError, match=why):
        http.get(lab.url(PRODUCT, address))


@pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
def test_proxy_connects_to_each_product_by_name_and_to_nothing_else(lab, http, kit):
    http.proxies = {"https": lab["proxy"]["url"]}
    for url in (f"https://{kit.host}", lab[kit.name]["url"]):
        assert http.get(url).status_code in (401, 403, 404)
    assert [entry.host for entry in lab.requests(kit.name)] == [kit.host, "127.0.0.1"]
    other = kit.host.replace(".com", ".net")
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        http.get(f"https://{other}/")
    assert lab.tunnels()[-1] == f"{other}:443"


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_command_cleans_up_and_stops_at_once(tmp_path, sign):
    path = tmp_path / "lab.json"
    with Lab.start(addresses=3, state_file=path) as lab:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert len(lab.addresses()) == 3
        with requests.Session() as idle:
            idle.get(lab.url(PRODUCT, lab.addresses()[-1]), verify=lab.ca_path)
            lab.process.send_signal(sign)
            # An idle connection could hold it for a minute.
            assert lab.process.wait(30) == 0
        assert not path.exists()
        assert not Path(lab.ca_path).exists()


def test_command_explains_itself_without_a_secret_on_the_terminal(tmp_path):
    state, variables = tmp_path / "my lab.json", tmp_path / "my lab.env"
    command = [sys.executable, RUN, "--state-file", state, "--explain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        details = awaited(state, process)
        expected = {
            variable: details[product.name][detail]
            for product in discover()
            for variable, detail in product.environment
        }
        assert stat.S_IMODE(variables.stat().st_mode) == 0o600
        shown = " ".join(f'"${variable}"' for variable in [*expected, "SSL_CERT_FILE"])
        script = f'. "$0"; printf "%s\\n" {shown}'
        told = subprocess.run(["sh", "-c", script, variables], capture_output=True, text=True, check=True).stdout
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[0]
    assert told.split("\n") == [*expected.values(), details["ca_path"], ""]
    assert process.returncode == 0
    assert "  . './my lab.env'\n" in said
    assert "Press Ctrl-C to stop the lab." in said
    secrets = [value for part in details.values() if isinstance(part, dict) for value in part.values()]
    assert not [value for value in secrets if len(value) > 20 and value in said]
    assert not state.exists()
    assert not variables.exists()


def test_the_env_file_has_the_documented_variables_with_hosts_without_a_scheme(tmp_path):
    with Lab.start(state_file=tmp_path / "lab.json", arguments=["--explain"]) as lab:
        lines = shlex.split((tmp_path / "lab.env").read_text(), comments=True)
        exported = dict(line.split("=", maxsplit=1) for line in lines if line != "export")
        for kit in KITS.values():
            documented = {variable: lab[kit.name][detail] for variable, detail in kit.environment.items()}
            assert documented.items() <= exported.items()
            assert lab[kit.name]["url"] == f"https://{lab[kit.name]['host']}"


@pytest.mark.skipif(bao.executable() is None, reason=bao.WHY_NOT)
def test_the_lab_runs_a_shared_store_when_asked_and_the_env_file_names_it(tmp_path):
    with Lab.start(state_file=tmp_path / "lab.json", arguments=["--explain", "--store"]) as lab:
        lines = shlex.split((tmp_path / "lab.env").read_text(), comments=True)
        exported = dict(line.split("=", maxsplit=1) for line in lines if line != "export")
        asked = requests.get(
            f"{exported['VAULT_ADDR']}/v1/sys/internal/ui/mounts/secret",
            headers={"X-Vault-Token": exported["VAULT_TOKEN"]},
            verify=exported["VAULT_CACERT"],
            timeout=60,
        )
        assert asked.json()["data"]["options"]["version"] == "2"
        # None of the lab's own store, whatever the tools prefer.
        for name in ("ADDR", "TOKEN", "CACERT"):
            assert exported[f"BAO_{name}"] == exported[f"VAULT_{name}"]
        assert exported["BAO_ADDR"] != lab["vault"]["url"]
    with pytest.raises(requests.ConnectionError):
        requests.get(exported["VAULT_ADDR"], verify=False, timeout=60)  # noqa: S501  (nothing is sent)


def test_a_second_lab_with_the_same_state_file_is_refused_and_deletes_nothing(tmp_path):
    state = tmp_path / "lab.json"
    with Lab.start(state_file=state, arguments=["--explain"]):
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        command = [sys.executable, RUN, "--state-file", state, "--explain"]
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert f"{state} belongs to a running lab" in second.stderr
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_state_file_that_a_killed_lab_left_is_replaced(tmp_path):
    state = tmp_path / "lab.json"
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    state.write_text(json.dumps({"control": {"url": f"https://127.0.0.1:{port}"}}))
    with subprocess.Popen([sys.executable, RUN, "--state-file", state]) as process:
        written = state.read_text()
        while process.poll() is None and state.read_text() == written:
            time.sleep(0.05)
        process.terminate()
        assert process.wait(120) == 0


def test_ports_are_those_asked_for_unless_in_use(tmp_path):
    first = free_ports(2)
    with socket.create_server(("127.0.0.1", first + 1)):
        lab = LabServer(tmp_path)

        async def ports():
            await lab.start(first_port=first)
            try:
                return [urllib.parse.urlsplit(lab.url(name)).port for name in ("control", next(iter(lab.products)))]
            finally:
                await lab.stop()

        control, product = asyncio.run(ports())
    assert control == first
    assert product not in (0, first, first + 1)


def free_ports(count):
    """Return the first of `count` consecutive free ports, outside the range of ephemeral ports."""
    for first in range(20_000, 30_000, count):
        with contextlib.ExitStack() as opened, contextlib.suppress(OSError):
            for port in range(first, first + count):
                opened.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
    raise AssertionError("no free ports")


def test_command_prints_no_explanation_when_not_asked(tmp_path):
    state = tmp_path / "lab.json"
    with subprocess.Popen([sys.executable, RUN, "--state-file", state], stdout=subprocess.PIPE) as process:
        awaited(state, process)
        assert [path.name for path in tmp_path.iterdir()] == ["lab.json"]
        process.terminate()
        assert process.communicate(timeout=120)[0] == b""


@pytest.fixture
def bare(tmp_path):
    """Return the command in a repository without a virtual environment, run without site-packages (-S)."""
    copy = tmp_path / "tests" / "lab" / "run"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(RUN.read_bytes())
    return [sys.executable, "-S", copy, "--state-file", "x"]


def test_command_uses_the_virtual_environment_of_the_repository(tmp_path, bare):
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "venv $@"\n')
    python.chmod(0o700)
    result = subprocess.run(bare, capture_output=True, text=True, check=True)
    assert result.stdout == f"venv {bare[2]} --state-file x\n"


def test_command_without_its_libraries_says_what_to_do(bare):
    result = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "make setup" in result.stderr
    assert "Traceback" not in result.stderr


def test_command_that_cannot_write_says_so(tmp_path):
    command = [sys.executable, RUN, "--state-file", tmp_path / "none" / "x"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "cannot start" in result.stderr
    assert "Traceback" not in result.stderr
