# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the docs site in dist/docs: README, guides and further pages, and what antsibull-docs makes of the plugins.

A warning is an error, and so is a link within the site that leads nowhere. Nothing is fetched. Usage: docsite.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

CHECKOUT = Path(__file__).resolve().parents[2]
DOCSITE = CHECKOUT / "docs" / "docsite"
SOURCES = CHECKOUT / ".venv" / "docsite"
SITE = CHECKOUT / "dist" / "docs"
COLLECTION = "sddc.tokens"
PUBLIC = "https://github.com/sddc-tokens/sddc.tokens/blob/main/"
PUBLIC_PICTURES = "https://github.com/sddc-tokens/sddc.tokens/raw/main/"

# The pages keep their places, so that they lead to each other in the site as they do in the checkout.
PAGES = ("*.md", "docs/*.md", "docs/guides/*.md", "roles/*/README.md", "extensions/*/README.md")
PAGES_OF_TESTS = ("tests/lab/README.md", "tests/conformance/README.md")
PICTURES = ("docs/*/*.svg", "docs/*/*.png")
_LINK = re.compile(r"(?P<text>!?\[[^][]*\])\((?P<target>[^()\s]+)\)")
_ANTSIBULL = ("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error")


def main() -> int:
    """Return the exit code: 0 only where the site is built without a warning and no link of it is broken."""
    shutil.rmtree(SOURCES, ignore_errors=True)
    gather()
    # antsibull-docs writes only where nobody else may.
    reference = SOURCES / "reference"
    reference.mkdir(mode=0o755)
    subprocess.run([*_ANTSIBULL, "--no-add-antsibull-docs-version", "--dest-dir", reference, COLLECTION], check=True)
    shutil.rmtree(SITE, ignore_errors=True)
    built = subprocess.run(
        ["sphinx-build", "-b", "html", "-q", "-W", "--keep-going", "-d", SOURCES / ".doctrees", SOURCES, SITE],
        check=False,
    )
    problems = [*dead_links(), *private_paths()]
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
        place = SOURCES / ("index.md" if str(name) == "README.md" else name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(adapted(page, pages))
    for picture in (picture for pattern in PICTURES for picture in CHECKOUT.glob(pattern)):
        place = SOURCES / picture.relative_to(CHECKOUT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, place)
    with (SOURCES / "index.md").open("a") as index:
        index.write("\n" + (DOCSITE / "contents.md").read_text())
    shutil.copy(DOCSITE / "conf.py", SOURCES)


def adapted(page: Path, pages: list[Path]) -> str:
    """The text of a page: links to another lead to it within the site, all others to the public sources."""

    def link(match: re.Match[str]) -> str:
        target, hash_sign, anchor = match["target"].partition("#")
        if target.startswith((PUBLIC, PUBLIC_PICTURES)):
            file = CHECKOUT / target.removeprefix(PUBLIC).removeprefix(PUBLIC_PICTURES)
        elif target and not urlsplit(target).scheme:
            file = (page.parent / target).resolve()
        else:
            return match[0]
        if not file.exists():
            raise SystemExit(f"{page.relative_to(CHECKOUT)}: {match['target']} leads nowhere")
        if match["text"].startswith("!"):
            return f"{match['text']}(/{file.relative_to(CHECKOUT)})"
        if file not in pages:
            return f"{match['text']}({PUBLIC}{file.relative_to(CHECKOUT)}{hash_sign}{anchor})"
        at_root = str(file.relative_to(CHECKOUT))
        return f"{match['text']}(/{'index.md' if at_root == 'README.md' else at_root}{hash_sign}{anchor})"

    return _LINK.sub(link, page.read_text())


class _Page(HTMLParser):
    """The links of a page and the places to which others may lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
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


def private_paths() -> Iterator[str]:
    """A sentence for each page that tells where it was built."""
    for path in SITE.rglob("*.html"):
        if str(CHECKOUT) in path.read_text():
            yield f"{path.relative_to(SITE)} holds {CHECKOUT}"


if __name__ == "__main__":
    sys.exit(main())
