# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module that sends requests, every fault of the lab, each request of the module: one cell each.

In process, over real TLS. test_faults.py runs a sample with ansible-playbook. `make test` takes the faults in turn with
one job each, at all of its requests; `make test-all` each fault with each job.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, JOBS, KITS, jobs_of
from support.canaries import leaks
from support.in_process import Done, SkippingClock, done, prepared, record_of
from support.kit import Job, Kit

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

# Timeouts in seconds: for a server that is late, and for all others, so that a busy machine does no harm.
SHORT, LONG = 2, 300
CUT = "the connection was closed before the response was complete|the response was cut off"
PAGE = r"the response is an HTML page|the server returned status \d+, 'an HTML page'"
ERROR = r"the server returned status 500, .*'Out of disk'|the server returned status 500, 'Out of disk'"
OVERLOADED = {"status": 503, "headers": {"Retry-After": "0"}}
OVERSIZED = "the response is longer than 16 MiB"
LATE = f"no complete response within {SHORT} s"
REFUSED = "the server returned status 401|does not accept the token|does not accept the token although"


@dataclass(frozen=True)
class Fault:
    """A fault, and the cause in the error if the task fails. `times` 0: at every attempt."""

    kind: str
    parameters: dict[str, Any]
    cause: str
    times: int = 1
    # A retry gets a complete response.
    passes: bool = False


def _always(fault: Fault) -> Fault:
    return replace(fault, times=0, passes=False)


_ONCE = {
    "error": Fault(
        "status", {"status": 500, "body": {"message": "Out of disk", "error_message": "Out of disk"}}, "500"
    ),
    "overloaded": Fault("status", OVERLOADED, "the server returned status 503", passes=True),
    "limited": Fault("status", {**OVERLOADED, "status": 429}, "the server returned status 429", passes=True),
    "refused": Fault("status", {"status": 401}, REFUSED),
    "gateway gave up": Fault("status", {"status": 504, "work": True}, "the server returned status 504"),
    "page 200": Fault("html", {"status": 200}, PAGE),
    "page 403": Fault("html", {"status": 403}, PAGE),
    "page 502 after work": Fault("html", {"status": 502, "work": True}, PAGE),
    "no JSON": Fault(
        "invalid_json",
        {"work": True},
        "not valid JSON|has a body|has no session cookie|has no header|not the expanded token|not the new access token",
    ),
    "no body": Fault("empty", {"work": True}, "is empty|has no session cookie|has no header"),
    "redirect": Fault("redirect", {}, "redirect"),
    "redirect after work": Fault("redirect", {"work": True}, "redirect"),
    "megabytes": Fault("huge", {"megabytes": 17, "work": True}, OVERSIZED),
    "bomb": Fault("gzip_bomb", {"megabytes": 20, "work": True}, "compressed"),
    "endless headers": Fault("endless_headers", {"limit": 100000, "work": True}, "more or longer headers"),
    "late": Fault("delay", {"seconds": LONG}, LATE),
    "late response": Fault("delay", {"seconds": LONG, "work": True}, LATE),
    "trickle": Fault("trickle", {"interval": SHORT}, LATE),
    "dropped before": Fault("drop_before", {}, CUT, passes=True),
    "dropped after": Fault("drop_after", {}, CUT, passes=True),
    "torn before": Fault("drop_before", {"abrupt": True}, CUT, passes=True),
    "torn after": Fault("drop_after", {"abrupt": True}, CUT, passes=True),
    "cut": Fault("truncate", {}, CUT, passes=True),
    "wrong date": Fault("skew_date", {"seconds": -300}, "does not accept the token"),
}
_PERSISTENT = ("error", "overloaded", "page 502 after work", "dropped before", "dropped after", "torn after", "cut")
FAULTS = {**_ONCE, **{f"{name}, always": _always(_ONCE[name]) for name in _PERSISTENT}}


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# Each is sent once, because it may have been carried out.
MINTS = _any_of(pattern for kit in KITS.values() for pattern in kit.mints)
SIGNS_IN_OR_OUT = _any_of(pattern for kit in KITS.values() for pattern in (*kit.signs_in, *kit.signs_out))
# The bodies of these are not read: the status is enough, or another request proves that they were carried out.
UNREAD = _any_of(["DELETE ", *(pattern for kit in KITS.values() for pattern in kit.unread)])
BODIES = ("no JSON", "no body", "trickle", "wrong date")
# A server that returns 401 to the revocation of a token says that the token is already invalid.
LIES = {lie for kit in KITS.values() for lie in kit.lies}
KIT_OF = {job_name: kit for kit in KITS.values() for job_name in jobs_of(kit)}
NAMED = re.compile(
    r"may be left|may exist|is left on the server|may have been created|is stored in|is still valid|re-authenticated"
)


@dataclass(frozen=True)
class Cell:
    """One run to which a fault was applied."""

    kit: Kit
    job: Job
    name: str
    fault: Fault
    line: str
    authority: str
    calm: Done
    run: Done
    log: list[LoggedRequest]
    expected: int
    states: dict[str, dict[str, int]]
    held: int

    @property
    def failed(self) -> bool:
        return bool(self.run.result.get("failed"))

    @property
    def orphans(self) -> int:
        """Valid tokens that nobody has, if the lab counts them."""
        return self.states.get(self.kit.name, {}).get("tokens_valid", 0) - self.held


def _pattern(entry: LoggedRequest) -> str:
    """Method and path, with placeholders for what differs from run to run."""
    return f"{entry.method} {re.sub(r'[0-9a-f]{8}-[0-9a-f-]{27}', '*', entry.path)}"


def named(cell: Cell) -> str:
    """A failure names the server, the cause and what to do next. A fault of the server is not an internal error."""
    said = cell.run.said
    if "internal error" in said or "Traceback" in said:
        return said
    if not cell.failed:
        return ""
    sentences = [part for part in re.split(r"(?<=[.?'])\s+(?=[A-Z])", cell.run.message) if not NAMED.search(part)]
    parts = {
        "no host": cell.authority not in cell.run.message,
        "another cause": not re.search(cell.fault.cause, cell.run.message),
        "no next step": len(sentences) < 2,
    }
    found = [part for part, is_so in parts.items() if is_so]
    return f"{', '.join(found)}: {cell.run.message}" if found else ""


def succeeded_for_a_reason(cell: Cell) -> str:
    """A success is the same as without the fault, because of a retry or an unread body, or it is reported."""
    if cell.failed:
        return "" if cell.run.message else "failed without a word"
    if cell.name == "refused":
        return ""
    if cell.run.actions != cell.calm.actions:
        return f"{cell.run.actions} in place of {cell.calm.actions}"
    unread = bool(UNREAD.search(cell.line)) and (cell.name in BODIES or cell.fault.kind == "truncate")
    # A body of at most one byte is complete at once.
    whole = any(entry.fault == "trickle" and entry.seconds < SHORT for entry in cell.log)
    reasons = (
        whole,
        len(cell.log) > cell.expected,
        bool(cell.run.result["warnings"]),
        unread,
        cell.name == "wrong date",
    )
    return "" if any(reasons) else "succeeded in silence"


def repeated_where_safe(cell: Cell) -> str:
    """Requests that create tokens are carried out once. Transient faults of safe requests are retried successfully."""
    mints = _any_of(pattern for name in (cell.kit.name, *cell.kit.needs) for pattern in KITS[name].mints)
    minted = sum(bool(mints.search(_pattern(entry))) and 200 <= (entry.work_status or 0) < 300 for entry in cell.log)
    # A refused request is sent again with another token.
    if minted > (2 if cell.name in ("refused", "page 403") else 1):
        return f"{minted} tokens were made"
    safe = cell.line.startswith(("GET", "DELETE", "PUT")) and not MINTS.search(cell.line)
    if cell.failed and cell.fault.passes and (safe or cell.fault.kind == "status"):
        return f"failed though another try would have done: {cell.run.message}"
    return ""


def accounted(cell: Cell) -> str:
    """Each created token is returned, stored or revoked, except one whose response was lost, which is named."""
    if cell.name == "refused":
        # A 401 for a token says that it is invalid.
        return ""
    if cell.kit.counts_tokens:
        orphans = cell.orphans
    else:
        struck = [entry for entry in cell.log if entry.fault and MINTS.search(_pattern(entry))]
        orphans = sum(200 <= (entry.work_status or 0) < 300 for entry in struck) if cell.failed else 0
    if orphans > 1:
        return f"{orphans} tokens are lost"
    return "" if orphans <= 0 or NAMED.search(cell.run.said) else f"a token is lost, and unnamed: {cell.run.said}"


def signed_out(cell: Cell) -> str:
    """No session is left open, unless it is unknown or the fault was in the sign-out, which is then reported."""
    sessions = sum(counts.get("sessions_open", 0) for counts in cell.states.values())
    if not sessions:
        return ""
    excused = bool(SIGNS_IN_OR_OUT.search(cell.line))
    told = "session may be left open" in cell.run.said or "Could not sign out" in cell.run.said
    if cell.name == "refused":
        # A 401 says that the session has ended.
        excused = told = True
    return "" if excused and sessions == 1 and told else f"{sessions} sessions are open: {cell.run.said}"


PROMISES: dict[str, Callable[[Cell], str]] = {
    "named": named,
    "a success for a reason": succeeded_for_a_reason,
    "repeated where that is safe": repeated_where_safe,
    "accounted for": accounted,
    "signed out": signed_out,
}


def _held(file: str, result: dict[str, Any]) -> set[str]:
    """The tokens that a user can get: those in the result and in the file, anywhere."""
    record = record_of(file)
    kept = {token.secret.reveal() for token in record.tokens} if record else set()
    return kept | ({result["token"]} if "token" in result else set())


def _states(lab: Lab) -> dict[str, dict[str, int]]:
    return {product: hosts["127.0.0.1"] for product, hosts in lab.state().items() if "127.0.0.1" in hosts}


def _after(cell: Cell, lab: Lab, file: str) -> str:
    """No working token was lost, and the next run without a fault repairs everything."""
    if cell.job.keeps and cell.job.before and "absent" not in cell.job.options(lab.details, file).values():
        never = done(cell.job.before[-1], lab.details, file, renew="never").result
        if never.get("failed"):
            return f"a working token was lost: {never['msg']}"
    again = done(cell.job, lab.details, file)
    if again.result.get("failed"):
        return f"the next run fails: {again.message}"
    counts = _states(lab).get(cell.kit.name, {})
    if cell.job.keeps and cell.kit.counts_tokens:
        left = counts["tokens_valid"] - len(_held(file, again.result)) - max(0, cell.orphans)
        if left > 0:
            return f"{left} tokens are left after the next run"
    found = {name: counts[name] for name, most in cell.job.at_most.items() if counts.get(name, 0) > most}
    return f"too many after the next run: {found}" if found else ""


def cells(
    job_name: str, faults: list[str], lab: Lab, file: str, proxy_url: str | None = None
) -> Iterator[tuple[str, list[str], str]]:
    """Each cell of a job: its name, the fault, and all texts."""
    job = JOBS[job_name]
    prepared(job, lab, file)
    calm = done(job, lab.details, file, retries=1)
    assert not calm.result.get("failed"), calm.message
    log = lab.requests()
    for number, entry in enumerate(log):
        line = _pattern(entry)
        earlier = sum(_pattern(other) == line for other in log[:number])
        for name in faults:
            if (name, line) in LIES:
                continue
            fault = FAULTS[name]
            prepared(job, lab, file)
            path = "^" + re.escape(line.split(" ", 1)[1]).replace(r"\*", "[^/?]+") + r"(\?|$)"
            lab.fault(
                entry.product, fault.kind, method=entry.method, path=path, skip=earlier, times=fault.times,
                **fault.parameters,
            )  # fmt: skip
            timeout = SHORT if fault.cause == LATE else LONG
            run = done(job, lab.details, file, retries=1, timeout=timeout, proxy_url=proxy_url, clock=SkippingClock())
            lab.clear_faults()
            cell = Cell(
                KIT_OF[job_name], job, name, fault, line, lab[entry.product]["url"].removeprefix("https://"), calm, run,
                lab.requests(), len(log), _states(lab), len(_held(file, run.result)),
            )  # fmt: skip
            broken = [f"not {promise}: {how}" for promise, kept in PROMISES.items() if (how := kept(cell))]
            if not any(entry.fault for entry in cell.log):
                broken.append("the fault did not strike")
            if how := _after(cell, lab, file):
                broken.append(how)
            yield f"{job_name} / {line} (request {number + 1} of {len(log)}) / {name}", broken, run.said


def _check(job_name: str, faults: list[str], lab: Lab, file: str, proxy_url: str | None = None) -> None:
    broken, said = [], {}
    for name, how, text in cells(job_name, faults, lab, file, proxy_url):
        said[name] = text
        broken += [f"{name}: {what}" for what in how]
    assert said, "no fault was applied to a request"
    assert not broken, f"{len(broken)} of {len(said)} cells:\n" + "\n".join(broken)
    assert leaks(said, [secret["value"] for secret in lab.secrets()]) == []


def _thinned(job_name: str, shift: int = 0) -> list[str]:
    """Fault number n is combined with job number n, and the shorter list is repeated. `shift` makes other pairs."""
    period = min(len(FAULTS), len(JOBS))
    position = (list(JOBS).index(job_name) + shift) % period
    return [name for number, name in enumerate(FAULTS) if number % period == position]


@pytest.mark.parametrize("job_name", JOBS)
def test_a_fault_at_a_request_is_survived_or_named_and_no_token_is_lost(
    lab: Lab, tmp_path: Path, job_name: str
) -> None:
    _check(job_name, _thinned(job_name), lab, str(tmp_path / "token.json"))


# The changes of a proxy are the same for all products.
@pytest.mark.parametrize(
    "job_name", [pytest.param(name, marks=[] if name in jobs_of(EXAMPLE) else pytest.mark.slow) for name in JOBS]
)
def test_a_fault_behind_a_proxy_is_survived_or_named_and_no_token_is_lost(
    lab: Lab, tmp_path: Path, job_name: str
) -> None:
    proxy_url = lab.details["proxy"]["url"]
    _check(job_name, _thinned(job_name, shift=9), lab, str(tmp_path / "token.json"), proxy_url)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("job_name", JOBS)
def test_every_fault_at_every_request_is_survived_or_named_and_no_token_is_lost(
    lab: Lab, tmp_path: Path, job_name: str
) -> None:
    _check(job_name, list(FAULTS), lab, str(tmp_path / "token.json"))
