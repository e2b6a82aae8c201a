# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations that keep the tokens of each product, by their names in token_set. Add new products here.

The operation of a product's main module has the product's name, any other one that of its module.
"""

from __future__ import annotations

from collections.abc import Mapping

from .avi_securechanneltoken import AviSecurechanneltoken
from .base import Operation
from .csp_access_token import CspAccessToken
from .nsx_service_reauth import NsxServiceReauth
from .sddc_manager_token import SddcManagerToken
from .vcenter_registered_token import VcenterRegisteredToken
from .vcenter_session import VcenterSession
from .vcf_api_token import VcfApiToken
from .vcf_operations_token import VcfOperationsToken
from .vidb_access_token import VidbAccessToken
from .vrni_auth_token import VrniAuthToken

PRODUCTS: Mapping[str, type[Operation]] = {
    "avi": AviSecurechanneltoken,
    "csp": CspAccessToken,
    "nsx": NsxServiceReauth,
    "sddc_manager": SddcManagerToken,
    "vcenter": VcenterRegisteredToken,
    "vcenter_session": VcenterSession,
    "vcf_api": VcfApiToken,
    "vcf_operations": VcfOperationsToken,
    "vidb": VidbAccessToken,
    "vrni": VrniAuthToken,
}

# All environment variables that set an option of a module.
ENVIRONMENT_VARIABLES = frozenset(
    name for operation in PRODUCTS.values() for name in operation.argument_spec.environment_variables
)
