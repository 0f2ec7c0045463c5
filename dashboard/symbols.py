"""A law's symbols as they are printed: `\\alpha_N` becomes α with N below it, in HTML that pages and figures both read."""

from __future__ import annotations

import html
import re

from fitting.law import LOSS, Param

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Delta": "Δ", "Lambda": "Λ", "Omega": "Ω",
}  # fmt: skip
SHAPE = re.compile(r"\\?([A-Za-z]+)(?:_\{?([A-Za-z0-9]+|\\[a-z]+|\\mathrm\{[A-Za-z]+\})\}?)?(')?")
INPUTS = {"params": "N", "tokens": "D", "flops": "C"}
TITLES = {"params": "Parameters", "tokens": "Training tokens", "flops": "Training compute, FLOP"}


def symbol(p: Param) -> str:
    """The parameter's symbol as HTML with `<i>` and `<sub>`; its name where the LaTeX is more than a letter with an index."""
    found = SHAPE.fullmatch(p.latex)
    if not found:
        return html.escape(p.name)
    letter, below, prime = found.groups()
    body = GREEK.get(letter, letter)
    if len(body) > 1:
        return html.escape(p.name)
    index = re.sub(r"\\mathrm\{(\w+)\}", r"\1", below or "").lstrip("\\")
    return f"<i>{body}</i>{prime or ''}" + (f"<sub>{GREEK.get(index, index)}</sub>" if index else "")


def input_symbol(name: str) -> str:
    """What a law's input is called in formulas: N, D or C; its own name for any other."""
    return INPUTS.get(name, name)


def input_title(name: str) -> str:
    """A law's input as an axis says it; one with no other title by its column, whose unit is that of the file."""
    return TITLES.get(name) or name.replace("_", " ").capitalize()


def output_kind(column: str) -> str:
    """How values of a law's output are said: a loss to two decimals, any other as a ratio, which may be far below one."""
    return "loss" if column == LOSS.column else "ratio"
