# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for many machines, followed word for word with a real OpenBao, and its readers without Ansible."""

from __future__ import annotations

import http.server
import json
import os
import shlex
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from products import EXAMPLE
from support.bao import Bao, executable
from support.canaries import leaks
from support.cores import DEFAULT
from support.guides import Substitute, files_of, follow
from support.pipelines import github, run
from support.store_proxy import StoreProxy
from support.surroundings import surroundings

if TYPE_CHECKING:
    from lab.client import Lab

GUIDE = "many_machines.md"
WORKFLOW = ".github/workflows/version.yml"
ADDRESS = "https://vault.example.com:8200"
DISCOVERY = "oidc_discovery_url=https://token.actions.githubusercontent.com"
PATH = "east/vrni"
OF_THE_RUNNER = (
    *("PATH", "HOME", "LANG", "ANSIBLE_COLLECTIONS_PATH"),
    *("https_proxy", "no_proxy", "SSL_CERT_FILE", "VAULT_CACERT"),
)
# Only catches hangs.
SECONDS = 60


@pytest.fixture
def signing_key() -> rsa.RSAPrivateKey:
    """The key with which the CI system signs its JWTs."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / ".sddc").mkdir(parents=True, mode=0o700)
    return folder


@pytest.fixture
def environ(lab: Lab, own_bao: Bao, home: Path) -> dict[str, str]:
    """The environment of the first guide, and the address of the store."""
    binary = executable()
    assert binary
    return {
        **surroundings(lab),
        "PATH": f"{DEFAULT.folder}:{Path(binary).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(DEFAULT.collections),
        "no_proxy": "127.0.0.1",
        "VAULT_ADDR": own_bao.address,
        "VAULT_CACERT": own_bao.ca_path,
    }


def substitutes(bao: Bao, folder: Path, key: rsa.RSAPrivateKey) -> dict[str, Substitute]:
    public = folder / "public.pem"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    return {
        f"export VAULT_ADDR={ADDRESS}": Substitute("true", "the server of the test has another address"),
        "bao login": Substitute(
            f"bao login -no-print {shlex.quote(bao.root_token)}", "nobody can enter the token in a test"
        ),
        f"bao write auth/jwt/config {DISCOVERY}": Substitute(
            f"bao write auth/jwt/config jwt_validation_pubkeys=@{shlex.quote(str(public))}",
            "GitHub cannot be reached: the JWT of the test is signed with a key of the test",
        ),
    }


@pytest.fixture
def followed(lab: Lab, own_bao: Bao, environ: dict[str, str], tmp_path: Path, signing_key: rsa.RSAPrivateKey) -> Path:
    """The folder of a reader who has followed the guide. Each command was successful and printed no secret."""
    work = tmp_path / "work"
    work.mkdir()

    done = follow(GUIDE, work, environ, substitutes(own_bao, tmp_path, signing_key))

    assert done.returncode == 0, done.output
    assert leaks({"output": done.output}, secrets(lab, own_bao)) == []
    (tmp_path / "output").write_text(done.output)
    return work


def secrets(lab: Lab, bao: Bao) -> list[str]:
    return [bao.root_token, *(secret["value"] for secret in lab.secrets())]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_guide_for_many_machines_works_word_for_word_and_its_readers_get_the_token(
    lab: Lab, own_bao: Bao, followed: Path, home: Path, tmp_path: Path
) -> None:
    document = own_bao.document(PATH, mount="sddc")
    output = (tmp_path / "output").read_text()
    assert output.count("2 tokens: 2 changed, 0 failed") == 1
    assert output.count("api_version") == 1, "the shell; the output of Ansible tasks is hidden"
    assert "does not allow" not in output
    written = followed / "vrni-token"
    assert written.read_text() == document["token"]
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    page = (home / ".sddc" / "report.html").read_text()
    assert document["fingerprint"] in page
    assert leaks({"page": page}, secrets(lab, own_bao)) == []

    counts = lab.counts(EXAMPLE.name, EXAMPLE.host)
    assert (counts["tokens_minted"], counts["tokens_valid"]) == (2, 1), "the session has revoked its token"
    assert own_bao.document("sessions", mount="sddc") == {"sessions": "1"}
    assert own_bao.call("GET", f"sddc/data/{PATH}?version=1").status_code == 404, "no older version is kept"
    metadata = own_bao.do("GET", f"sddc/metadata/{PATH}")["data"]
    assert (metadata["max_versions"], metadata["cas_required"]) == (1, True)


def test_the_policies_of_the_guide_allow_what_they_are_for_and_nothing_else(real_bao: Bao) -> None:
    files = files_of(GUIDE)

    def allowed(name: str, path: str) -> set[str]:
        token = real_bao.token_for(files[f"{name}.hcl"], f"guide-{name}")
        return set(real_bao.call("POST", "sys/capabilities-self", {"paths": [path]}, token=token).json()["data"][path])

    assert allowed("reader", f"sddc/data/{PATH}") == {"read"}
    assert allowed("reader", f"sddc/metadata/{PATH}") == {"deny"}
    assert allowed("writer", f"sddc/data/{PATH}") == {"create", "read", "update"}
    assert allowed("writer", f"sddc/metadata/{PATH}") == {"create", "read", "update"}
    assert allowed("writer", "secret/data/other") == {"deny"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_agent_of_the_guide_replaces_its_file_after_a_renewal(
    own_bao: Bao, followed: Path, environ: dict[str, str]
) -> None:
    settings = followed / "agent.hcl"
    settings.write_text(settings.read_text().replace('"1m"', '"1s"'))
    written = followed / "vrni-token"
    written.unlink()
    with StoreProxy(own_bao).running() as proxy, running_agent(followed, environ, proxy.address) as agent:
        document = own_bao.document(PATH, mount="sddc")
        waited_for(lambda: written.exists() and written.read_text() == document["token"])
        written_by_task(own_bao, {**document, "token": "renewed"})
        waited_for(lambda: written.read_text() == "renewed")

        written_by_task(own_bao, {name: document[name] for name in ("schema", "product", "host", "principal")})
        wait_for_reads(proxy, 2)
        assert written.read_text() == "renewed", "a document without a token, after a revocation, is not written"
        assert agent.poll() is None

        own_bao.do("PUT", "sys/seal", {})
        wait_for_reads(proxy, 2)
        assert written.read_text() == "renewed", "the file keeps the last token while the store is sealed"


@contextmanager
def running_agent(folder: Path, environ: dict[str, str], address: str) -> Iterator[subprocess.Popen[bytes]]:
    """The agent of the guide, with the address of a store."""
    agent = subprocess.Popen(
        ["bao", "agent", "-config=agent.hcl"],
        cwd=folder,
        env={**environ, "VAULT_ADDR": address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield agent
    finally:
        agent.kill()
        agent.wait()


def wait_for_reads(proxy: StoreProxy, count: int) -> None:
    """Wait until the agent has read the document so many more times. It has then handled all but the last response."""

    def reads() -> int:
        return sum(PATH in line for line in list(proxy.lines))

    before = reads()
    waited_for(lambda: reads() >= before + count)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_in_github_reads_the_token_with_its_jwt_and_without_a_stored_secret(
    lab: Lab, own_bao: Bao, followed: Path, environ: dict[str, str], signing_key: rsa.RSAPrivateKey
) -> None:
    # The audience of the guide is the documented address.
    role = {**json.loads(files_of(GUIDE)["jwt-role.json"]), "bound_audiences": [own_bao.address]}
    own_bao.do("POST", "auth/jwt/role/sddc-reader", role)
    settings = {"VAULT_ADDR": own_bao.address, "VAULT_ROLE": "sddc-reader", "VRNI_HOST": environ["VRNI_HOST"]}
    system = {name: environ[name] for name in OF_THE_RUNNER}
    skipped = {
        line: Substitute("true", "the collection of the checkout is installed", runs_it=not line.startswith("ansible"))
        for line in ("pip install --quiet ansible-core requests", "ansible-galaxy collection install sddc.tokens")
    }
    pipeline = github(files_of(GUIDE)[WORKFLOW])

    def ran(repository: str) -> bool:
        with id_tokens(signing_key, repository) as issued:
            done = run(pipeline, followed, {**system, **issued}, settings, skipped)
        assert leaks({"log": done.log}, [*secrets(lab, own_bao), issued["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]]) == []
        return done.succeeded

    before = lab.counts(EXAMPLE.name, EXAMPLE.host)["tokens_minted"]
    assert ran("example/automation")
    assert not ran("another/repository")
    assert lab.counts(EXAMPLE.name, EXAMPLE.host)["tokens_minted"] == before


@contextmanager
def id_tokens(key: rsa.RSAPrivateKey, repository: str) -> Iterator[dict[str, str]]:
    """The variables with which a job in GitHub gets its JWT, and the server that issues it."""
    secret = "request-token-of-the-job"

    class Issuer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers["Authorization"] != f"bearer {secret}":
                self.send_error(401)
                return
            audience = self.path.partition("&audience=")[2]
            claims = {"aud": audience, "sub": f"repo:{repository}", "repository": repository}
            times = {"iat": int(time.time()), "exp": int(time.time()) + 300}
            body = json.dumps({"value": jwt.encode({**claims, **times}, key, algorithm="RS256")}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Issuer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/token?api-version=2.0"
        yield {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}
        server.shutdown()


def written_by_task(bao: Bao, document: dict[str, str]) -> None:
    """Replace the document, as a task of another machine does."""
    version = bao.do("GET", f"sddc/data/{PATH}")["data"]["metadata"]["version"]
    bao.do("POST", f"sddc/data/{PATH}", {"options": {"cas": version}, "data": document})


def waited_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_the_workflow_of_the_guide_is_valid_by_the_schema_of_github(tmp_path: Path) -> None:
    file = tmp_path / "version.yml"
    file.write_text(files_of(GUIDE)[WORKFLOW])
    command = [str(DEFAULT.folder / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(file)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
