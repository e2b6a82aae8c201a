# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store of a token: a file, or a document that machines share. And the document with the records of sessions."""

from __future__ import annotations

from typing import Optional

from .._lifecycle.file_store import FileStore
from .._lifecycle.options import STORED
from .._lifecycle.shared_store import Documents
from .._lifecycle.store import Store
from .base import Operation
from .vault_store import shared_store, vault_documents


def store_of(operation: Operation, *, read_only: bool = False, names: tuple[str, str] = STORED) -> Optional[Store]:
    """The store that the options of a task select; None without one. Raises InvalidOption.

    `names` are the options for a file and for a document.
    """
    file, document = names
    path, options = operation.params[file], operation.params[document]
    if path:
        return FileStore(path, operation.runtime, read_only=read_only)
    return shared_store(operation, options, document) if options else None


def records_of(operation: Operation) -> Optional[Documents]:
    """The document of record_store; None if the option is not set, or the product has none. Raises InvalidOption."""
    options = operation.params.get("record_store")
    return vault_documents(operation, options, "record_store") if options else None
