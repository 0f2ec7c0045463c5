"""Rules of learning rate and batch to take away: JSON for programs, CSV of the cells, LaTeX, and Python that runs alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fitting.batch.rates import RateLaw, RateLaws
from fitting.export.csv_text import csv_text
from fitting.export.latex import number, step
from fitting.export.text import band_values, finite

SYMBOLS = {"lr": r"\eta", "batch": "B"}


def document(laws: RateLaws, published: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Both rules with their intervals, the regret of each cell left out, and that of `published` rules by name (cells,)."""

    def one(law: RateLaw) -> dict[str, Any]:
        powers = {k: law.exponent(k) for k in ("params", "tokens")}
        return {"coefficient": _coefficient(law), "exponents": {k: band_values(b) for k, b in powers.items()}}

    regret = {"refitted here": laws.held_out, **(published or {})}
    out: dict[str, Any] = finite(
        {
            "law": "lr, batch = coefficient * params^p * tokens^d, batch in tokens per step",
            "lr": one(laws.lr),
            "batch": {**one(laws.batch), "unit": "tokens"},
            "regret": {name: float(np.mean(of)) for name, of in regret.items()},
            "cells": [
                {"params": c.params, "tokens": c.tokens, "runs": len(c.loss), "edge": list(c.edge)} for c in laws.cells
            ],
            "notes": list(laws.notes),
        }
    )
    return out


def to_json(laws: RateLaws, published: Mapping[str, Any] | None = None) -> str:
    """`document` as JSON text."""
    return json.dumps(document(laws, published), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(laws: RateLaws) -> str:
    """One line a cell: its best run, the span of those as good, both rules there with 95 % intervals, and the regret left out."""
    import pandas as pd

    rows = []
    for cell, regret in zip(laws.cells, laws.held_out, strict=True):
        best = int(np.argmin(cell.loss))
        lr, batch = (law.at(cell.params, cell.tokens) for law in (laws.lr, laws.batch))
        rows.append(
            {
                "params": cell.params, "tokens": cell.tokens, "runs": len(cell.loss),
                "best_loss": cell.loss[best], "best_lr": cell.lr[best], "best_batch_tokens": cell.batch[best],
                "near_lr_low": cell.lr[cell.near].min(), "near_lr_high": cell.lr[cell.near].max(),
                "near_batch_low": cell.batch[cell.near].min(), "near_batch_high": cell.batch[cell.near].max(),
                "rule_lr": lr.value, "rule_lr_low": lr.low, "rule_lr_high": lr.high,
                "rule_batch_tokens": batch.value, "rule_batch_low": batch.low, "rule_batch_high": batch.high,
                "regret_left_out": regret, "edge": " ".join(cell.edge),
            }
        )  # fmt: skip
    return csv_text(pd.DataFrame(rows))


def to_python(laws: RateLaws) -> str:
    """Both rules as a Python module that needs nothing: `learning_rate(params, tokens)` and `batch(params, tokens)`."""
    sizes, amounts = ([getattr(c, of) for c in laws.cells] for of in ("params", "tokens"))
    functions = "".join(
        f"\n\ndef {name}(params, tokens):\n    return {_coefficient(law)!r} * params ** {p!r} * tokens ** {d!r}\n"
        for name, law in (("learning_rate", laws.lr), ("batch", laws.batch))
        for p, d in [tuple(float(v) for v in law.coefficients[1:])]
    )
    return (
        f'"""Learning rate, and batch in tokens per step, refitted from {len(laws.cells)} cells of {min(sizes):.3g} to {max(sizes):.3g} '
        f"parameters on\n{min(amounts):.3g} to {max(amounts):.3g} tokens. They hold for that setup: text, schedule, optimiser and "
        f'the way N was counted.\n"""\n{functions}'
    )


def to_latex(laws: RateLaws) -> str:
    """Both rules as equations, a table of exponents with intervals, and every number in full as comments."""
    lines, rows, full = [], [], []
    for name, law in (("lr", laws.lr), ("batch", laws.batch)):
        c = _coefficient(law)
        powers = {k: law.exponent(k) for k in ("params", "tokens")}
        full += [f"% {name}_coefficient = {c!r}", *(f"% {name}_{k} = {b.value!r}" for k, b in powers.items())]
        shown = " ".join(
            f"{letter}^{{{number(b.value, step(b))}}}"
            for letter, b in zip("ND", powers.values(), strict=True)
            if b.value
        )
        lines.append(rf"  {SYMBOLS[name]} &= {number(c, abs(c) * 1e-2)} \, {shown}")
        for letter, b in zip("ND", powers.values(), strict=True):
            if not b.value:
                continue  # no rule of it
            value, low, high = (number(x, step(b)) for x in b)
            rows.append(rf"  ${SYMBOLS[name]}$ & ${letter}$ & ${value}$ & ${low}$ & ${high}$ \\")
    return "\n".join(
        [
            "% Learning rate and batch (tokens per step) refitted from a grid of runs; N parameters, D tokens",
            *full,
            r"\begin{align}",
            " \\\\\n".join(lines),
            r"\end{align}",
            r"\begin{tabular}{llrrr}",
            r"  \hline",
            r"  of & by & exponent & 2.5\,\% & 97.5\,\% \\",
            r"  \hline",
            *rows,
            r"  \hline",
            r"\end{tabular}",
            "",
        ]
    )


def _coefficient(law: RateLaw) -> float:
    return float(np.exp(law.coefficients[0]))
