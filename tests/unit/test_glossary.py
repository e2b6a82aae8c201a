# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the glossary refuses old words where users read them, and nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import glossary

Captured = pytest.CaptureFixture[str]

WRONG = {
    "a.md": "# Title\n\nThe token is\nno JWT.\n",
    "b.md": "The server's reply is shown.\n",
    "c.yml": "---\n# Tell what the token file holds.\n- name: Report the token\n",
    "d.yml": "---\n- name: Report tokens\n  ansible.builtin.fail:\n    msg: >-\n      The host\n      is dead.\n",
    "e.yml": "---\n- name: \"{{ 'The token is good.' if usable else 'It expires soon' }}\"\n",
    "f.j2": "<p>{{ count }} tokens are no longer good</p>\n",
    "g.py": 'DOCUMENTATION = """\noptions:\n  ca_path:\n    description: The authority that signed it.\n"""\n',
    "h.py": 'def f(host):\n    raise ValueError(f"{host} lives for 5 s")\n',
    "i.py": 'def f():\n    raise ValueError("The connection was "\n                     "given up")\n',
}
RIGHT = {
    "a.md": "There is no token. It is no longer valid. `a reply` and\n```\nthis machine\n```\n",
    "b.md": "A certificate authority signed it. The survey answers are stored. See [here](reply.md).\n",
    "c.yml": "---\n- name: Report the token\n  when: reply is none\n  vars:\n    authority: '{{ answer is none }}'\n",
    "d.yml": "---\ndescription: What RV(reply) and C(the authority) contain.\n",
    "e.j2": "{% if life is none %}<p class='dead end'>No tokens</p>{% endif %}\n",
    "f.py": '"""What a reply is."""\n\n\ndef reply(answer):\n    """Tell."""\n    # It is no JWT.\n    return "dead"\n',
}


@pytest.mark.parametrize("name", WRONG)
def test_a_word_that_is_no_longer_used_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text(WRONG[name])

    assert glossary.main([str(path)]) == 1
    assert f"{path}:" in capsys.readouterr().out


@pytest.mark.parametrize("name", RIGHT)
def test_plain_text_and_code_pass(name: str, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / name
    path.write_text(RIGHT[name])

    assert glossary.main([str(path)]) == 0
    assert capsys.readouterr().out == ""


def test_a_finding_names_its_line() -> None:
    found = list(glossary.findings("One.\nTwo.\nIt is\nno JWT.", line=10))

    assert [(finding.line, finding.words) for finding in found] == [(12, "is no")]


REFUSED = """
    The reply is kept. The host answers. Half of its life is over. It lives for 5 s. It is alive. It is not good enough.
    A dead host. The token at hand. It tells who asked. It is set aside. The lock was given up. The managed host.
    It runs on this machine. A place for the token. A passing error. It is repeatable. It adopts it. There is no room.
    It is senseless. It takes it by one request. It wants a file. The file is there. It comes in with Python.
    Give the authority. It is no JWT. It was forgotten. It heals. It looks after itself.
"""
ALLOWED = """
    The header In-Reply-To. The survey answers. The life cycle. It gives up its rights. The certificate authority.
    There is no file. There can be no doubt. It is no longer valid. Is there a file?
"""


def test_each_term_refuses_a_phrase_and_no_phrase_is_refused_in_vain() -> None:
    assert [term.pattern for term in glossary.TERMS if not glossary.compiled(term.pattern).search(REFUSED)] == []
    assert list(glossary.findings(ALLOWED)) == []
