# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The products of the lab, one file each. A file that defines `PRODUCT` is a product."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from ..product import Product


def discover() -> list[type[Product[Any, Any]]]:
    """Return the products in this folder."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return [module.PRODUCT for module in modules if hasattr(module, "PRODUCT")]
