# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the lab."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from support import bao

from .explain import explanation, shell_file, variables_path
from .server import Lab


class CannotStartError(Exception):
    """Another lab uses the same state file, or OpenBao is not installed."""


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="tests/lab/run",
        description="Run local services that behave like the products, until SIGTERM or Ctrl-C.",
    )
    parser.add_argument(
        "--state-file",
        type=Path,
        required=True,
        metavar="FILE",
        help="write addresses and credentials to this JSON file",
    )
    parser.add_argument(
        "--addresses",
        type=_count,
        default=0,
        metavar="N",
        help="also listen on N more addresses: 127.0.1.1, 127.0.1.2, …",
    )
    parser.add_argument(
        "--first-port", type=int, default=0, metavar="N", help="listen on port N and those after it, if they are free"
    )
    parser.add_argument(
        "--explain", action="store_true", help="print how to use the lab, and write environment variables beside FILE"
    )
    parser.add_argument(
        "--store", action="store_true", help="also run OpenBao, as the shared store in place of the lab's own"
    )
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 50_000:
        raise argparse.ArgumentTypeError("must be between 0 and 50000")
    return number


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable by its owner only."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp creates it with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


async def serve(
    state_file: Path, addresses: int, first_port: int = 0, explain: bool = False, store: bool = False
) -> None:
    """Run the lab until a signal stops it. With `explain`, print how to use it. Raises CannotStartError."""
    if _in_use(state_file):
        raise CannotStartError(f"{state_file} belongs to a running lab. Stop that lab, or use another --state-file")
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    with tempfile.TemporaryDirectory(prefix="sddc-tokens-lab-") as folder, _stores(store) as variables:
        lab = Lab(Path(folder))
        try:
            await lab.start(addresses, first_port)
            if explain:
                write_private(variables_path(state_file), shell_file({**lab.environment(), **variables}))
            write_private(state_file, json.dumps(lab.details(), indent=2) + "\n")
            if explain:
                print(explanation(list(lab.products), state_file, has_openbao=store), flush=True)
            await stopping.wait()
        finally:
            state_file.unlink(missing_ok=True)
            if explain:
                variables_path(state_file).unlink(missing_ok=True)
            await lab.stop()


@contextlib.contextmanager
def _stores(is_wanted: bool) -> Iterator[Mapping[str, str]]:
    """Run OpenBao if it is wanted, and return its environment variables."""
    if not is_wanted:
        yield {}
        return
    binary = bao.executable()
    if binary is None:
        raise CannotStartError(bao.WHY_NOT)
    with bao.running(binary) as server:
        yield server.environment


def _in_use(state_file: Path) -> bool:
    """Whether the lab that wrote this file is still running."""
    try:
        control = urlsplit(json.loads(state_file.read_text(encoding="utf-8"))["control"]["url"])
        with socket.create_connection((control.hostname, control.port), timeout=5):
            return True
    except (OSError, ValueError, LookupError, TypeError):
        return False


def main() -> int:
    """Run the lab. An error at the start is one sentence."""
    arguments = parsed()
    # These two log clients that disconnect or do not speak HTTP. Errors of the lab go to the logger `lab`.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    try:
        asyncio.run(
            serve(
                arguments.state_file.absolute(),
                arguments.addresses,
                arguments.first_port,
                arguments.explain,
                arguments.store,
            )
        )
    except CannotStartError as problem:
        print(f"The lab cannot start: {problem}.", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"The lab cannot start: {problem}", file=sys.stderr)
        return 1
    return 0
