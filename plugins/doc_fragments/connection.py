# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options by which every HTTP module reaches its server."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the connection; `issuer` for modules that may get their token from another server by themselves."""

    DOCUMENTATION = r"""
options:
  validate_certs:
    description:
      - Whether the server's certificate must be valid for its name and signed by a trusted authority.
      - V(false) sends your secrets to whoever answers. Give O(ca_path) instead.
    type: bool
    default: true
  ca_path:
    description:
      - PEM file, or folder of hashed PEM files, with the authorities to trust.
      - By default the trust store of the system where the module runs, or what the environment variables
        E(SSL_CERT_FILE) and E(SSL_CERT_DIR) name in its place.
      - The environment variable E(REQUESTS_CA_BUNDLE) has no effect.
    type: path
  client_cert:
    description: PEM file with the certificate by which this client proves who it is, and its chain.
    type: path
  client_key:
    description:
      - PEM file with the key of O(client_cert), without a passphrase.
      - By default the key is looked for in O(client_cert).
    type: path
  proxy_url:
    description:
      - Proxy for all requests, such as V(http://proxy.example.com:3128). It may hold user name and password.
      - What goes through it is encrypted up to the server. A proxy that is itself reached by TLS is refused.
      - By default the environment variables E(https_proxy), E(all_proxy) and E(no_proxy) decide, those of the keyword
        C(environment) of the task first. They are read as the Python library C(requests) reads them. Lower case wins
        over upper case.
      - E(no_proxy) lists hosts, domains, addresses and networks such as V(10.0.0.0/8), each with a port or without.
      - "To use no proxy for a task, set C(no_proxy: '*') in its C(environment). An empty E(https_proxy) switches off
        E(HTTPS_PROXY), but not E(all_proxy)."
    type: str
  timeout:
    description:
      - Total timeout for one try of a request (seconds). It covers all addresses of the server, the TLS handshake and
        the whole response, but not the resolution of its name.
      - The addresses of a server share it. Signing out after a request without a response has what that left of it, and
        at least two seconds.
    type: str
    default: '30'
  retries:
    description:
      - How often a request is tried again after the first time.
      - It is tried again when the server answers that it is overloaded (429, 503), after the time that the server asks
        for but at most 60 seconds, and when the request never left.
      - A request that may have been carried out is sent again only where that does no harm.
    type: int
    default: 3
requirements:
  - requests >= 2.25.1
"""

    ISSUER = r"""
options: {}
notes:
  - The options of the connection also hold for the server that issues the token, except for O(validate_certs), which
    is for the target of the task alone. There the trust store of the system counts besides O(ca_path), and
    O(client_cert) is not shown.
"""
