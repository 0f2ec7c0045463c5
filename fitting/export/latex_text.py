"""Anybody's text as LaTeX: every sign that LaTeX acts on made plain, every other one in ASCII, so that any engine sets it."""

from __future__ import annotations

import unicodedata

SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", **{c: "\\" + c for c in "&%$#_{}"},
}  # fmt: skip
# Combining signs by the command that puts them on a letter.
ACCENTS = dict(zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327",
                   ("`", "'", "^", "~", "=", "u", ".", '"', "r", "H", "v", "c"), strict=True))  # fmt: skip
LETTERS = {
    "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ł": r"\l{}", "Ł": r"\L{}",
    "ı": r"\i{}", "\u2013": "--", "\u2014": "---", "\u2018": "`", "\u2019": "'", "\u201c": "``", "\u201d": "''",
    "\u2212": r"\ensuremath{-}",
    "×": r"\ensuremath{\times}", "±": r"\ensuremath{\pm}", "·": r"\ensuremath{\cdot}", "°": r"\ensuremath{^{\circ}}",
    "≤": r"\ensuremath{\leq}", "≥": r"\ensuremath{\geq}", "≈": r"\ensuremath{\approx}", "∞": r"\ensuremath{\infty}",
    "\u2044": "/", "→": r"\ensuremath{\rightarrow}",
}  # fmt: skip
NAMED = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "vartheta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "varsigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
]
# Greek letters by what Unicode calls them, where LaTeX has another name for them or sets them as Latin ones.
GREEK = {
    "lamda": "lambda",
    "final sigma": "varsigma",
    "lunate epsilon": "epsilon",
    "theta symbol": "vartheta",
    "phi symbol": "phi",
}
LATIN = {"alpha": "A", "beta": "B", "epsilon": "E", "zeta": "Z", "eta": "H", "iota": "I", "kappa": "K", "mu": "M", "nu": "N",
         "omicron": "O", "rho": "P", "tau": "T", "chi": "X"}  # fmt: skip


def escape(text: str) -> str:
    """Text with the characters LaTeX would act on made plain, Greek letters as symbols, accents as commands, in ASCII.

    A sign that LaTeX has no command for is written as its code, [U+4E2D]; a control sign as a space.
    """
    out: list[str] = []
    for c in unicodedata.normalize("NFKD", text):
        if c in ACCENTS and out:
            out[-1] = f"\\{ACCENTS[c]}{{{out[-1]}}}"
        else:
            out.append(_sign(c))
    return "".join(out)


def _sign(c: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    if c in LETTERS:
        return LETTERS[c]
    if c.isascii():
        return c if c.isprintable() else " "
    return _greek(c) or f"[U+{ord(c):04X}]"


def _greek(c: str) -> str:
    words = unicodedata.name(c, "").lower().split()
    if words[:1] != ["greek"]:
        return ""
    name = " ".join(w for w in words if w not in ("greek", "small", "capital", "letter"))
    name = GREEK.get(name, name.removesuffix(" symbol"))
    if name == "omicron" and "capital" not in words:
        return "o"
    if "capital" in words:
        return LATIN.get(name) or rf"\ensuremath{{\{name.capitalize()}}}" * (name in NAMED)
    return rf"\ensuremath{{\{name}}}" * (name in NAMED)
