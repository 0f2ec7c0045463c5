"""The law of the whole run to take away: JSON for programs, CSV for spreadsheets, LaTeX for papers, Python that runs alone."""

from __future__ import annotations

import json
from typing import Any

from fitting.batch.trajectory import NAMES
from fitting.batch.trajectory_fit import TrajectoryFit
from fitting.export.csv_text import csv_text
from fitting.export.latex import number, step
from fitting.export.latex_text import escape
from fitting.export.text import band_values, finite


def document(fit: TrajectoryFit) -> dict[str, Any]:
    """The constants with their intervals, what a batch counts, the runs fitted and what to know first, in JSON's own types."""
    law = fit.law
    constants: dict[str, Any] = {}
    for name in NAMES:
        if law.one_size and name in ("N_c", "alpha_N"):
            constants[name] = None
            continue
        constants[name] = band_values(law.constant(name))
    floor = law.floor() if law.one_size else None
    out: dict[str, Any] = finite(
        {
            "law": "L = (N_c / N)^alpha_N + (S_c (1 + B_star / (L^(1/alpha_B) B)) / S)^alpha_S",
            "unit": law.unit,
            "constants": constants,
            "floor": None if floor is None else band_values(floor),
            "params": [float(n) for n in fit.curves.sizes],
            "runs": list(fit.curves.names),
            "notes": [*law.notes, law.warning],
        }
    )
    return out


def to_json(fit: TrajectoryFit) -> str:
    """`document` as JSON text."""
    return json.dumps(document(fit), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(fit: TrajectoryFit) -> str:
    """Every evaluation used: run, size, batch, step, loss, and the law's loss there."""
    import numpy as np
    import pandas as pd

    d = fit.curves
    frame = pd.DataFrame(
        {
            "run": [d.names[int(r)] for r in d.run],
            "params": d.params,
            "batch": d.batch,
            "step": d.step,
            "loss": d.loss,
            "law": d.loss * np.exp(-fit.residuals),
        }
    )
    return csv_text(frame)


LATEX = {
    "N_c": "N_c", "alpha_N": r"\alpha_N", "S_c": "S_c", "alpha_S": r"\alpha_S", "B_star": "B_*", "alpha_B": r"\alpha_B",
}  # fmt: skip


def to_latex(fit: TrajectoryFit) -> str:
    """The implicit equation, a table of its constants with intervals, and each constant in full as a comment."""
    law = fit.law
    told = [name for name in NAMES if not (law.one_size and name in ("N_c", "alpha_N"))]
    bands = {f"${LATEX[name]}$": (name, law.constant(name)) for name in told}
    floor = r"(N_c / N)^{\alpha_N}"
    if law.one_size:
        bands = {r"$L_\infty$": ("floor", law.floor()), **bands}
        floor = r"L_\infty"
    rows = []
    for symbol, (_, b) in bands.items():
        value, low, high = (number(x, step(b)) for x in b)
        rows.append(rf"  {symbol} & ${value}$ & ${low}$ & ${high}$ \\")
    return "\n".join(
        [
            f"% Training-curve law L(N, S), batch in {law.unit}: Kaplan et al. 2020, arXiv 2001.08361, eq. 5.3 to 5.6",
            f"% {law.warning}",
            *(f"% {name} = {b.value!r} ({b.low!r} to {b.high!r} at {b.level})" for name, b in bands.values()),
            r"\begin{equation}",
            rf"  L = {floor} + \left( \frac{{S_c}}{{S}} \left( 1 + \frac{{B_*}}{{L^{{1/\alpha_B}} B}} \right) \right)^{{\alpha_S}}",
            r"\end{equation}",
            r"\begin{tabular}{lrrr}",
            r"  \hline",
            r"  & value & 2.5\,\% & 97.5\,\% \\",
            r"  \hline",
            *rows,
            r"  \hline",
            r"\end{tabular}",
            *(f"% {escape(note)}" for note in law.notes),
            "",
        ]
    )


def to_python(fit: TrajectoryFit) -> str:
    """The law as a Python module that needs nothing: `steps(loss, batch, params)` and `loss(steps, batch, params)`."""
    law = fit.law
    n_c, a_n, s_c, a_s, b_star, a_b = (float(v) for v in law.values)
    if law.one_size:
        head = f"FLOOR = {law.floor().value!r}  # of the one size there was\n"
        floor = "    return FLOOR\n"
    else:
        head = f"N_C, ALPHA_N = {n_c!r}, {a_n!r}\n"
        floor = "    return (N_C / params) ** ALPHA_N\n"
    return (
        f'"""Training-curve law L(N, S) (batch in {law.unit}): Kaplan et al. 2020, arXiv 2001.08361, eq. 5.3 to 5.6.\n\n'
        f'{law.warning}\n"""\n\n'
        f"{head}S_C, ALPHA_S, B_STAR, ALPHA_B = {s_c!r}, {a_s!r}, {b_star!r}, {a_b!r}\n\n\n"
        f"def lowest(params=None):\n{floor}\n\n"
        "def critical_batch(loss):\n    return B_STAR / loss ** (1 / ALPHA_B)\n\n\n"
        "def steps(loss, batch, params=None):\n    over = loss - lowest(params)\n"
        "    if over <= 0:\n        return float('inf')\n"
        "    return S_C * over ** (-1 / ALPHA_S) * (1 + critical_batch(loss) / batch)\n\n\n"
        "def loss(step, batch, params=None):\n    low = lowest(params)\n    high = 2 * low + 1\n"
        "    while steps(high, batch, params) > step:\n        high *= 2\n"
        "    for _ in range(200):\n        middle = (low + high) / 2\n"
        "        low, high = (middle, high) if steps(middle, batch, params) > step else (low, middle)\n    return high\n"
    )
