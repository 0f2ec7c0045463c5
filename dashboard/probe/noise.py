"""Each run's noise scale against its loss, as panels of the live chart: a mark with its interval for each stretch of a run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard.charts import batch_noise, theme
from dashboard.probe.watching import ORDER, Rows, Run, Sweep

if TYPE_CHECKING:
    from fitting.band import Band
    from fitting.batch.noise_of_run import RunNoise

Panels = list[dict[str, Any]]


def tells(row: Mapping[str, Any]) -> bool:
    """Whether a row of a log says something of noise."""
    return "grad_sq_small" in row or any(name.startswith("noise_") and name.endswith("_se") for name in row)


def of(run: Run) -> tuple[RunNoise, ...]:
    """The noise scales of a run, in tokens; none where its log has too few rows that tell them."""
    return _of(run.key, run.spec.seq_len, repr((len(run.rows), run.rows[-1].get("step"))), run.rows) if run.rows else ()


@st.cache_resource(max_entries=200, show_spinner=False)
def _of(key: str, seq_len: int, so_far: str, _rows: Rows) -> tuple[RunNoise, ...]:
    import pandas as pd

    from fitting.batch.noise_of_run import noise_of_run

    frame = pd.DataFrame(list(_rows))
    if "loss" not in frame:
        return ()
    found = noise_of_run(frame)
    return tuple(replace(one, scale=_times(one.scale, seq_len)) for one in found)


def _times(scale: Band, seq_len: int) -> Band:
    from fitting.band import Band

    return Band(seq_len * scale.value, seq_len * scale.low, seq_len * scale.high, scale.level)


def drawn(sweep: Sweep, most: int) -> dict[str, tuple[RunNoise, ...]]:
    """The noise scales of the first runs that tell any, by their keys, those at work first."""
    found: dict[str, tuple[RunNoise, ...]] = {}
    for run in sorted(sweep.runs, key=lambda run: ORDER.index(run.state)):
        if len(found) < most and (told := of(run)):
            found[run.key] = told
    return found


def legend(sweep: Sweep, most: int) -> None:
    """Which colour is which geometry, and what a mark is."""
    there = _named(one for told in drawn(sweep, most).values() for one in told)
    if not there:
        st.html(
            '<p class="iso-quiet">No run has told it yet: squared norms are needed at 8 evaluations or more, or the measure noise or '
            "update_noise in the sweep's JSON.</p>"
        )
        return
    marks = "".join(
        f'<span style="white-space:nowrap;margin-right:1.2em"><b style="color:{theme.CATEGORICAL[k % len(theme.CATEGORICAL)]}" '
        f'aria-hidden="true">&#9679;</b> {escape(name)}</span>'
        for k, name in enumerate(there)
    )
    st.html(f'<p class="iso-quiet">{marks} Tokens against loss, 95 %; an arrow has no upper end.</p>')


def panels(sweep: Sweep, most: int) -> Panels:
    """A panel for each of the first runs that tell a noise scale, all on the same axes."""
    found = drawn(sweep, most)
    if not found:
        return []
    runs = {run.key: run for run in sweep.runs}
    names = _named(one for each in found.values() for one in each)
    every = [one for each in found.values() for one in each]
    losses = np.concatenate([one.losses for one in every])
    ends = np.concatenate([end for one in every for end in (one.scale.value, one.scale.low, one.scale.high)])
    known = ends[np.isfinite(ends) & (ends > 0)]
    yr = [float(known.min()), float(known.max())] if len(known) else [1.0, 10.0]
    room = max(0.05 * (losses.max() - losses.min()), 0.05)
    return [
        {
            "key": f"noise-{run.key}", "title": run.label, "words": "; ".join(map(latest, found[run.key])), "tone": "",
            "said": f"Noise scale of {run.label} against its loss: {'; '.join(map(latest, found[run.key]))}", "wide": False, "height": 180,
            "x": {"label": "Loss", "log": False, "kind": "loss", "range": [float(losses.min() - room), float(losses.max() + room)]},
            "y": {"label": "Noise scale, tokens", "log": True, "kind": "count", "range": yr if yr[1] > yr[0] else [yr[0] / 2, 2 * yr[0]]},
            "series": [mark for one in found[run.key] for mark in _marks(run, one, names.index(name_of(one)), yr)],
        }
        for run in map(runs.__getitem__, found)
    ]  # fmt: skip


def name_of(one: RunNoise) -> str:
    """A noise scale's geometry, and what it is from."""
    return f"{one.geometry}, from {one.of}"


def latest(one: RunNoise) -> str:
    """The noise scale at the lowest loss, in words."""
    k = int(np.argmin(one.losses))
    return f"{one.geometry} {batch_noise.worded(*_ends(one, k))} at {one.losses[k]:.3g}"


def _marks(run: Run, one: RunNoise, place: int, yr: Sequence[float]) -> Panels:
    out: Panels = []
    for k, loss in enumerate(one.losses):
        value, low, high = _ends(one, k)
        if not low > 0 and not math.isfinite(high):
            continue
        said = f"{run.label}\n{name_of(one)}\n{batch_noise.worded(value, low, high, 'tokens')} at a loss of {loss:.3g}"
        open_end = not math.isfinite(high)
        top = yr[1] if open_end else high
        at = value if math.isfinite(value) and value > 0 else max(low, yr[0])
        bottom = max(low, yr[0])
        out.append({"kind": "interval", "x": float(loss), "value": at, "low": bottom, "high": max(top, at), "open": open_end, "tone": place,
                    "said": said})  # fmt: skip
    return out


def _ends(one: RunNoise, k: int) -> tuple[float, float, float]:
    band = one.scale
    return float(band.value[k]), float(band.low[k]), float(band.high[k])


def _named(found: Iterable[RunNoise]) -> list[str]:
    return list(dict.fromkeys(name_of(one) for one in found))
