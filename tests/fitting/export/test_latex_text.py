"""Anybody's names in LaTeX: ASCII, balanced, and nothing but commands that every engine has."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitting.batch import critical_batch
from fitting.export.critical_batch import to_latex
from fitting.export.latex_text import ACCENTS, LETTERS, NAMED, SPECIAL, escape

LARGE = ["Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"]
WRITTEN = "".join((*SPECIAL.values(), *LETTERS.values()))
COMMANDS = {
    *("ensuremath", *NAMED, *LARGE),
    *(a for a in ACCENTS.values() if a.isalpha()),
    *re.findall(r"\\([A-Za-z]+)", WRITTEN),
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("α-net", r"\ensuremath{\alpha}-net"),
        ("λ=0.1", r"\ensuremath{\lambda}=0.1"),
        ("Δ Ω Σ", r"\ensuremath{\Delta} \ensuremath{\Omega} \ensuremath{\Sigma}"),
        ("µP", r"\ensuremath{\mu}P"),
        ("ΑΒΕ", "ABE"),
        ("ς ϕ ϑ ϵ", r"\ensuremath{\varsigma} \ensuremath{\phi} \ensuremath{\theta} \ensuremath{\epsilon}"),
        ("Müller", r"M\"{u}ller"),
        ("ό", "\\'{o}"),
        ("5 × 2", r"5 \ensuremath{\times} 2"),
        ("中", "[U+4E2D]"),
        ("a_b & 50% #1", r"a\_b \& 50\% \#1"),
        ("\\x{}^~$", r"\textbackslash{}x\{\}\textasciicircum{}\textasciitilde{}\$"),
        ("plain 1.5", "plain 1.5"),
        ("", ""),
    ],
)
def test_signs(text, wanted):
    assert escape(text) == wanted


def sound(text: str) -> None:
    assert text.isascii()
    assert text.isprintable()
    bare = re.sub(r"\\[^A-Za-z]", "", text)
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[&%$#_~^]", re.sub(r"\\ensuremath\{\^\{\\circ\}\}|\\[&%$#_~^]", "", text))
    assert set(re.findall(r"\\([A-Za-z]+)", re.sub(r"\\[^A-Za-z]", "", text))) <= COMMANDS


@given(st.text(max_size=30))
def test_any_text(text):
    sound(escape(text))


def test_every_greek_letter():
    for c in map(chr, range(0x370, 0x400)):
        if unicodedata.name(c, "").startswith(("GREEK SMALL LETTER", "GREEK CAPITAL LETTER")):
            sound(escape(c))
    assert all("ensuremath" in escape(c) for c in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ")


def test_a_group_named_in_greek_in_a_table_of_batches():
    batches = [16, 32, 64, 128, 256]
    found = {"α=½, ℓ₂": critical_batch(batches, [1000 * (1 + 300 / b) for b in batches], resamples=20)}
    printed = [line for line in to_latex(found, "tokens", 16, 0.2).split("\n") if not line.startswith("%")]
    assert any(r"\ensuremath{\alpha}" in line for line in printed)
    assert "\n".join(printed).isascii()
