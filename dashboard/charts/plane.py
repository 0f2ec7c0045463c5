"""The plane of model size and training tokens: where the runs lie, what they cost, how low they came."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from data.schema import HELD_OUT

CORNER = 0.06  # of the width, about half a budget's name
INPUTS = {"params": "Parameters", "tokens": "Training tokens", "flops": "Training compute, FLOP"}
NEAR = 1.5  # decades from a run to be made up to which other runs are shown beside it
FAR = 3.0  # decades beyond the runs that are used up to which one set aside still stretches the axes
MANY = 1500  # points from which the browser draws on its graphics card


def axes(*frames: pd.DataFrame) -> tuple[str, str] | None:
    """The columns the plane has: size and tokens, or the one input there is against the loss; None where none is."""
    have = [name for name in INPUTS if any(name in frame and positive(frame[name]).any() for frame in frames)]
    if "params" in have and "tokens" in have:
        return "params", "tokens"
    return (have[0], "loss") if have else None


def positive(column: pd.Series) -> np.ndarray:
    """Which values can stand on a logarithmic axis, (n,) bool."""
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    with np.errstate(invalid="ignore"):
        return np.isfinite(values) & (values > 0)


def proposed(rings: pd.DataFrame, kept: pd.DataFrame) -> go.Figure:
    """Runs to be made as rings among runs that are: `rings` has `run`, `params`, `tokens` and whether each is `known` already.

    Runs further than `NEAR` decades from all rings are not drawn; how many those are is said.
    """
    x, y = "params", "tokens"
    every = _drawable(kept, x, y)
    here = every[near(every, rings)]
    drawn = theme.blank()
    drawn.update_layout(dragmode="pan")
    xs, ys = (_span(rings[name], here[name], NEAR) for name in (x, y))
    drawn.update_xaxes(
        **theme.log_axis(*xs, "Parameters without embeddings")
    )  # the rings' own; of other runs, what they have
    drawn.update_yaxes(**theme.log_axis(*ys, INPUTS[y]))
    _budgets(drawn, theme.spread(*xs), theme.spread(*ys))
    _kept(drawn, here, x, y)
    for known, symbol, said in ((False, "circle-open", "to be trained"), (True, "circle-open-dot", "launched before")):
        some = rings[rings["known"] == known]
        drawn.add_scatter(
            x=some[x],
            y=some[y],
            mode="markers",
            name=said,
            customdata=[
                [theme.plain(run), _said(n, x), _said(d, y), _said(6 * n * d, "flops")]
                for run, n, d in zip(some["run"], some[x], some[y], strict=True)
            ],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} parameters<br>%{customdata[2]} tokens<br>%{customdata[3]} FLOP (6ND)"
            f"<br><i>{said}</i><extra></extra>",
            marker={"size": 15, "symbol": symbol, "color": theme.LAW, "line": {"width": 2, "color": theme.LAW}},
        )  # fmt: skip
    _outside(drawn, len(every) - len(here), " of the current data")
    return drawn.figure()


def near(runs: pd.DataFrame, rings: pd.DataFrame) -> pd.Series:
    """Which runs lie within `NEAR` decades of the sizes and of the tokens of runs to be made, (n,) bool."""
    times, inside = 10.0**NEAR, pd.Series(True, index=runs.index)
    for name in ("params", "tokens"):
        inside &= runs[name].between(rings[name].min() / times, rings[name].max() * times)
    return inside


def figure(kept: pd.DataFrame, aside: pd.DataFrame, *, drag: str = "pan") -> go.Figure:
    """Runs as points coloured by loss, those held out open diamonds, those set aside hollow, budgets 6ND = 10^k as diagonals.

    The first item of every point's `customdata` is the run's name as it is: what a selection returns.
    `drag` is what dragging does: "pan" (a click selects), "lasso" or "select" (a box).
    """
    chosen = axes(kept, aside)
    if chosen is None:
        raise ValueError("the plane needs params, tokens or flops")
    x, y = chosen
    here, there = (_drawable(frame, x, y) for frame in (kept, aside))
    drawn = theme.blank()
    drawn.update_layout(dragmode=drag)
    xs, ys = (_span(here[name], there[name]) for name in (x, y))
    drawn.update_xaxes(**theme.log_axis(*xs, INPUTS[x], kind="flop" if x == "flops" else "count"))
    drawn.update_yaxes(
        **theme.log_axis(*ys, INPUTS.get(y, "Loss, nats per token"), kind="plain" if y == "loss" else "count")
    )
    if (x, y) == ("params", "tokens"):
        _budgets(drawn, theme.spread(*xs), theme.spread(*ys))
    held = here["role"] == HELD_OUT if "role" in here else np.zeros(len(here), dtype=bool)
    _aside(drawn, there, x, y)
    if held.any():
        _held(drawn, here[held], x, y)
    _kept(drawn, here[~held], x, y)
    _outside(drawn, int((~(there[x].between(*xs) & there[y].between(*ys))).sum()))
    return drawn.figure()


def _span(kept: pd.Series, aside: pd.Series, far: float = FAR) -> tuple[float, float]:
    """The least and the greatest value an axis must show: those used, and those set aside that are not far from them.

    One slip of the pen, 1e300 tokens, would press every other run into one point.
    """
    used, others = kept.to_numpy(dtype="float64"), aside.to_numpy(dtype="float64")
    if len(used) and len(others):
        logs = np.log10(others)
        near = (logs >= math.log10(used.min()) - far) & (logs <= math.log10(used.max()) + far)
        others = others[near]
    values = np.concatenate([used, others])
    return (float(values.min()), float(values.max())) if len(values) else (1.0, 10.0)


def _outside(drawn: Drawing, count: int, of: str = " set aside") -> None:
    """Say how many runs lie beyond the axes; those set aside are all in the table of them."""
    if count:
        what = f"1 run{of} lies" if count == 1 else f"{count:,} runs{of} lie"
        place = {"x": 1, "y": 0, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom"}
        drawn.add_annotation(
            text=f"{what} far outside", showarrow=False, opacity=theme.QUIET, font={"size": 11}, **place
        )


def _drawable(frame: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    if not {x, y} <= set(frame):
        return frame.iloc[:0].assign(**{x: np.nan, y: np.nan})
    return frame[positive(frame[x]) & positive(frame[y])]


def _kept(drawn: Drawing, runs: pd.DataFrame, x: str, y: str) -> None:
    loss = runs["loss"].to_numpy(dtype="float64")
    ranked = np.log(np.where(positive(runs["loss"]), loss, np.nan))
    low, high = _ends(ranked)
    drawn.add_scatter(
        type=_type(len(runs)),
        x=runs[x],
        y=runs[y],
        mode="markers",
        name="kept",
        customdata=_details(runs, x, y),
        hovertemplate=_hover(x, y, False),
        marker={
            "size": 10 if len(runs) <= 400 else 7,
            "color": ranked,
            "cmin": low,
            "cmax": high,
            "colorscale": theme.scale(backwards=True),
            "colorbar": theme.colourbar("Loss", _loss_ticks(low, high)),
            "showscale": bool(high > low),
            "line": {"width": 1, "color": theme.RIM},
        },
        **_unfaded(),
    )


def _aside(drawn: Drawing, runs: pd.DataFrame, x: str, y: str) -> None:
    drawn.add_scatter(
        type=_type(len(runs)),
        x=runs[x],
        y=runs[y],
        mode="markers",
        name="set aside",
        customdata=_details(runs, x, y),
        hovertemplate=_hover(x, y, True),
        marker={
            "size": 10,
            "symbol": "circle-open",
            "color": theme.HOLLOW,
            "line": {"width": 1.6, "color": theme.HOLLOW},
        },
        **_unfaded(),
    )


def _held(drawn: Drawing, runs: pd.DataFrame, x: str, y: str) -> None:
    drawn.add_scatter(
        type=_type(len(runs)),
        x=runs[x],
        y=runs[y],
        mode="markers",
        name=HELD_OUT,
        customdata=_details(runs, x, y),
        hovertemplate=_hover(x, y, False).replace("<extra>", "<br><i>held out of fits</i><extra>"),
        marker={
            "size": 12,
            "symbol": "diamond-open",
            "color": theme.HELD,
            "line": {"width": 2, "color": theme.HELD},
        },
        **_unfaded(),
    )


def _type(count: int) -> str:
    return "scattergl" if count > MANY else "scatter"


def _unfaded() -> dict[str, dict[str, dict[str, float]]]:
    """A selection acts at once, so what is not selected must not fade while it does."""
    return {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 0.55}}}


def _ends(values: np.ndarray) -> tuple[float, float]:
    """The 0 to 97th percentile: a few diverged runs must not use up the colours."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(np.quantile(finite, 0.97, method="lower"))) if len(finite) else (0.0, 0.0)


def _loss_ticks(low: float, high: float) -> theme.Ticks:
    values = np.linspace(low, high, 5)
    return list(values), [numbers.loss(math.exp(value)) for value in values]


def _details(runs: pd.DataFrame, x: str, y: str) -> list[list[str]]:
    count = len(runs)
    blank = pd.Series([""] * count, index=runs.index)
    flops = runs["flops"] if "flops" in runs else pd.Series(np.nan, index=runs.index)
    columns = zip(runs["run"], runs[x], runs[y], runs["loss"], flops, runs.get("reason", blank), strict=True)
    return [
        [
            str(run),
            theme.plain(run),
            _said(across, x),
            _said(up, y),
            _said(loss, "loss"),
            _said(flop, "flops"),
            theme.plain(why),
        ]
        for run, across, up, loss, flop, why in columns
    ]


def _said(value: float, column: str) -> str:
    kind = {"loss": "loss", "flops": "flop"}.get(column, "count")
    return numbers.say(float(value), kind) if value == value else numbers.MISSING


def _hover(x: str, y: str, aside: bool) -> str:
    words = {"params": "parameters", "tokens": "tokens", "flops": "FLOP", "loss": "loss"}
    lines = ["<b>%{customdata[1]}</b>", f"%{{customdata[2]}} {words[x]}"]
    if y != "loss":
        lines.append(f"%{{customdata[3]}} {words[y]}")
    lines.append("loss %{customdata[4]}" + ("" if x == "flops" else ", %{customdata[5]} FLOP"))
    if aside:
        lines.append("<i>set aside: %{customdata[6]}</i>")
    return "<br>".join(lines) + "<extra></extra>"


def _budgets(drawn: Drawing, across: tuple[float, float], up: tuple[float, float]) -> None:
    """Lines of equal compute by 6ND (Kaplan et al. 2020, arXiv 2001.08361, section 2.1)."""
    six = math.log10(6)
    least, most = across[0] + up[0] + six, across[1] + up[1] + six
    for budget in theme.budgets(least, most):
        log_nd = budget - six
        start, end = max(across[0], log_nd - up[1]), min(across[1], log_nd - up[0])
        drawn.add_shape(
            type="line",
            layer="below",
            line={"width": 1, "color": theme.GUIDE},
            x0=10**start,
            y0=10 ** (log_nd - start),
            x1=10**end,
            y1=10 ** (log_nd - end),
        )
        # A line that leaves at the top is named above the frame, one that leaves at the right inside it. A line across
        # a corner stays without a name: its neighbours say enough.
        top, right = log_nd - start >= up[1] - 1e-9, end >= across[1] - 1e-9
        if top:
            if across[1] - start < CORNER * (across[1] - across[0]):
                continue  # half of its name would be cut off
            place = {"x": start, "y": 1, "yref": "paper", "xanchor": "center", "yanchor": "bottom"}
        elif right:
            place = {"x": end, "y": log_nd - end, "xanchor": "right", "yanchor": "top", "yshift": -1}
        else:
            continue
        text = f"{theme.power_of_ten(10.0**budget)} FLOP"
        drawn.add_annotation(text=text, showarrow=False, opacity=theme.QUIET, font={"size": 11}, **place)
