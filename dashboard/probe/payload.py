"""A sweep as panels of the live chart: the plane with its runs, and a curve for each of the first of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dashboard import numbers
from dashboard.charts import plane, theme
from dashboard.probe.watching import ACTIVE, ORDER, WORDS, Run, Sweep
from data.probe.cost import FLOP
from data.probe.schedule import planned

if TYPE_CHECKING:
    from fitting.band import Band
    from fitting.in_flight import InFlight

MOST_PANELS = 12
MOST_OTHERS = 600  # runs of the current set on the plane
MOST_POINTS = 80  # of a curve
TONES = {"failed": "bad", "diverged": "bad", "cancelled": "note", "lost": "note", "done": "good"}
CROSSED = ("failed", "diverged", "cancelled")  # states whose runs are crosses on the plane
Panels = list[dict[str, Any]]


def the_plane(sweep: Sweep, others: pd.DataFrame | None = None) -> dict[str, Any]:
    """The plane of size and tokens: rings for runs to come, filling while they run, in the colour of their loss when done."""
    runs = sweep.runs
    n, d = [float(r.spec.counts.nonembed) for r in runs], [float(planned(r.spec).tokens) for r in runs]
    around = near(others, n, d)
    across, up = [*n, *around["params"]], [*d, *around["tokens"]]
    xr, yr = apart([min(across), max(across)]), apart([min(up), max(up)])
    series: Panels = [*budgets(xr, yr)]
    if len(around):
        said = [
            f"{run}\n{_place(a, b)}"
            for run, a, b in zip(around["run"], around["params"], around["tokens"], strict=True)
        ]
        series.append({"kind": "others", "x": list(around["params"]), "y": list(around["tokens"]), "said": said})
    series.append(
        {
            "kind": "runs",
            "x": n,
            "y": d,
            "state": [run.state for run in runs],
            "progress": [run.progress for run in runs],
            "shade": shades(runs),
            "said": [pointed(run) for run in runs],
        }
    )
    return {
        "key": "plane",
        "title": "",
        "words": ("Rings are runs to come. " if any(sweep.counts[state] for state in ACTIVE) else "")
        + "A finished run has the colour of its loss, yellow for the lowest."
        + (" It is the mean over all pools, whatever a run's mix." if sweep.mixed else "")
        + (" A cross is a run that ended otherwise." if any(sweep.counts[state] for state in CROSSED) else "")
        + (" Grey rings are the runs of the current set." if len(around) else ""),
        "said": f"{len(runs)} runs by parameters and tokens, {sweep.done} of them done",
        "wide": True,
        "height": 430,
        "x": {"label": "Parameters without embeddings", "log": True, "kind": "count", "range": xr},
        "y": {"label": "Training tokens", "log": True, "kind": "count", "range": yr},
        "series": series,
    }


def near(others: pd.DataFrame | None, n: Sequence[float], d: Sequence[float]) -> pd.DataFrame:
    """The runs of another set that stand beside these sizes and tokens."""
    if others is None or not {"params", "tokens", "run"} <= set(others):
        return pd.DataFrame({"run": [], "params": [], "tokens": []})
    there = others[plane.positive(others["params"]) & plane.positive(others["tokens"])]
    kept = plane.near(there, pd.DataFrame({"params": n, "tokens": d}))
    return there.loc[kept, ["run", "params", "tokens"]].astype({"run": str}).head(MOST_OTHERS)


def budgets(xr: Sequence[float], yr: Sequence[float]) -> Panels:
    """Lines of equal 6ND through the plane, each by two of its points: the chart draws them to its edges and names them there."""
    found = theme.budgets(math.log10(6 * xr[0] * yr[0]), math.log10(6 * xr[1] * yr[1]))
    return [
        {
            "kind": "guide",
            "x": list(xr),
            "y": [10.0**at / 6 / x for x in xr],
            "name": f"{theme.power_of_ten(10.0**at)} FLOP",
        }
        for at in found
    ]


def curves(sweep: Sweep, told: Mapping[str, InFlight], most: int = MOST_PANELS) -> Panels:
    """A panel for each of the first runs in order of state, with the others' curves faint behind it, all on the same axes."""
    started = [run for run in sorted(sweep.runs, key=lambda run: ORDER.index(run.state)) if run.losses][:most]
    everything = [pair for run in sweep.runs for pair in run.losses]
    if not started:
        return []
    xr = [min(t for t, _ in everything), max(planned(run.spec).tokens for run in sweep.runs)]
    losses = np.array([loss for _, loss in everything])
    yr = [float(losses.min()), float(np.quantile(losses, 0.97))]
    behind = [{"kind": "context", **xy(run.losses)} for run in sweep.runs if run.losses]
    return [
        {
            "key": run.key,
            "title": run.label,
            "words": words(run, told.get(run.key)),
            "tone": tone(run, told.get(run.key)),
            "said": f"Held-out loss of {run.label} against tokens: {words(run)}",
            "wide": False,
            "height": 150,
            "x": {"label": "Tokens", "log": True, "kind": "count", "range": apart(xr)},
            "y": {
                "label": "Loss",
                "log": False,
                "kind": "loss",
                "range": yr if yr[1] > yr[0] else [yr[0] - 0.1, yr[0] + 0.1],
            },
            "series": [
                *behind,
                *forecast(run, told.get(run.key)),
                {
                    "kind": "line",
                    **xy(run.losses),
                    "said": [
                        f"{run.label}\nloss {loss:.3f} at {numbers.count(t)} tokens" for t, loss in thin(run.losses)
                    ],
                },
            ],
        }
        for run in started
    ]


def forecast(run: Run, found: InFlight | None) -> Panels:
    """The band in which a run in flight should lie, and the final loss that it is heading for or that the law says."""
    if found is None:
        return []
    out: Panels = []
    if found.path is not None:
        xs = np.asarray(found.shares, float) * float(planned(run.spec).tokens)
        low, high = (np.atleast_1d(np.asarray(end, float)) for end in (found.path.low, found.path.high))
        out.append({"kind": "band", "x": xs.tolist(), "low": low.tolist(), "high": high.tolist()})
    end = found.projected or found.final
    if end is not None:
        said = f"{run.label}\n{found.sentence}"
        out.append({"kind": "interval", "x": float(planned(run.spec).tokens), "said": said, **_ends(end)})
    return out


def _ends(band: Band) -> dict[str, float]:
    return {name: float(np.asarray(getattr(band, name)).ravel()[0]) for name in ("value", "low", "high")}


def tone(run: Run, found: InFlight | None) -> str:
    """Whether what is said of a run is good news."""
    if found is not None and found.status:
        return "good" if found.status == "on track" else "note"
    return TONES.get(run.state, "")


def words(run: Run, found: InFlight | None = None) -> str:
    """How a run stands, in a few words beside its name; of one in flight first whether it is where the law says."""
    if found is not None and found.status:
        return f"{found.status}; {words(run)}"
    loss = "" if run.loss is None else f"loss {run.loss:.3f}"
    if run.state == "running" and run.progress >= 1.0:
        return f"finishing{f', {loss}' if loss else ''}"
    if run.state == "running":
        left = f", {numbers.roughly(run.left)} left" if run.left is not None else ""
        return f"{numbers.percent(run.progress)}{left}" + (f", {loss}" if loss else "")
    return loss if run.state == "done" else f"{WORDS[run.state].lower()}{f', {loss}' if loss else ''}"


def shades(runs: Sequence[Run]) -> list[float | None]:
    """Where each loss lies between the lowest and the highest that finished runs have, 0 to 1; None for a run without."""
    logs = {run.key: math.log(run.loss) for run in runs if run.state == "done" and run.loss and run.loss > 0}
    if not logs:
        return [None] * len(runs)
    low, high = min(logs.values()), max(logs.values())
    return [
        None if run.key not in logs else (logs[run.key] - low) / (high - low) if high > low else 0.5 for run in runs
    ]


def pointed(run: Run) -> str:
    """What is said of a run that is pointed at."""
    lines = [
        run.label,
        _place(float(run.spec.counts.nonembed), float(planned(run.spec).tokens)),
        f"{WORDS[run.state]}, {words(run)}",
    ]
    if run.sentence and run.state != "done":
        lines.append(run.sentence)
    return "\n".join(line for line in lines if line)


def _place(n: float, d: float) -> str:
    return f"{numbers.count(n)} parameters, {numbers.count(d)} tokens, {theme.power_of_ten(6 * n * d)} {FLOP}"


def xy(pairs: Sequence[tuple[float, float]]) -> dict[str, list[float]]:
    """A curve as a series' coordinates."""
    kept = thin(pairs)
    return {"x": [x for x, _ in kept], "y": [y for _, y in kept]}


def thin(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """So many points at most, the ends among them."""
    if len(pairs) <= MOST_POINTS:
        return list(pairs)
    places = np.unique(np.linspace(0, len(pairs) - 1, MOST_POINTS).astype(int))
    return [pairs[k] for k in places]


def apart(span: Sequence[float]) -> list[float]:
    """A range of a logarithmic axis that has some width."""
    low, high = span
    return [low, high] if high > 1.2 * low else [low / 1.5, high * 1.5]
