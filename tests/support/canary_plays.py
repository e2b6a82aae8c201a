# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays in which every module meets each case that might reveal a secret: success, failures, loops, retries, rescue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from products import ENTRIES, EXAMPLE, ISSUER, KITS
from support.canaries import AWKWARD
from support.entries import entry, token_set
from support.kit import Kit
from support.playbooks import Task, module
from support.tasks import checked, failing

if TYPE_CHECKING:
    from lab.client import Lab

# Wrong credentials, which are secrets as well.
WRONG = {"awkward": AWKWARD, "wrong": "wrong-4e6f2c9a7b1d8053"}
# A generated name: where a name is a credential, it grants access.
GENERATED = "5b0b8f0e-6f5d-4c7c-9f39-2f8f7f1f4a63"
_QUOTED = "WHAT WAS SENT"
# Possible responses. The words above are replaced. A few of them suffice if a task is slow.
ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "quoting": ("status", {"status": 400, "body": {"message": _QUOTED, "error_message": _QUOTED, "error": _QUOTED}}),
    "redirecting": ("redirect", {"location": f"https://elsewhere.example.com/?token={_QUOTED}"}),
    "broken": ("invalid_json", {"body": f'{{"token": "{_QUOTED}'}),
    "refusing": ("status", {"status": 403, "body": _QUOTED, "headers": {"Content-Type": "text/plain"}}),
    "failing": ("status", {"status": 500, "body": {"details": [{"message": _QUOTED}], "code": 1}}),
    "overloaded": ("status", {"status": 503, "body": {"message": _QUOTED}, "headers": {"Retry-After": "0"}}),
    "html": ("html", {"status": 502, "work": True}),
    "empty": ("empty", {"work": True}),
    "dropping": ("drop_after", {}),
    "truncating": ("truncate", {}),
    "bombing": ("gzip_bomb", {"megabytes": 1}),
}
SOME = ("quoting", "redirecting")
LATE: dict[str, tuple[str, dict[str, Any]]] = {"late": ("delay", {"seconds": 60})}


def answering(lab: Lab, *names: str) -> list[dict[str, str]]:
    """Let the products respond like this on addresses of their own. Return the addresses by product."""
    addresses = dict(zip(names, lab.add_addresses(len(names)), strict=True))
    for name, address in addresses.items():
        kind, parameters = {**ANSWERS, **LATE}[name]
        for kit in KITS.values():
            lab.fault(kit.name, kind, host=address, times=0, **_quoting(parameters, kit.sent(lab.details)))
    return [{product: lab.url(product, address) for product in KITS} for address in addresses.values()]


def _quoting(value: Any, sent: str) -> Any:
    if isinstance(value, str):
        return value.replace(_QUOTED, sent)
    if isinstance(value, list):
        return [_quoting(item, sent) for item in value]
    return {key: _quoting(item, sent) for key, item in value.items()} if isinstance(value, dict) else value


def successes() -> list[Task]:
    """Every module in every successful use."""
    tasks = [task for kit in KITS.values() for task in kit.successes]
    files = [f"{{{{ playbook_dir }}}}/{product}.json" for product in KITS]
    return [*tasks, module("token_info", paths=files), token_set("", *map(entry, ENTRIES))]


def refusals() -> list[Task]:
    """Wrong credentials, and valid ones in the wrong place, which the server or the module refuses."""
    tasks = [*(task for kit in KITS.values() for task in kit.refusals), *_refused_entries()]
    return [task if "block" in task else failing(task) for task in tasks]


def _refused_entries() -> list[Task]:
    one, two = EXAMPLE.name, ISSUER.name
    secret = "{{ example.password }}"
    (other,) = ISSUER.server.credentials[-1:]
    return [
        token_set("", entry(one, password="{{ wrong.awkward }}"), entry(two, **{other: "{{ wrong.wrong }}"})),
        token_set("", entry(one, timeout=secret), entry(two, min_remaining=secret)),
        token_set("", entry(one, passwort=secret, state=secret, renew=secret)),
        token_set("", entry(one, password={"value": [secret]}, token=[secret])),
        token_set("", {**entry(one), "product": secret}, {**entry(two), "product": "no-such-product"}),
        token_set("", f"product={one} password={secret}", {"password": secret}),
        token_set("", entry(one, return_token=True, token=secret)),
        token_set("", {**entry(one), "token_file": ""}, retries=secret),
    ]


def tokens() -> list[Task]:
    """Register the tokens that `refusals` and `struck` use."""
    return [task for kit in KITS.values() for task in kit.tokens]


def elsewhere(task: Task, kit: Kit, place: str, **options: Any) -> Task:
    """A task of a product with these options, at the servers whose addresses a variable has by product."""
    ((key, given),) = ((key, value) for key, value in task.items() if key.startswith("sddc.tokens."))
    # `hostname` is the product; any other option is named for its product.
    products = {name: name.removesuffix("hostname").rstrip("_") or kit.name for name in given if "hostname" in name}
    moved = {name: f"{{{{ {place}.{product} }}}}" for name, product in products.items()}
    return {**task, key: {**given, **moved, **options}}


def struck(kits: Iterable[Kit] = KITS.values()) -> list[Task]:
    """Every module against each of the servers of `answering`, whose addresses are in the variable `places`."""
    tasks = [elsewhere(task, kit, "item", timeout=2, retries=0) for kit in kits for task in kit.asks]
    label = {"loop_control": {"label": "a place"}}
    return [failing({**task, "loop": "{{ places }}", **label, "register": "struck"}) for task in tasks]


def everything() -> list[Task]:
    """All of the above, and the successes once more in check mode."""
    return [*successes(), *refusals(), *struck(), *(failing(checked(task)) for task in successes())]
