# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for the docs site. tests/tools/docsite.py gathers its pages and runs it."""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

project = "sddc.tokens"
copyright = "sddc.tokens contributors"
html_title = html_short_title = "sddc.tokens"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
# As a public host makes anchors of headings, so that links within the pages work at both places.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

nitpicky = True

# Light and dark, as the reader's system asks for; a button changes it.
html_theme = "furo"
html_theme_options = {
    "source_repository": "https://github.com/sddc-tokens/sddc.tokens",
    "source_branch": "main",
    "top_of_page_buttons": [],
    "footer_icons": [
        {
            "name": "Source and issues",
            "url": "https://github.com/sddc-tokens/sddc.tokens",
            "html": "Source and issues",
            "class": "",
        },
    ],
}
html_static_path = ["static"]
html_css_files = ["site.css"]
highlight_language = "YAML+Jinja"
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
# Without them nothing is fetched, so that the search works where the pages are opened as files.
html_show_search_summary = False
# Two hyphens are a dash, as antsibull-docs writes them; quotes stay what they are.
smartquotes_action = "D"

# The places in Ansible's own documentation to which the pages of plugins lead. Sphinx would fetch a list of 20,000.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
BUILTIN = "ansible_collections.ansible.builtin."
PLACES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def link_to_ansible(app: Sphinx, env: object, node: pending_xref, text: nodes.Element) -> nodes.Node | None:
    """The link for a reference that this site cannot resolve; None, which is a warning, where its place is unknown."""
    target = node["reftarget"]
    if target.startswith(BUILTIN):
        plugin, _two, option = target.removeprefix(BUILTIN).partition("__")
        anchor = f"#{option}" if option else ""
        place = f"collections/ansible/builtin/{plugin}.html{anchor}"
    elif target in PLACES:
        place = PLACES[target]
    else:
        return None
    return nodes.reference("", "", text, refuri=f"{ANSIBLE}{place}", internal=False)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", link_to_ansible)
