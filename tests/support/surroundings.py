# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine on which the hosts of the documentation exist."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from lab.client import Lab


def surroundings(lab: Lab) -> dict[str, str]:
    """A machine on which the hosts of the documentation exist, and whose trust store knows their authority."""
    return {
        "https_proxy": lab["proxy"]["url"],
        "SSL_CERT_FILE": lab.ca_path,
        "CSP_HOST": "csp.example.com",
        "CSP_API_TOKEN": lab["csp"]["api_token"],
        "NSXT_MANAGER_HOST": "nsx.example.com",
        "SDDC_MANAGER_HOST": "sddc-manager.example.com",
        "SDDC_MANAGER_USERNAME": lab["sddc_manager"]["username"],
        "SDDC_MANAGER_PASSWORD": lab["sddc_manager"]["password"],
        "VIDB_HOST": "vidb.example.com",
        "VIDB_API_TOKEN": lab["vidb"]["api_token"],
        "VMWARE_HOST": "vcenter.example.com",
        "AVI_CONTROLLER": "avi.example.com",
        "AVI_USERNAME": lab["avi"]["username"],
        "AVI_PASSWORD": lab["avi"]["password"],
        "VRNI_HOST": "vrni.example.com",
        "VRNI_USERNAME": lab["vrni"]["username"],
        "VRNI_PASSWORD": lab["vrni"]["password"],
    }


def variables(lab: Lab) -> dict[str, Any]:
    """What the examples leave to the inventory."""
    csp, vidb, vrni = lab["csp"], lab["vidb"], lab["vrni"]
    return {
        "vrni_password": vrni["password"],
        "vrni_ldap_password": vrni["ldap_password"],
        "vidm_token": vrni["vidm_token"],
        "csp_api_token": csp["api_token"],
        "csp_client_id": csp["client_id"],
        "csp_client_secret": csp["client_secret"],
        "nsx_reverse_proxy_url": lab["nsx"]["proxy_url"],
        "nsx_password": lab["nsx"]["password"],
        "sddc_manager_password": lab["sddc_manager"]["password"],
        "vidb_api_token": vidb["api_token"],
        "vidb_client_id": vidb["client_id"],
        "vidb_client_secret": vidb["client_secret"],
        "avi_password": lab["avi"]["password"],
    }


def documented(lab: Lab, folder: Path) -> tuple[dict[str, str], list[str]]:
    """Make a folder and the lab ready for what the documentation shows; return the environment and the arguments."""
    ids = ["partner-firewall", "partner ids"]
    lab.act("nsx", "add_service_instances", host="nsx.example.com", ids=ids, tier0_id="edge-t0")
    lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=ids[:1], tier0_id="vmc")
    (folder / "home" / ".sddc").mkdir(parents=True)
    (folder / "variables.yml").write_text(yaml.safe_dump(variables(lab)))
    return {**surroundings(lab), "no_proxy": "127.0.0.1"}, ["-e", "@variables.yml"]


def exports(lab: Lab) -> str:
    """The same for a shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in surroundings(lab).items())
