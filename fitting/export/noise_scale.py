"""The gradient noise scale to take away: JSON for programs, CSV and LaTeX for tables, and Python that estimates it anew."""

from __future__ import annotations

import json
import math
from typing import Any

from fitting.band import Band
from fitting.batch.noise_scale import NoiseScale
from fitting.export.csv_text import csv_text
from fitting.export.latex import row
from fitting.export.text import finite

CAVEAT = (
    "Under Adam the noise scale can lie far below the batch from which more data a step saves no steps (Merrill et al. 2025, "
    "arXiv 2505.23971): a sign of the order and the direction, not a measurement of the critical batch."
)


def document(found: NoiseScale) -> dict[str, Any]:
    """The scale over stretches of the run, with intervals, in JSON's own types; an end that is open is "inf"."""
    rows = [
        {"from_step": a, "to_step": b, "value": band.value, "low": band.low, "high": band.high, "level": band.level}
        for a, b, band in _stretches(found)
    ]
    out: dict[str, Any] = finite({"unit": "sequences", "stretches": rows, "note": CAVEAT})
    return out


def _stretches(found: NoiseScale) -> list[tuple[float, float, Band]]:
    return [(*found.span(a, b), band) for a, b, band in found.along()]


def to_json(found: NoiseScale) -> str:
    """`document` as JSON text."""
    return json.dumps(document(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(found: NoiseScale) -> str:
    """One line a step: the unbiased estimates of noise and of signal, negative ones kept, and the stretch's ratio with its ends.

    Average each over steps before dividing: single ratios mean nothing.
    """
    import pandas as pd

    parts = []
    for a, b, band in found.along():
        parts.append(
            pd.DataFrame(
                {
                    "step": found.steps[a:b], "noise": found.noise[a:b], "signal": found.signal[a:b],
                    "stretch_ratio": band.value, "stretch_low": band.low, "stretch_high": band.high,
                }
            )
        )  # fmt: skip
    return csv_text(pd.concat(parts, ignore_index=True))


def to_latex(found: NoiseScale) -> str:
    """A table of stretches with intervals, and every number in full as comments."""
    rows, full = [], []
    for a, b, band in _stretches(found):
        full.append(f"% steps {a:g} to {b:g}: {band.value!r} ({band.low!r} to {band.high!r} at {band.level})")
        value, low, high = row(*band, kind="count")
        rows.append(rf"  {a:g} to {b:g} & ${value}$ & ${low}$ & ${high}$ \\")
    return "\n".join(
        [
            "% Gradient noise scale in sequences, mean noise over mean signal (McCandlish et al. 2018, arXiv 1812.06162)",
            f"% {CAVEAT}",
            *full,
            r"\begin{tabular}{lrrr}",
            r"  \hline",
            r"  steps & noise scale & 2.5\,\% & 97.5\,\% \\",
            r"  \hline",
            *rows,
            r"  \hline",
            r"\end{tabular}",
            "",
        ]
    )


def to_python(found: NoiseScale) -> str:
    """A Python module that needs nothing: the stretches measured, and `noise_scale(...)` of norms of one's own."""
    rows = "".join(
        f"    ({a:g}, {b:g}, {_literal(band.value)}, {_literal(band.low)}, {_literal(band.high)}),\n"
        for a, b, band in _stretches(found)
    )
    return (
        '"""The gradient noise scale in sequences (McCandlish et al. 2018, arXiv 1812.06162, appendix A.1).\n\n'
        + CAVEAT.replace(" (Merrill", "\n(Merrill")
        + f'\n"""\n\n# first step, last step, noise scale, 2.5 %, 97.5 %\nMEASURED = [\n{rows}]\n\n\n'
        "def noise_scale(small, big, batch_small, batch_big):\n"
        '    """Mean noise over mean signal, from squared gradient norms (lists of equal length) over a small and a big batch."""\n'
        "    noise = [(s - b) / (1 / batch_small - 1 / batch_big) for s, b in zip(small, big)]\n"
        "    signal = [(batch_big * b - batch_small * s) / (batch_big - batch_small) for s, b in zip(small, big)]\n"
        "    return sum(noise) / sum(signal)\n"
    )


def _literal(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else f'float("{value}")'
