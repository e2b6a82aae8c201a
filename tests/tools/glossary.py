# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse words that this project no longer uses in the texts that users read. Usage: glossary.py [FILE...]

It reads Markdown, YAML, Jinja templates, and the documentation and messages in Python files. Code in backquotes, fenced
code, names of options and Jinja expressions are not checked. It knows a few words that are almost never right; it does
not judge style.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]

TEXTS = (
    "*.md",
    "changelogs/fragments/*.y*ml",
    "docs/**/*.md",
    "extensions/awx/**/*.md",
    "extensions/awx/**/*.yml",
    "extensions/eda/**/*.py",
    "extensions/eda/**/*.yml",
    "galaxy.yml",
    "meta/*.yml",
    "playbooks/**/*.yml",
    "plugins/**/*.py",
    "roles/**/*.j2",
    "roles/**/*.md",
    "roles/**/*.yml",
    "tests/*/README.md",
)
# Texts of others.
EXCEPT = ("CODE_OF_CONDUCT.md",)


@dataclass(frozen=True)
class Term:
    """A word that is no longer used, and what to write instead. It is right within the texts that match `allowed`."""

    pattern: str
    instead: str
    allowed: str = ""


TERMS = (
    Term(r"repl(y|ies|ied)", "response, respond", r"in[- ]reply[- ]to"),
    Term(r"answer(s|ed|ing)?", "response, respond, return", r"survey answers?|answers? (to|in) (a|the) survey"),
    Term(r"life", "lifetime, time to live", r"life[ -]cycles?|half[- ]life"),
    Term(r"lives|(how long|long as) [\w\s]{1,30}\blive", "is valid for, expires, is in (a file)"),
    Term(r"alive", "valid, running"),
    Term(r"(is|are|be|no longer|not|still) good( enough)?(?! [a-z])", "valid, expires too soon"),
    Term(r"dead", "invalid, unreachable, broken"),
    Term(r"at hand", "current, existing"),
    Term(r"tells?|told|telling", "report, return, warn, state"),
    Term(r"(sets?|setting|keeps?|kept|put) (it |them )?aside", "move aside, back up"),
    Term(r"(given|gives?|gave|giving) up", "time out, fail", r"gives? up (access|its rights)"),
    Term(r"managed hosts?|hosts? (where|on which) it runs", "managed node"),
    Term(r"this machine|controller's process|process of the controller", "control node, in the controller process"),
    Term(r"place for (a|the) token", "where the token is stored"),
    Term(r"passing (error|failure|fault)s?", "transient error"),
    Term(r"repeatable", "idempotent, safe to retry"),
    Term(r"adopt(s|ed|ion)?|revokes itself", "use the option or key names from_user, revokes_access"),
    Term(r"rooms?|doors?|arrows?", "package, entry point, dependency; disk space"),
    Term(r"senseless|stumbles?", "invalid, conversion error"),
    Term(r"by (one|two|a single|its own|another|each|the same) requests?", "with one request, in one request"),
    Term(r"wants", "requires, needs, expects"),
    Term(r"(is|are|was|were) there(?! (a|an|any|no)\b)", "exists"),
    Term(r"comes? in(?= (by|with|from|through|at)\b|[.,;])", "is added, arrives"),
    Term(r"authorit(y|ies)", "CA certificate, certificate authority", r"certificat(e|ion) authorit(y|ies)"),
    Term(
        r"(is|are|was|were|be|been) (no|none)(?! (longer|more|less|fewer|later|earlier|older|newer|"
        r"sooner|shorter|larger|greater|smaller|better|worse|one|matter)\b)",
        "is not a, are not",
        r"there (is|are|was|were|has been|have been|(can|must|may|will|should|would) be) (no|none)",
    ),
    Term(r"forg(ot|otten|ets)", "not stored, reset, removed"),
    Term(r"heal(s|ed|ing)?|mend(s|ed|ing)?", "repair, fix, correct"),
    Term(r"look(s|ed|ing)? after", "manage, maintain"),
)


@dataclass(frozen=True)
class Finding:
    """A word in a text."""

    line: int
    words: str
    instead: str


def findings(text: str, line: int = 1) -> Iterator[Finding]:
    """What is to be replaced in a text that begins in `line` of its file."""
    for term in TERMS:
        allowed = [match.span() for match in compiled(term.allowed).finditer(text)] if term.allowed else []
        for match in compiled(term.pattern).finditer(text):
            start, end = match.span()
            if not any(first <= start and end <= last for first, last in allowed):
                yield Finding(line + text.count("\n", 0, start), " ".join(match[0].split()), term.instead)


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern for whole words; a line may break where the pattern has a blank."""
    words = re.sub(r"\[[^]]*\]| ", lambda match: r"\s+" if match[0] == " " else match[0], pattern)
    return re.compile(rf"(?<![\w/.-])(?:{words})(?![\w/-])", re.IGNORECASE)


def in_file(path: Path) -> list[Finding]:
    """What is to be replaced in a file."""
    read = {".md": _markdown, ".py": _python, ".yml": _yaml, ".yaml": _yaml, ".j2": _template}[path.suffix]
    found = {finding for line, text in read(path.read_text()) for finding in findings(text, line)}
    return sorted(found, key=lambda finding: (finding.line, finding.words))


def _without(patterns: Sequence[str], text: str) -> str:
    """A text with blanks in place of what matches; its lines stay."""
    for pattern in patterns:
        text = re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.DOTALL | re.MULTILINE)
    return text


_CODE = (r"``.+?``", r"`[^`]+`")
_JINJA = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_EXPRESSIONS = frozenset({"when", "that", "until", "changed_when", "failed_when", "condition"})
# Ansible's markup for what is code: names, values, links to plugins.
_MARKUP = (r"\b(?:C|E|O|RV|V|M|P|U)\((?:[^()\\]|\\.|\([^()]*\))*\)",)


def _without_jinja(text: str) -> str:
    """A text without what Jinja computes; the texts that it chooses from stay."""

    def quoted(match: re.Match[str]) -> str:
        kept = {i for words in re.finditer(r"'[^']* [^']*'|\"[^\"]* [^\"]*\"", match[0]) for i in range(*words.span())}
        return "".join(char if char == "\n" or at in kept else " " for at, char in enumerate(match[0]))

    return _JINJA.sub(quoted, text)


def _markdown(text: str) -> Iterator[tuple[int, str]]:
    yield 1, _without((r"^<!--.*?^-->", r"^ *(```+|~~~+).*?^ *\1", *_CODE, r"\]\([^()]*\)", r"<[^>]*>"), text)


def _template(text: str) -> Iterator[tuple[int, str]]:
    yield 1, _without((r"<style.*?</style>", r"<[^<>]*>"), _without_jinja(text))


def _yaml(text: str) -> Iterator[tuple[int, str]]:
    """Its comments, and the sentences among its values."""
    for number, line in enumerate(text.splitlines(), 1):
        if comment := re.match(r"\s*#\s(.*)", line):
            yield number, _without(_CODE, comment[1])
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        yield from _values(document)


def _values(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value not in _EXPRESSIONS:
                yield from _values(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _values(value)
    elif isinstance(node, yaml.ScalarNode) and " " in node.value:
        yield node.start_mark.line + 1, _without((*_CODE, *_MARKUP), _without_jinja(node.value))


def _python(text: str) -> Iterator[tuple[int, str]]:
    """The documentation of a plugin, and its strings of several words; not its docstrings and comments."""
    tree = ast.parse(text)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            words = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield node.lineno, _without((*_CODE, *_MARKUP), "".join(map(str, words)))
        elif isinstance(node, ast.Constant) and id(node) not in docstrings | parts:
            text = node.value if isinstance(node.value, str) else ""
            yield node.lineno, _without((*_CODE, *_MARKUP), text if " " in text.strip() else "")


def main(names: Sequence[str]) -> int:
    """Return the exit code: 0 only where no such word is left."""
    paths = [Path(name).resolve() for name in names] or sorted({p for text in TEXTS for p in CHECKOUT.glob(text)})
    count = 0
    for path in paths:
        name = path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path
        if str(name) in EXCEPT:
            continue
        for finding in in_file(path):
            count += 1
            print(f"{name}:{finding.line}: '{finding.words}': write {finding.instead}")
    if count:
        print(f"{count} words to replace; tests/tools/glossary.py has the list")
    return int(bool(count))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
