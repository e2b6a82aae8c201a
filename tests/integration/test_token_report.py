# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role token_report: its page, its JSON, and when it reports a change."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUERS
from support.bao import Bao
from support.canaries import leaks
from support.checkout import CHECKOUT
from support.cores import EVERY, Core
from support.pages import Page
from support.playbooks import IN_PROCESS, OVER_SSH, Ansible, Route, Run, Task
from support.tasks import change_settings, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

ROLE = Path(__file__).resolve().parents[2] / "roles" / "token_report"
FOLDER = "{{ playbook_dir }}/tokens"
HTML = "{{ playbook_dir }}/out/site/index.html"
JSON = "{{ playbook_dir }}/out/tokens.json"
HOUR = 3600.0
# A promise that is kept on one core is checked on the others, too, where there is time for it.
HOSTILE = "\"><script>alert(1)</script><b onclick='x'>&amp;{{ 7 * 7 }}{% raw %}"


def report(register: str, **variables: Any) -> list[Task]:
    """The role, which writes both files by default. Its result is recorded."""
    given = {"paths": [FOLDER], "html_file": HTML, "json_file": JSON, **variables}
    role: Task = {
        "name": f"Report {register}",
        "ansible.builtin.include_role": {"name": "sddc.tokens.token_report"},
        "vars": {f"token_report_{name}": value for name, value in given.items()},
    }
    shown = {"name": "Show", "ansible.builtin.debug": {"var": "token_report_result"}, "register": register}
    return [role, shown]


def result(run: Run, register: str) -> dict[str, Any]:
    """The result of the role."""
    left = run[register]["token_report_result"]
    assert isinstance(left, dict)
    return left


def changes(run: Run) -> int:
    """The number of tasks of the play that have changed something."""
    (count,) = re.findall(r"\bchanged=(\d+)", run.output)
    return int(count)


def secret_of(name: str) -> str:
    """The token in a file. Half of a secret is redacted, and a name is shown."""
    return f"the-secret-of-{hashlib.sha256(name.encode(errors='replace')).hexdigest()}"


def hand_made(path: Path, *, left: float | None, life: float = HOUR, **facts: Any) -> None:
    """A token file as the modules write it, of a token with `left` of its `life` to go, both in seconds."""
    ends = None if left is None else time.time() + left
    token: dict[str, Any] = {
        "token": secret_of(path.name),
        "token_type": "Bearer",
        "issued_at": None if ends is None else ends - life,
        "expires_at": ends,
        "scope": None,
        "companions": {},
    }
    base = {"version": 1, "product": ISSUERS[0].name, "host": ISSUERS[0].host, "principal": "ops", "clock_offset": 0.0}
    document = {**base, "current": token, "pending": None, "superseded": [], **facts}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))
    path.chmod(0o600)


def age(path: Path, seconds: float) -> None:
    """Make the token of a file older."""
    document = json.loads(path.read_text())
    for name in ("issued_at", "expires_at"):
        document["current"][name] -= seconds
    path.write_text(json.dumps(document))


def page(ansible: Ansible) -> Page:
    return Page((ansible.folder / "out" / "site" / "index.html").read_text(errors="replace"))


def document(ansible: Ansible) -> dict[str, Any]:
    written = json.loads((ansible.folder / "out" / "tokens.json").read_text())
    assert isinstance(written, dict)
    return written


def test_the_page_and_the_json_list_every_token_by_urgency_without_secrets(
    ansible: Ansible, lab: Lab, core: Core
) -> None:
    folder = ansible.folder / "tokens"
    folder.mkdir()
    keep: list[Task] = [
        ISSUERS[0].task("due", token_file=f"{FOLDER}/due.json", return_token=False),
        EXAMPLE.task("good", token_file=f"{FOLDER}/good.json", return_token=False),
        ISSUERS[1].task("expired", token_file=f"{FOLDER}/expired.json", return_token=False),
        change_settings(EXAMPLE.name, expiry="absent"),
        EXAMPLE.task("unknown", token_file=f"{FOLDER}/unknown.json", return_token=False),
    ]
    kept = succeeded(ansible.play(keep, core=core))
    age(folder / "expired.json", 3 * HOUR)
    age(folder / "due.json", 1700)
    (folder / "damaged.json").write_text('{"version": 1, "token": "left-over-of-a-token')
    (folder / "damaged.json").chmod(0o600)
    hand_made(folder / "pending.json", left=HOUR, current=None)
    lab.clear_requests()

    run = succeeded(
        ansible.play(report("first", paths=[FOLDER, f"{FOLDER}/none.json"]), core=core, arguments=["-vvv", "--diff"])
    )

    written, left = document(ansible), result(run, "first")
    names = [(entry["state"], entry["path"].rpartition("/")[2]) for entry in written["tokens"]]
    assert names == [
        ("expired", "expired.json"),
        ("unusable", "damaged.json"),
        ("unusable", "none.json"),
        ("unusable", "pending.json"),
        ("due", "due.json"),
        ("unknown", "unknown.json"),
        ("good", "good.json"),
    ]
    assert written["counts"] == {"total": 7, "expired": 1, "unusable": 3, "due": 1, "unknown": 1, "good": 1}
    assert (written["min_remaining"], written["paths"][0], written["title"]) == (300, str(folder), "Tokens")
    site, numbers = str(ansible.folder / "out/site/index.html"), str(ansible.folder / "out/tokens.json")
    assert left == {**written, "changed": True, "html_file": site, "json_file": numbers}
    by_name = {entry["path"].rpartition("/")[2]: entry for entry in written["tokens"]}
    assert by_name["good.json"]["fingerprint"] == kept["good"]["fingerprint"]
    assert by_name["good.json"]["expires_at"] == kept["good"]["expires_at"]
    assert "No verified token is stored." in by_name["pending.json"]["error"]

    shown = page(ansible)
    assert "Of 7 tokens, 1 has expired, 3 are unusable, 1 expires soon and 1 has an unknown expiry." in shown.text
    order = [shown.rows.index(row) for _state, name in names for row in shown.rows if f"/{name}" in row]
    assert order == sorted(order)
    assert len(order) == 7
    assert "2 h 30 min ago expired" in shown.row("/expired.json")
    assert re.search(r"\b1 min until \d+ [A-Z][a-z]{2} \d{4}, \d\d:\d\d issued", shown.row("/due.json"))
    assert re.search(r"LOCAL/\S+ .*4 h 59 min until", shown.row("/good.json"))
    assert kept["good"]["fingerprint"] in shown.row("/good.json")
    assert "is damaged" in shown.row("/damaged.json")
    assert "There is no file" in shown.row("/none.json")
    assert f"{written['as_of'][11:16]} UTC" in shown.text
    assert (
        "7 tokens: 1 expired, 3 unusable, 1 expiring soon (less than 5 min left), 1 with unknown expiry, 1 valid. "
        f"Report: {site}, {numbers}" in said(run)
    )
    assert {stat.S_IMODE(Path(path).stat().st_mode) for path in (site, numbers)} == {0o644}
    assert lab.requests() == [], "reporting sends no request"
    secrets = [value["value"] for value in lab.secrets()]
    texts = {"output": run.output, "page": Path(site).read_text(), "json": Path(numbers).read_text()}
    assert leaks(texts, ["left-over-of-a-token", secret_of("pending.json"), *secrets]) == []


@pytest.mark.slow
@pytest.mark.parametrize("core", EVERY, ids=lambda core: core.version, indirect=True)
def test_a_report_is_changed_only_when_the_tokens_have_changed(ansible: Ansible, lab: Lab, core: Core) -> None:
    token = ansible.folder / "tokens" / "good.json"
    token.parent.mkdir()
    stored: dict[str, Any] = {"token_file": f"{FOLDER}/good.json", "return_token": False}
    month: dict[str, Any] = {"min_remaining": 30 * 24 * HOUR, "json_file": ""}
    site = ansible.folder / "out" / "site" / "index.html"

    def told(steps: Mapping[str, list[Task]]) -> dict[str, bool]:
        run = succeeded(ansible.play([task for tasks in steps.values() for task in tasks], core=core))
        return {name: result(run, name)["changed"] for name in steps}

    first = {
        "created": [EXAMPLE.task(**stored), *report("created", **month)],
        "same": report("same", **month),
        "renewed": [EXAMPLE.task(**stored, renew="always"), *report("renewed", **month)],
    }
    assert told(first) == {"created": True, "same": False, "renewed": True}
    before = site.read_text()

    unchanged = succeeded(ansible.play(report("later", **month), core=core))

    assert (changes(unchanged), result(unchanged, "later")["changed"]) == (0, False), (
        "the passing of time is not a change"
    )
    assert site.read_text() != before, "the page still shows the new time"
    age(token, 2.6 * HOUR)
    second: dict[str, list[Task]] = {
        "due": report("due", **month),
        "opened": [file_task(HTML, mode="0600"), *report("opened", **month)],
        "lost": [file_task(HTML, state="absent"), *report("lost", **month)],
        "gone": [file_task(f"{FOLDER}/good.json", state="absent"), *report("gone", **month)],
    }
    assert told(second) == dict.fromkeys(second, True)
    assert stat.S_IMODE(site.stat().st_mode) == 0o644
    assert lab.counts(EXAMPLE.name)["tokens_minted"] == 2


def file_task(path: str, **options: Any) -> Task:
    return {"name": f"Change {path}", "ansible.builtin.file": {"path": path, **options}}


@pytest.mark.parametrize(
    ("omitted", "written"),
    [
        ("html_file", "tokens.json"),
        pytest.param("json_file", "index.html", marks=pytest.mark.slow),
    ],
)
def test_either_file_may_be_omitted_and_the_other_alone_detects_changes(
    ansible: Ansible, omitted: str, written: str
) -> None:
    hand_made(ansible.folder / "tokens" / "due.json", left=HOUR)
    tasks = [
        *report("first", **{omitted: ""}),
        *report("second", **{omitted: ""}),
        *report("third", json_file="", html_file=""),
    ]

    run = succeeded(ansible.play(tasks))

    assert [path.name for path in (ansible.folder / "out").rglob("*.*")] == [written]
    assert [result(run, name)["changed"] for name in ("first", "second", "third")] == [True, False, False]
    assert result(run, "first")[omitted] is None
    assert result(run, "third")["counts"]["good"] == 1
    assert said(run).endswith("ignored=0")
    assert '1 token: 1 valid."' in said(run), "without a file none is named"


@pytest.mark.slow
def test_check_mode_writes_nothing_and_predicts_what_a_run_does(ansible: Ansible, core: Core) -> None:
    token = ansible.folder / "tokens" / "due.json"
    hand_made(token, left=HOUR)
    out = ansible.folder / "out"

    predicted = succeeded(ansible.play(report("predicted"), core=core, arguments=["--check", "--diff"]))
    assert not out.exists()
    first = succeeded(ansible.play(report("first"), core=core, arguments=["--diff"]))
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*.*")}
    same = succeeded(ansible.play(report("same"), core=core, arguments=["--check", "--diff"]))
    hand_made(token, left=HOUR, host="other.example.com")
    other = succeeded(ansible.play(report("other"), core=core, arguments=["--check", "--diff"]))

    assert changes(predicted) == changes(first) > 0
    assert (changes(same), changes(other)) == (0, 1)
    told = {"predicted": predicted, "first": first, "same": same, "other": other}
    assert [result(run, name)["changed"] for name, run in told.items()] == [True, True, False, True]
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*.*")} == before
    for run in told.values():
        assert "<td" not in run.output, "a diff of the page would only be noise"
        assert "+++ after" not in run.output.replace("+++ after\n@@", "")


def test_content_of_token_files_and_variables_is_always_shown_as_text(ansible: Ansible, core: Core) -> None:
    folder = ansible.folder / "tokens"
    name = HOSTILE.replace("/", "") + "n\u0308 " + "long " * 20
    facts: dict[str, Any] = {"product": HOSTILE + "p", "host": HOSTILE + "h", "principal": HOSTILE + "o\u202e\n"}
    for number, left in enumerate([-HOUR, 60, HOUR, None]):
        hand_made(folder / f"{number} {name}.json", left=left, **facts)
    for number in range(12):
        hand_made(folder / f"more {number}.json", left=HOUR, **facts)
    (folder / f"damaged {name}.json").write_text("{")
    (folder / f"damaged {name}.json").chmod(0o600)
    (folder / "\udcff.json").write_text("{")
    title = '<script>"Tokens" & more</script>'

    run = succeeded(ansible.play(report("told", title=title), core=core))

    shown = page(ansible)
    assert {tag for tag, _attributes in shown.elements}.isdisjoint({"script", "b onclick", "iframe", "object"})
    assert not [name for _tag, attributes in shown.elements for name in attributes if name.startswith("on")]
    # A direction mark would reverse the following text.
    seen = {key: value.replace("\u202e", "") for key, value in facts.items()}
    for value in seen.values():
        assert " ".join(value.split()) in shown.row(f"/0 {name}.json")
    assert shown.row(f"/damaged {name}.json").count(name) == 2, "its path and its error"
    assert shown.text.count(title) == 2, "title and headline"
    (entry,) = [entry for entry in document(ansible)["tokens"] if entry["path"].endswith(f"/0 {name}.json")]
    assert {key: entry[key] for key in facts} == seen
    assert result(run, "told")["tokens"][0]["principal"] == seen["principal"], "no template is in a result"


@pytest.mark.parametrize("count", [0, *(pytest.param(count, marks=pytest.mark.slow) for count in (1, 200))])
def test_the_page_is_one_accessible_file_for_any_number_of_tokens(ansible: Ansible, count: int) -> None:
    folder = ansible.folder / "tokens"
    folder.mkdir()
    for number in range(count):
        facts: dict[str, Any] = {"product": f"product{number % 4}", "host": f"host-{number}.example.com"}
        hand_made(folder / f"{number:03}.json", left=1500 + (number + 1) ** 2.5 * 100, life=2e6, **facts)

    # A slow machine must not let a token expire meanwhile.
    run = succeeded(ansible.play(report("told", min_remaining="1h")))

    shown = page(ansible)
    assert len([row for row in shown.rows if ".json" in row]) == count
    verdicts = {0: "No token files.", 1: "The token expires soon.", 200: "Of 200 tokens, 3 expire soon."}
    assert verdicts[count] in shown.text
    line = {0: "0 tokens.", 1: "1 token: 1 expiring soon (less than 1 h left).", 200: "200 tokens: 3 expiring soon"}
    assert line[count] in said(run)
    assert bool(shown.of("figure")) == (count > 12), "many tokens begin with an overview"
    assert bool(shown.of("table")) == (count > 0)
    assert ("Nothing is stored there yet." in shown.text) == (count == 0)
    assert shown.of("html") == [{"lang": "en"}]
    assert len(shown.of("title")) == len(shown.of("h1")) == len(shown.of("main")) == 1
    assert {"name": "color-scheme", "content": "light dark"} in shown.of("meta")
    ids = [attributes["id"] for _tag, attributes in shown.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in shown.elements:
        assert tag != "script"
        assert not {"src", "srcset", "action", "data", "background", "poster"} & set(attributes)
        target = attributes.get("href", "data:,")
        assert target == "data:," or target.removeprefix("#") in ids
        assert "//" not in json.dumps(attributes)
    source = (ansible.folder / "out" / "site" / "index.html").read_text()
    assert not re.search(r"url\(|@import|https?:", source), "nothing is fetched"
    for cell in shown.of("th"):
        assert "scope" in cell
    assert all(mark.get("aria-hidden") == "true" for mark in shown.of("svg") if "viewbox" in mark or "width" in mark)
    for left in re.findall(r'(?:width|left|cx|x1)[=:]"?([0-9.]+)%', source):
        assert 0 <= float(left) <= 100
    assert len(source) < 500_000


def test_text_and_icons_contrast_with_their_background_in_light_and_dark() -> None:
    style = (ROLE / "templates" / "style.css.j2").read_text()
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6});", part)) for part in style.split("* {")[0].split("@media"))
    assert set(light) == set(dark)
    for colors in (light, dark):
        for name in ("text", "quiet", "expired", "unusable", "due", "unknown", "good"):
            for background in ("page", "sheet"):
                # WCAG 2.1, 1.4.3: text of normal size.
                assert contrast(colors[name], colors[background]) >= 4.5, (name, background)


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours (WCAG 2.1)."""

    def luminance(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(IN_PROCESS, id=IN_PROCESS.name),
        pytest.param(OVER_SSH, id=OVER_SSH.name, marks=pytest.mark.slow),
    ],
)
def test_existing_folders_keep_their_mode_and_an_invalid_variable_is_named(ansible: Ansible, route: Route) -> None:
    hand_made(ansible.folder / "tokens" / "due.json", left=HOUR)
    out = ansible.folder / "out"
    out.mkdir(mode=0o700)
    run = succeeded(ansible.play(report("told"), route=route))
    assert result(run, "told")["counts"] == {"total": 1, "expired": 0, "unusable": 0, "due": 0, "unknown": 0, "good": 1}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert stat.S_IMODE((out / "site").stat().st_mode) == 0o755

    wrong = ansible.play(report("wrong", min_remaining="soon"), route=route)

    assert wrong.returncode != 0
    assert "min_remaining must be a number of seconds" in said(wrong)


@pytest.mark.parametrize("option", ["html_file", "json_file"])
def test_a_relative_path_is_refused_before_anything_is_written(ansible: Ansible, option: str) -> None:
    run = ansible.play(report("reported", **{option: "report.out"}))

    assert run.returncode != 0
    assert "Relative paths are not supported: report.out" in said(run)
    assert not [path for folder in (ansible.folder, CHECKOUT / "roles") for path in folder.rglob("report.out")]


def test_the_example_of_the_readme_runs_as_written(ansible: Ansible) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROLE / "README.md").read_text(), re.DOTALL)
    (ansible.folder / "example.yml").write_text(example)
    home = ansible.folder / "home"
    home.mkdir()
    hand_made(home / ".sddc" / "due.json", left=HOUR / 2, life=2 * HOUR)

    run = succeeded(ansible.playbook("example.yml", environ={}))

    files = "~/token-report/index.html, ~/token-report/tokens.json"
    assert f"1 token: 1 expiring soon (less than 1 h left). Report: {files}" in said(run)
    assert {path.name for path in (home / "token-report").iterdir()} == {"index.html", "tokens.json"}


def test_the_report_includes_the_documents_of_shared_stores(ansible: Ansible, lab: Lab, bao: Bao) -> None:
    store = {"path": "sddc/report", "url": bao.address, "ca_path": bao.ca_path, "token": bao.root_token}
    bao.do("DELETE", "secret/metadata/sddc/report")
    stores = [store, {**store, "path": "sddc/none"}]

    run = succeeded(
        ansible.play([EXAMPLE.task("kept", token_store=store), *report("report", paths=None, stores=stores)])
    )

    good, none = (
        next(token for token in result(run, "report")["tokens"] if token["path"] == f"secret/sddc/{name}")
        for name in ("report", "none")
    )
    assert (good["state"], good["fingerprint"], good["url"]) == ("good", run["kept"]["fingerprint"], bao.address)
    assert none["state"] == "unusable"
    page = Page((ansible.folder / "out" / "site" / "index.html").read_text())
    assert bao.address in page.row("secret/sddc/report")
    assert leaks({"output": run.output, "page": page.text}, [bao.root_token, run["kept"]["token"]]) == []
