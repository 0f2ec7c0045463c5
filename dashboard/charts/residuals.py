"""What the law leaves over, run by run, against one input at a time: a trend here is something the law does not know."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard.charts import marks, theme
from dashboard.charts.plane import positive
from dashboard.symbols import input_title
from data.schema import Runs
from fitting import Fit

KINDS = {"ratio": "plain", "flops": "flop"}
HEIGHT = 270
EDGE = 0.96  # of the axis: where a run beyond it is drawn, so that its triangle is whole
NEIGHBOURS = 0.6  # share of the runs that weigh in at each place of the smoother
FEWEST = 8  # runs below which a smoother would only draw the noise


def inputs(runs: Runs, fit: Fit) -> list[str]:
    """What the residuals can be drawn against: size, data and their ratio where the runs have them, else compute.

    Those of a law with columns of its own, against its inputs.
    """
    if fit.law.own_columns:
        return list(fit.law.inputs)
    have = [x for x in ("params", "tokens") if x in runs.kept and positive(runs.kept[x]).any()]
    if len(have) == 2:
        return [*have, "ratio"] if fit.law.inputs != ("flops",) else ["flops", *have]
    return [*have, *(["flops"] if "flops" in runs.kept and positive(runs.kept["flops"]).any() else [])]


def reach(fit: Fit) -> float:
    """The end of the residuals' axis, in percent either way: all runs, but for those many deviations off."""
    size = 100 * np.abs(fit.residuals)
    spread = 100 * 1.4826 * float(np.median(np.abs(fit.residuals - np.median(fit.residuals))))
    most = float(size.max())
    return 1.15 * (min(most, 8 * spread) if spread > 0 and most > 16 * spread else most) or 1e-6


def figure(runs: Runs, fit: Fit, against: str) -> go.Figure:
    """The residuals, in percent of the loss, against one of `inputs`; runs beyond `reach` stand at the edge as triangles."""
    kept = runs.kept
    if {"params", "tokens"} <= set(kept):
        kept = kept.assign(ratio=kept["tokens"] / kept["params"])
    rows = marks.beside(kept, fit)
    rows = rows[rows["above"].notna() & positive(rows[against])]
    title = "Tokens per parameter" if against == "ratio" else input_title(against)
    out = theme.blank(HEIGHT)
    out.update_layout(margin={"t": 28})
    end = reach(fit)
    out.update_yaxes(range=[-end, end], ticksuffix=" %", nticks=5, title=None)
    out.add_annotation(
        xref="paper", yref="paper", x=0, y=1, text=f"{fit.law.output.title.lower()} above the law", showarrow=False, xanchor="left",
        yanchor="bottom", yshift=4, font={"size": 12},
    )  # fmt: skip
    out.add_shape(type="line", xref="paper", x0=0, x1=1, y0=0, y1=0, line={"color": theme.LAW, "width": 1.6})
    if not len(rows):
        return out.figure()
    x, y = rows[against].to_numpy(float), 100 * rows["above"].to_numpy(float)
    out.update_xaxes(**theme.log_axis(float(x.min()), float(x.max()), title, kind=KINDS.get(against, "count")))
    symbol = np.where(y > end, "triangle-up", np.where(y < -end, "triangle-down", "circle"))
    out.add_scatter(
        x=x,
        y=np.clip(y, -EDGE * end, EDGE * end),
        mode="markers",
        name="runs",
        marker={
            **marks.shade(rows, marks.sizes(kept)),
            "symbol": symbol,
            "size": 7,
            "line": {"width": 1, "color": theme.RIM},
        },
        text=marks.words(rows, fit.law.output),
        hovertemplate="%{text}<extra></extra>",
        cliponaxis=False,
    )
    line = smooth(np.log(x), y)
    if line is not None:
        out.add_scatter(
            x=np.exp(line[0]),
            y=line[1],
            mode="lines",
            name="trend",
            line={"color": theme.CATEGORICAL[1], "width": 2.2},
            hoverinfo="skip",
        )
    return out.figure()


def smooth(x: np.ndarray, y: np.ndarray, places: int = 40) -> tuple[np.ndarray, np.ndarray] | None:
    """A local straight line through (x, y), (places,) each: tricube weights over the nearest runs, and once more with
    far-off runs weighed down (Cleveland 1979, robust locally weighted regression). None for fewer than 8 runs or 4 places.
    """
    if len(x) < FEWEST or len(np.unique(np.round(x, 6))) < 4:
        return None
    at = np.linspace(x.min(), x.max(), places)
    near = min(len(x), max(FEWEST - 2, int(np.ceil(NEIGHBOURS * len(x)))))
    trust = np.ones(len(x))
    for _ in range(2):
        left = y - np.interp(x, at, _local(x, y, at, near, trust))
        scale = 6 * float(np.median(np.abs(left))) or 1.0
        trust = np.clip(1 - (left / scale) ** 2, 1e-9, None) ** 2
    return at, _local(x, y, at, near, trust)


def _local(x: np.ndarray, y: np.ndarray, at: np.ndarray, near: int, trust: np.ndarray) -> np.ndarray:
    values = np.empty(len(at))
    least = 0.05 * float(np.ptp(x))
    for i, centre in enumerate(at):
        away = np.abs(x - centre)
        width = 1.0001 * max(float(np.partition(away, near - 1)[near - 1]), least)
        w = np.clip(1 - (away / width) ** 3, 0, None) ** 3 * trust
        total = w.sum()
        mean_x, mean_y = w @ x / total, w @ y / total
        spread = w @ (x - mean_x) ** 2
        slope = w @ ((x - mean_x) * (y - mean_y)) / spread if spread > 1e-12 * total else 0.0
        values[i] = mean_y + slope * (centre - mean_x)
    return values
