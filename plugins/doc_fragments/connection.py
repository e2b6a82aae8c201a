# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the connection options of every module that sends HTTP requests."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options; `issuer` for modules that can request their token from another server."""

    DOCUMENTATION = r"""
options:
  validate_certs:
    description:
      - Whether to verify the TLS certificate of the server. It must match the host name and be signed by a trusted CA.
      - V(false) is not secure, because secrets are sent to any server that responds. Set O(ca_path) instead.
    type: bool
    default: true
  ca_path:
    description:
      - PEM file with the CA certificates to trust, or folder of hashed PEM files.
      - By default, the trust store of the managed node. The environment variables E(SSL_CERT_FILE) and
        E(SSL_CERT_DIR) override it.
      - The environment variable E(REQUESTS_CA_BUNDLE) has no effect.
    type: path
  client_cert:
    description: PEM file with the client certificate and its chain, for authentication to the server.
    type: path
  client_key:
    description:
      - PEM file with the private key of O(client_cert), without a passphrase.
      - By default, the key is read from O(client_cert).
    type: path
  proxy_url:
    description:
      - Proxy for all requests, such as V(http://proxy.example.com:3128). The URL can contain a user name and a
        password.
      - Requests are encrypted from the managed node to the server. A connection to the proxy itself over TLS is not
        supported, and an C(https) URL is refused.
      - By default, the environment variables E(https_proxy), E(all_proxy) and E(no_proxy) are used. The task's
        C(environment) keyword takes precedence over the environment of the process. The variables are read as by the
        Python library C(requests). Lower case takes precedence over upper case.
      - E(no_proxy) lists hosts, domains, IP addresses and networks such as V(10.0.0.0/8), each with or without a port.
      - "To use no proxy for a task, set C(no_proxy: '*') in its C(environment). An empty E(https_proxy) disables
        E(HTTPS_PROXY), but not E(all_proxy)."
    type: str
  timeout:
    description:
      - Total timeout for one attempt of a request (seconds). It includes all addresses of the server, the TLS handshake
        and the complete response, but not the resolution of the host name.
      - If a request gets no response, the sign-out that follows has the rest of this time, but at least two seconds.
    type: str
    default: '30'
  retries:
    description:
      - Number of retries after the first attempt of a request.
      - A request is retried if the server is overloaded (status 429 or 503), or if the request was not sent. The task
        waits as long as the server requests, but at most 60 seconds.
      - A request that the server may have processed is only repeated if it is safe to retry.
    type: int
    default: 3
requirements:
  - requests >= 2.25.1
"""

    ISSUER = r"""
options: {}
notes:
  - The connection options also apply to the server that issues the token, except O(validate_certs), which applies to
    O(hostname) only. For the issuing server, the trust store of the system is used in addition to O(ca_path), and
    O(client_cert) is not sent.
"""
