# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the docs site in dist/docs: the pages of this checkout, and those that antsibull-docs makes of the plugins.

A warning is an error, and so is a link within the site that leads nowhere. Nothing is fetched, neither here nor by the
pages, which can be opened as files. Usage: docsite.py
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path[0] = str(Path(__file__).resolve().parents[1])

from support.checkout import CHECKOUT
from support.collection import MODULES, PRODUCTS
from tools import changelog, reference

DOCSITE = CHECKOUT / "docs" / "docsite"
SOURCES = CHECKOUT / ".venv" / "docsite"
HOME = CHECKOUT / ".venv" / "home"
SITE = CHECKOUT / "dist" / "docs"
COLLECTION = "sddc.tokens"
PUBLIC = "https://github.com/sddc-tokens/sddc.tokens/blob/main/"
PUBLIC_PICTURES = "https://github.com/sddc-tokens/sddc.tokens/raw/main/"

# The pages keep their places, so that they lead to each other in the site as they do in the checkout.
PAGES = ("*.md", "docs/*.md", "docs/guides/*.md", "docs/reference/*.md", "roles/*/README.md", "extensions/*/README.md")
PAGES_OF_TESTS = ("tests/lab/README.md", "tests/conformance/README.md")
PICTURES = ("docs/*/*.svg", "docs/*/*.png")
_LINK = re.compile(r"(?P<text>!?\[[^][]*\])\((?P<target>[^()\s]+)\)")
# The theme has a table of contents beside each page.
_CONTENTS = re.compile(r"^\.\. contents::.*\n(?:[ ]+:.*\n)*", re.MULTILINE)
_PRODUCT = re.compile(r"^\| ([^|`]+?) \| ([^|`]+?) \| `(\w+)`(?:, `\w+`)* \| .* \| lab", re.MULTILINE)
# The sidebar has the names of plugins only, not the titles of their pages.
_ENTRY = re.compile(r"^(    )(\w+)_(module|lookup|filter|role)$", re.MULTILINE)
# All variables are read on the control node, of which antsibull-docs knows nothing.
_NO_VARIABLES = "environment_variables.rst"
_ANTSIBULL = ("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error")


def main() -> int:
    """Return the exit code: 0 only where the site is built without a warning and no link of it is broken."""
    shutil.rmtree(SOURCES, ignore_errors=True)
    gather()
    describe_plugins(SOURCES / "reference")
    shutil.rmtree(SITE, ignore_errors=True)
    built = subprocess.run(
        ["sphinx-build", "-b", "html", "-q", "-W", "--keep-going", "-d", SOURCES / ".doctrees", SOURCES, SITE],
        check=False,
    )
    problems = [*dead_links(), *fetched(), *private_paths()]
    if built.returncode or problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    print(f"Built: {SITE.relative_to(CHECKOUT)}/index.html")
    return 0


def gather() -> None:
    """Copy the pages and pictures to SOURCES, with links that hold there."""
    pages = sorted({page for pattern in (*PAGES, *PAGES_OF_TESTS) for page in CHECKOUT.glob(pattern)})
    for page in pages:
        name = page.relative_to(CHECKOUT)
        place = SOURCES / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(adapted(page.read_text(), page.parent, pages))
    for picture in (picture for pattern in PICTURES for picture in CHECKOUT.glob(pattern)):
        place = SOURCES / picture.relative_to(CHECKOUT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, place)
    for file, text in reference.pages(_linked).items():
        (SOURCES / "docs" / "reference" / file).write_text(adapted(text, reference.FOLDER, pages))
    (SOURCES / changelog.FILE.name).write_text(_CONTENTS.sub("", changelog.upcoming()))
    index = (DOCSITE / "index.md").read_text()
    (SOURCES / "index.md").write_text(index.replace("{{ products }}", "\n".join(_cards())))
    shutil.copy(DOCSITE / "conf.py", SOURCES)
    shutil.copytree(DOCSITE / "static", SOURCES / "static")


def _linked(name: str) -> str:
    """The name of a module or an event source with a link to its page."""
    place = f"/reference/{name}_module.rst" if name in MODULES else f"/docs/reference/event_sources.md#{name}"
    return f"[`{name}`]({place})"


def _cards() -> Iterator[str]:
    """The products, their modules and tokens, from the table of the README."""
    found = _PRODUCT.findall((CHECKOUT / "README.md").read_text())
    if len(found) != len(PRODUCTS):
        raise SystemExit(f"README.md: its table of products has {len(found)} of {len(PRODUCTS)} products")
    for product, token, module in found:
        yield f"- [**{product}**](/reference/{module}_module.rst)\n\n  `{module}`: {token}.\n"


def describe_plugins(folder: Path) -> None:
    """Have antsibull-docs write the pages of plugins and roles."""
    # It writes only where nobody else may, and its log into the home folder.
    folder.mkdir(mode=0o755)
    HOME.mkdir(exist_ok=True)
    subprocess.run(
        [*_ANTSIBULL, "--no-add-antsibull-docs-version", "--dest-dir", folder, COLLECTION],
        env={**os.environ, "HOME": str(HOME)},
        check=True,
    )
    (folder / _NO_VARIABLES).unlink()
    for page in folder.glob("*.rst"):
        page.write_text(_CONTENTS.sub("", page.read_text()))
    index = folder / "index.rst"
    index.write_text(_ENTRY.sub(r"\1\2 <\2_\3>", index.read_text()))


def adapted(text: str, folder: Path, pages: list[Path]) -> str:
    """The text of a page in a folder: links to other pages lead to them in the site, all others to the sources."""

    def link(match: re.Match[str]) -> str:
        target, hash_sign, anchor = match["target"].partition("#")
        if target.startswith((PUBLIC, PUBLIC_PICTURES)):
            file = CHECKOUT / target.removeprefix(PUBLIC).removeprefix(PUBLIC_PICTURES)
        elif target and not target.startswith("/") and not urlsplit(target).scheme:
            file = (folder / target).resolve()
        else:
            return match[0]
        if not file.exists():
            raise SystemExit(f"{folder.relative_to(CHECKOUT)}: {match['target']} leads nowhere")
        if match["text"].startswith("!"):
            return f"{match['text']}(/{file.relative_to(CHECKOUT)})"
        if file not in (*pages, changelog.FILE):
            return f"{match['text']}({PUBLIC}{file.relative_to(CHECKOUT)}{hash_sign}{anchor})"
        return f"{match['text']}(/{file.relative_to(CHECKOUT)}{hash_sign}{anchor})"

    return _LINK.sub(link, text)


class _Page(HTMLParser):
    """The links of a page and the places to which others may lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
                if tag != "a":
                    self.loaded.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


def dead_links() -> Iterator[str]:
    """A sentence for each link within the site that leads nowhere."""
    pages = {path: _Page(path.read_text()) for path in SITE.rglob("*.html")}
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{path.relative_to(SITE)}: {link} leads nowhere"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{path.relative_to(SITE)}: {link} leads to no place of that page"


def fetched() -> Iterator[str]:
    """A sentence for each script, style and picture that a page takes from elsewhere: the site works offline."""
    for path in SITE.rglob("*.html"):
        for link in _Page(path.read_text()).loaded:
            if urlsplit(link).netloc:
                yield f"{path.relative_to(SITE)} loads {link}"


def private_paths() -> Iterator[str]:
    """A sentence for each page that tells where it was built."""
    for path in SITE.rglob("*.html"):
        if str(CHECKOUT) in path.read_text():
            yield f"{path.relative_to(SITE)} holds {CHECKOUT}"


if __name__ == "__main__":
    sys.exit(main())
