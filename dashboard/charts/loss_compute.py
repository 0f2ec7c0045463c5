"""Loss against compute: the runs, one curve for each of a few sizes, and the best that any budget buys, with its band.

A law of one input alone is drawn against that input, with its band. The data's range is clear and what lies beyond the
largest run is hatched, because there the law speaks without a run to check it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go

from dashboard import numbers, parameters
from dashboard.charts import marks, theme
from dashboard.charts.drawing import Drawing
from dashboard.symbols import input_title, output_kind
from data.schema import Runs
from fitting import Band, Fit, FitError, Law, all_laws, plan
from fitting.band import LEVEL
from fitting.held_out import HeldOut
from fitting.law import LOSS

WORDS = {"flops": "FLOP", "params": "parameters", "tokens": "tokens"}
BEYOND = 0.45  # how much of the data's own width is drawn past the largest run, in decades of the input
LEAST_BEYOND, MOST_BEYOND = 1.0, 3.0
NODES = 61
MOST_CURVES = 8
CROWD = 1.6  # runs above this many times the 90th percentile of the losses are drawn at the edge
LABEL_GAP = 0.045  # of the axis: two names of curves closer than this would touch


@dataclass(frozen=True)
class Frame:
    """The window drawn: ends of the horizontal axis in decades, the largest run on it, ends of the loss axis."""

    left: float
    right: float
    largest: float
    bottom: float
    top: float
    log_loss: bool

    def share(self, loss: float) -> float:
        """How far up the loss axis a loss stands, 0 to 1."""
        if self.log_loss:
            return math.log(loss / self.bottom) / math.log(self.top / self.bottom)
        return (loss - self.bottom) / (self.top - self.bottom)

    @property
    def edge(self) -> float:
        """Where a run above the window is drawn, so that its mark is whole."""
        share = 0.985
        if self.log_loss:
            return self.bottom * (self.top / self.bottom) ** share
        return self.bottom + share * (self.top - self.bottom)

    def place(self, loss: float) -> float:
        """A loss as annotations and ranges of the axis want it."""
        return math.log10(loss) if self.log_loss else loss


def across(law: Law) -> str:
    """The input the picture runs along: compute for a law of size and data, else the law's own first input."""
    return "flops" if {"params", "tokens"} <= set(law.inputs) else law.inputs[0]


def figure(
    runs: Runs, law: Law, fit: Fit | None = None, *, floor: float | None = None, apart: HeldOut | None = None
) -> go.Figure:
    """The main picture of a fit; of the runs alone where `fit` is None. `floor` is the true floor where it is known, `apart`
    are the runs held out beside their forecasts.

    Raises ValueError when no run has the input that the law is drawn along.
    """
    x = across(law)
    drawn = marks.split(runs, x, fit, law.output)
    if not len(drawn.used) and not len(drawn.unused):
        raise ValueError(f"no run has {x}")
    frame = _frame(drawn, x, fit, floor)
    out = theme.blank(520)
    out.update_layout(
        legend=LEGEND,
        showlegend=True,
        margin={"r": 56 if fit and ("params" in law.inputs or len(law.inputs) == 2) else 12},
    )
    out.update_xaxes(**theme.log_axis(10**frame.left, 10**frame.right, input_title(x), kind=_said(x), pad=0.0))
    if frame.log_loss:
        out.update_yaxes(**theme.log_axis(frame.bottom, frame.top, law.output.axis, kind="plain", pad=0.0))
    else:
        out.update_yaxes(title={"text": law.output.axis}, type="linear", range=[frame.bottom, frame.top])
    if fit is not None:
        _beyond(out, frame, x, "largest run fitted" if len(drawn.held) else "largest run", x in law.output.rises)
        _floors(out, frame, fit, floor)
        sized = set(law.inputs) == {"params", "tokens"}
        if sized:
            _sizes(out, frame, fit, drawn)
        if law.own_columns and len(law.inputs) == 2:
            _others(out, frame, fit, x, drawn)
        if sized or law.inputs == (x,):  # a law of more than size and data has no one curve along compute
            _law(out, frame, fit, x, floor)
    if apart is not None and len(drawn.held):
        marks.forecasts(out, apart, drawn.held, x, frame.edge)
    marks.draw(out, drawn, x, frame.edge, key=x != "params" and not (fit and {"params", "tokens"} <= set(law.inputs)))
    return out.figure()


def unfitted(runs: Runs, law: Law | None) -> go.Figure | None:
    """The runs alone, along the input that `law` wants or, where no run has it, any that they have; None if none."""
    laws = [*([law] if law else []), *all_laws().values()]
    for candidate in laws:
        try:
            return figure(runs, candidate)
        except ValueError:
            continue
    return None


LEGEND = {
    "orientation": "h",
    "x": 0,
    "y": 1.0,
    "xanchor": "left",
    "yanchor": "bottom",
    "itemclick": False,
    "itemdoubleclick": False,
    "font": {"size": 12},
    "traceorder": "normal",
}


def _frame(drawn: marks.Split, x: str, fit: Fit | None, floor: float | None) -> Frame:
    values = np.log10(np.concatenate([drawn.used[x], drawn.unused[x]]).astype(float))
    low, high = float(values.min()), float(values.max())
    width = max(high - low, 0.5)
    room = float(np.clip(BEYOND * width, LEAST_BEYOND, MOST_BEYOND)) if fit else 0.04 * width
    y = drawn.height.column
    loss = np.concatenate([drawn.used[y], drawn.unused[y]]).astype(float)
    held = drawn.held[[x, y]].to_numpy(float) if len(drawn.held) else np.empty((0, 2))
    right = max([high + room, *(np.log10(held[:, 0]) + 0.04 * width)])
    # A run that blew up must not flatten the others: it stands at the edge instead.
    if drawn.height.column == LOSS.column:
        loss = loss[loss <= CROWD * np.quantile(loss, 0.9)]
    least, most = float(min([loss.min(), *held[:, 1]])), float(loss.max())
    if fit is not None:
        tip, *_ = _best(fit, x, (10**right,))
        if np.isfinite(tip.value[0]):  # a law that dives leaves the window before it squashes the runs
            least = min(least, max(float(tip.value[0]), least - 0.7 * (most - least), 0.1 * least))
        if fit.law.own_columns:  # which may rise: its curves are seen from end to end, unless that squashes the runs
            others = {name: drawn.used[name].to_numpy(float) for name in fit.law.inputs}
            ends = [fit.law({**others, x: 10**end}, fit.params) for end in (low - 0.04 * width, right)]
            least = min(least, max(float(np.min(ends)), 0.25 * least))
            most = max(most, min(float(np.max(ends)), 4 * most))
    span = most - least if most > least else 0.1 * most
    for known in (floor, _fitted_floor(fit)):
        # A floor far below the runs would squash them, and one of zero is none.
        if known is not None and most > known > max(least - 0.5 * span, 0.1 * least):
            least = min(least, known)
    log_loss = most / least > 4 or (fit is not None and bool(fit.law.own_columns) and fit.law.is_power)
    if log_loss:
        room_up = (most / least) ** 0.06
        return Frame(low - 0.04 * width, right, high, least / room_up, most * room_up, True)
    pad = 0.07 * (most - least or most)
    return Frame(low - 0.04 * width, right, high, max(least - pad, 0.0), most + pad, False)


@lru_cache(maxsize=16)  # two for each fit that is looked at: a page draws it anew with every press
def _best(fit: Fit, x: str, at: tuple[float, ...]) -> tuple[Band, np.ndarray | None, np.ndarray | None]:
    """The law's loss along the picture's input (K,); for a law of size and data that of the plan at each budget, with its
    parameters and tokens (K,), where it says them."""
    if fit.law.inputs == (x,):
        return fit.predict(level=LEVEL, of="law", **{x: np.array(at)}), None, None
    try:
        best = plan(fit, flops=np.array(at))
    except FitError:  # a law of more than size and data has no one curve along compute
        missing = np.full(len(at), np.nan)
        return Band(missing, missing, missing, LEVEL), None, None
    params, tokens = (None if split is None else np.asarray(split.value) for split in (best.params, best.tokens))
    return best.loss, params, tokens


def _law(out: Drawing, frame: Frame, fit: Fit, x: str, floor: float | None) -> None:
    at = np.logspace(frame.left, frame.right, NODES)
    found, params, tokens = _best(fit, x, tuple(at.tolist()))
    band = found.above(floor)
    name = "best split of each budget" if params is not None else "the law"
    if np.all(np.isfinite(band.low)):
        marks.ribbon(out, at, band)
        name += f", {100 * band.level:g} % band"
        if np.any(band.low > found.low):
            name += " cut at the true floor"
    words = []
    for i, c in enumerate(at):
        value, interval = numbers.with_interval(
            band.value[i], band.low[i], band.high[i], output_kind(fit.law.output.column)
        )
        lines = [
            f"<b>{value}</b> {fit.law.output.unit} ({interval})",
            f"{numbers.say(c, _said(x))} {WORDS.get(x, input_title(x).lower())}",
        ]
        if params is not None and tokens is not None:
            n, d = numbers.count(params[i]), numbers.count(tokens[i])
            lines.append(f"best split: {n} parameters on {d} tokens")
        words.append("<br>".join(lines))
    out.add_scatter(
        x=at,
        y=band.value,
        mode="lines",
        name=name,
        line={"color": theme.LAW, "width": 3},
        text=words,
        hovertemplate="%{text}<extra></extra>",
    )


def _said(x: str) -> str:
    return "flop" if x == "flops" else "count"


def _sizes(out: Drawing, frame: Frame, fit: Fit, drawn: marks.Split) -> None:
    """One curve a size, in the size's colour, named at its right end."""
    least_tokens = fit.ranges["tokens"][0]
    ends, curves = [], []
    for size in handful(drawn.used["params"].to_numpy(float)):
        start = math.log10(float(fit.accounting.flops(size, least_tokens)))
        c = np.logspace(max(frame.left, start), frame.right, NODES)
        tokens = fit.accounting.tokens(c, size)
        loss = np.asarray(fit.law({"params": size, "tokens": tokens}, fit.params), float)
        curves.append((size, c, tokens, loss))
        ends.append(frame.share(float(loss[-1])))
    named = apart(ends)
    for k, (size, c, tokens, loss) in enumerate(curves):
        said = numbers.count(size)
        # A pale casing keeps yellow readable on white and violet on black.
        out.add_scatter(
            x=c, y=loss, mode="lines", line={"color": theme.RIM, "width": 3}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        out.add_scatter(
            x=c,
            y=loss,
            mode="lines",
            name="one model size",
            showlegend=k == len(curves) // 2,
            line={"color": marks.colour(size, drawn.sizes), "width": 1.6},
            text=[
                f"{said} parameters on {numbers.count(d)} tokens<br>{numbers.flop(b)} FLOP, loss {numbers.loss(y)}"
                for b, d, y in zip(c, tokens, loss, strict=True)
            ],
            hovertemplate="%{text}<extra></extra>",
        )
        if k in named:
            out.add_annotation(
                xref="paper", x=1, y=frame.place(float(loss[-1])), text=said, showarrow=False,
                xanchor="left", xshift=5, font={"size": 11},
            )  # fmt: skip


def _others(out: Drawing, frame: Frame, fit: Fit, x: str, drawn: marks.Split) -> None:
    """A law of two inputs, one of them not that of the axis: a curve for each of a handful of its values, named at its right end or
    at the place further left where more of them lie inside and apart, or as many further apart."""
    (other,) = (name for name in fit.law.inputs if name != x)
    at = np.logspace(frame.left, frame.right, NODES)
    values = handful(drawn.used[other].to_numpy(float))
    curves = [np.asarray(fit.law({x: at, other: value}, fit.params), float) for value in values]
    shares = {
        end: [frame.share(float(curve[end])) for curve in curves]
        for end in (-1, *range(7 * NODES // 8, 0, -(NODES // 8)))
    }
    end = max(shares, key=lambda end: (len(apart(shares[end])), max(shares[end]) - min(shares[end])))
    named = apart(shares[end])
    for k, (value, curve) in enumerate(zip(values, curves, strict=True)):
        said = numbers.say(value, "count")
        out.add_scatter(
            x=at, y=curve, mode="lines", name=f"the law at one value of {other}", showlegend=not k,
            line={"color": theme.LAW, "width": 1.6}, hovertemplate=f"{other} {said}<extra></extra>",
        )  # fmt: skip
        if k in named:
            out.add_annotation(
                x=math.log10(at[end]), y=frame.place(float(curve[end])), text=said, showarrow=False, font={"size": 11},
                xanchor="left" if end < 0 else "center", xshift=5 if end < 0 else 0, yshift=0 if end < 0 else 9,
            )  # fmt: skip


def handful(sizes: np.ndarray) -> list[float]:
    """A readable handful of the sizes there are: all of up to eight, else those nearest to an even spread of log N."""
    held = np.unique(sizes)
    if len(held) <= MOST_CURVES:
        return [float(size) for size in held]
    wanted = np.linspace(np.log(held[0]), np.log(held[-1]), MOST_CURVES)
    nearest = np.abs(np.log(held)[:, None] - wanted).argmin(axis=0)
    return [float(size) for size in held[np.unique(nearest)]]


def apart(places: Sequence[float]) -> set[int]:
    """Which of these places on the axis (0 to 1, in order of size) can be named without touching: the ends come first."""
    inside = [k for k, place in enumerate(places) if 0 <= place <= 1]
    taken: set[int] = set()
    for k in dict.fromkeys([*inside[-1:], *inside]):
        if all(abs(places[k] - places[other]) > LABEL_GAP for other in taken):
            taken.add(k)
    return taken


def _fitted_floor(fit: Fit | None) -> float | None:
    found = [fit.params[p.name] for p in fit.law.params if p.is_floor] if fit else []
    return found[0] if found else None


def _floors(out: Drawing, frame: Frame, fit: Fit, true: float | None) -> None:
    """The fitted floor with its interval, and the true one where it is known; the legend says their numbers."""
    for p in fit.law.params:
        if not p.is_floor or not frame.bottom < fit.params[p.name] < frame.top:
            continue
        band = fit.interval(p.name)
        value, interval = parameters.said(fit, p.name, "loss")
        if math.isfinite(band.low) and math.isfinite(band.high):
            out.add_shape(
                type="rect", xref="paper", x0=0, x1=1, y0=max(band.low, frame.bottom), y1=band.high,
                fillcolor=theme.BAND_WIDE, line={"width": 0}, layer="below",
            )  # fmt: skip
        _level(out, frame, band.value, f"fitted floor {value} ({interval})", theme.LAW, "dot")
    if true is not None and frame.bottom < true < frame.top:
        _level(out, frame, true, f"true floor {true:.6g}", theme.CATEGORICAL[1], "dash")


def _level(out: Drawing, frame: Frame, loss: float, name: str, colour: str, dash: str) -> None:
    """A level line across the window, and on when somebody zooms out."""
    ends = [10 ** (frame.left - 4), 10 ** (frame.right + 4)]
    line = {"color": colour, "width": 1.8, "dash": dash}
    out.add_scatter(x=ends, y=[loss, loss], mode="lines", name=name, line=line, hoverinfo="skip")


def _beyond(out: Drawing, frame: Frame, x: str, what: str, rises: bool) -> None:
    """Hatching over what lies past the largest run, and the words for it, where the law is not."""
    far = frame.right + 4  # still hatched when somebody zooms out
    bottom, top = (frame.bottom / 10, frame.top * 10) if frame.log_loss else (frame.bottom - 20, frame.top + 20)
    out.add_scatter(
        x=[10**frame.largest, 10**far, 10**far, 10**frame.largest],
        y=[bottom, bottom, top, top],
        mode="lines",
        fill="toself",
        fillcolor="rgba(0,0,0,0)",
        fillpattern={"shape": "/", "size": 7, "solidity": 0.12, "fgcolor": theme.GUIDE, "bgcolor": "rgba(0,0,0,0)"},
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    largest = 10**frame.largest
    said = numbers.say(largest, _said(x))
    out.add_annotation(
        xref="paper", yref="paper", x=1, y=0 if rises else 1, showarrow=False, xanchor="right", align="right", xshift=-8,
        text=f"beyond the {what}<br>over {said} {WORDS.get(x, input_title(x).lower())}",
        yanchor="bottom" if rises else "top", yshift=6 if rises else -6,
        font={"size": 11},
    )  # fmt: skip
