"""How much hangs on Huber's delta: the small table beside the controls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

import streamlit as st

from dashboard import numbers
from dashboard.fit_settings import DELTAS
from dashboard.symbols import symbol
from fitting import Fit, FitError


def table(fit: Fit, others: Mapping[float, Fit | FitError]) -> None:
    """What the exponents and the floor would be with another delta, in the digits that this fit's intervals allow."""
    law = fit.law
    shown = [p for i, p in enumerate(law.params) if i in law.shapes or p.is_floor]
    heads = "".join(f'<th scope="col">{symbol(p)}</th>' for p in shown)
    rows, moved = [], False
    for delta, other in others.items():
        here = delta == fit.settings.delta
        cells = []
        for p in shown:
            band = fit.interval(p.name)
            if isinstance(other, FitError):
                cells.append(f"<td>{numbers.MISSING}</td>")
                continue
            value = fit.params[p.name] if here else other.params[p.name]
            outside = math.isfinite(band.low) and not band.low <= value <= band.high
            moved |= outside
            said = numbers.with_interval(value, band.low, band.high, "loss" if p.is_floor else "ratio")[0]
            cells.append(f"<td>{said}{'*' if outside else ''}</td>")
        name = escape(DELTAS.get(delta, f"{delta:g}"))
        rows.append(
            f'<tr{" class=iso-here" if here else ""}><th scope="row">{name}{" (chosen)" if here else ""}</th>{"".join(cells)}</tr>'
        )
    note = "* outside the 95 % interval: a few runs steer this law." if moved else "All inside the 95 % intervals."
    st.html(
        f'<table class="iso-table iso-small"><thead><tr><th scope="row">With another delta</th>{heads}</tr></thead>'
        f'<tbody>{"".join(rows)}</tbody></table><p class="iso-quiet">{note if len(fit.draws) else ""}</p>'
    )
