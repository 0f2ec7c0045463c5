"""Critical batches to take away: JSON for programs, CSV for spreadsheets, LaTeX for papers, and Python that runs alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fitting.batch.along import AlongLoss
from fitting.batch.critical import CriticalBatch
from fitting.batch.growth import Growth
from fitting.export.csv_text import csv_text
from fitting.export.latex import number, row, step
from fitting.export.latex_text import escape
from fitting.export.text import band_values, finite


def document(
    found: Mapping[str, CriticalBatch],
    notes: Mapping[str, Sequence[str]],
    unit: str,
    base: float | None = None,
    overhead: float = 0.2,
    law: Growth | AlongLoss | None = None,
) -> dict[str, Any]:
    """All there is to say, in JSON's own types: groups in the order of `notes`, those without a fit with their reason alone.

    `base` adds the batch of `overhead` over linear scaling from there; an end that is open is "inf".
    """
    groups: list[dict[str, Any]] = []
    for name, sentences in notes.items():
        body: dict[str, Any] = {"group": name, "notes": list(sentences)}
        if name in found:
            f = found[name]
            body |= {"s_min": band_values(f.s_min), "e_min": band_values(f.e_min), "b_crit": band_values(f.b_crit)}
            body |= {"batch": [float(x) for x in f.batch], "steps": [float(x) for x in f.steps]}
            if base is not None:
                more = band_values(f.overhead_batch(base, overhead))
                body["overhead_batch"] = {**more, "base": base, "overhead": overhead}
        groups.append(body)
    grows = None if law is None else {"exponent": band_values(law.exponent()), "coefficient": law.coefficient}
    out: dict[str, Any] = finite({"unit": unit, "groups": groups, "growth": grows})
    return out


def to_json(*given: Any, **named: Any) -> str:
    """`document` as JSON text."""
    return json.dumps(document(*given, **named), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(found: Mapping[str, CriticalBatch], unit: str, base: float, overhead: float) -> str:
    """One line a group: both critical batches, fewest steps and least data, each with its 95 % interval."""
    import pandas as pd

    names = ("b_crit", f"batch_{100 * overhead:g}_percent_over_linear_from_{base:g}", "s_min", "e_min")
    heads = ["group", "unit", "batches", *(f"{n}{end}" for n in names for end in ("", "_low", "_high"))]
    rows = []
    for name, f in found.items():
        bands = (f.b_crit, f.overhead_batch(base, overhead), f.s_min, f.e_min)
        rows.append([name, unit, len(f.batch), *(float(x) for b in bands for x in (b.value, b.low, b.high))])
    return csv_text(pd.DataFrame(rows, columns=heads))


def to_latex(
    found: Mapping[str, CriticalBatch],
    unit: str,
    base: float,
    overhead: float,
    law: Growth | AlongLoss | None = None,
    along: str = "params",
) -> str:
    """The equation and a table of groups: both critical batches, fewest steps and least data, with their intervals.

    `law` adds how the critical batch grows `along` "params" or "loss".
    """
    rows, full = [], []
    for name, f in found.items():
        cells = []
        for of, b in (
            ("b_crit", f.b_crit),
            ("over_linear", f.overhead_batch(base, overhead)),
            ("s_min", f.s_min),
            ("e_min", f.e_min),
        ):
            full.append(f"% {json.dumps(name)} {of} = {b.value!r} ({b.low!r} to {b.high!r} at {b.level})")
            value, low, high = row(*b, kind="count")
            cells.append(f"${value}$ (${low}$ to ${high}$)")
        rows.append(rf"  {escape(' '.join(name.split()))} & {' & '.join(cells)} \\")
    return "\n".join(
        [
            "% Steps to a loss against batch size: McCandlish et al. 2018, arXiv 1812.06162; overhead as in Zhang et al. 2024",
            *full,
            r"\begin{equation}",
            r"  S(B) = S_{\min} \left( 1 + \frac{B_{\mathrm{crit}}}{B} \right), \qquad B_{\mathrm{crit}} = E_{\min} / S_{\min}",
            r"\end{equation}",
            *_growth_latex(law, along),
            r"\begin{tabular}{lrrrr}",
            r"  \hline",
            rf"  & $B_{{\mathrm{{crit}}}}$, {unit} & {100 * overhead:g}\,\% over linear from {base:.6g}"
            rf" & $S_{{\min}}$ & $E_{{\min}}$, {unit} \\",
            r"  \hline",
            *rows,
            r"  \hline",
            r"\end{tabular}",
            "",
        ]
    )


def _growth_latex(law: Growth | AlongLoss | None, along: str) -> list[str]:
    if law is None:
        return []
    k, letter = law.exponent(), "N" if along == "params" else "L"
    shown = rf"{number(law.coefficient, law.coefficient * 1e-2)} \, {letter}^{{{number(k.value, step(k))}}}"
    return [
        f"% growth: coefficient = {law.coefficient!r}, exponent = {k.value!r} ({k.low!r} to {k.high!r} at {k.level})",
        r"\begin{equation}",
        rf"  B_{{\mathrm{{crit}}}}({letter}) = {shown}",
        r"\end{equation}",
    ]


def to_python(
    found: Mapping[str, CriticalBatch], unit: str, law: Growth | AlongLoss | None = None, along: str = "params"
) -> str:
    """The fitted curves as a Python module that needs nothing: `steps(group, batch)`, `critical_batch(group)` and the constants.

    `law` adds `critical_batch_at(params)`, or of loss, by how the critical batch grows `along` it.
    """
    grown = (
        ""
        if law is None
        else f"\n\ndef critical_batch_at({along}):\n    return {float(law.coefficient)!r} * {along} ** {float(law.slope)!r}\n"
    )
    constants = {name: (float(f.best[0]), float(f.best[1])) for name, f in found.items()}
    rows = "".join(f"    {name!r}: {value!r},\n" for name, value in constants.items())
    return (
        f'"""Steps to a loss against batch size ({unit} a step): S(B) = S_min + E_min / B.\n\n'
        'McCandlish et al. 2018, arXiv 1812.06162; the critical batch is E_min / S_min.\n"""\n\n'
        f"# group: (S_min in steps, E_min in {unit})\nFITTED = {{\n{rows}}}\n\n\n"
        "def steps(group, batch):\n    s_min, e_min = FITTED[group]\n    return s_min + e_min / batch\n\n\n"
        "def critical_batch(group):\n    s_min, e_min = FITTED[group]\n    return e_min / s_min if s_min else float('inf')\n"
        f"{grown}"
    )
