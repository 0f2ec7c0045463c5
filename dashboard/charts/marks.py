"""Runs as marks on a figure of the loss: those a fit used in the colour of their size, the others small, set-aside ones hollow."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dashboard import numbers
from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from dashboard.charts.plane import MANY, positive
from dashboard.symbols import output_kind
from data.schema import HELD_OUT, Runs
from fitting import Band, Fit
from fitting.held_out import HeldOut
from fitting.law import LOSS, Output

BESIDE, AFTER = 1001, 1002  # places in a legend whose other entries have 1000


@dataclass(frozen=True)
class Split:
    """The runs that can stand on the axes: used by the fit, kept but not used, set aside, and held out; `sizes` as below.

    `height` is what stands on the vertical axis: the column of each frame that holds it, and its title.
    """

    used: pd.DataFrame
    unused: pd.DataFrame
    aside: pd.DataFrame
    sizes: tuple[float, float] | None
    height: Output = LOSS
    held: pd.DataFrame = field(default_factory=pd.DataFrame)


def split(runs: Runs, x: str, fit: Fit | None = None, height: Output = LOSS) -> Split:
    """The runs by what the fit did with them; every run that is not held out counts as used where there is no fit."""
    kept = beside(_placed(runs.fitted.kept, x, height.column), fit)
    used = np.ones(len(kept), bool) if fit is None else kept["above"].notna().to_numpy()
    aside, held = (_placed(frame, x, height.column) for frame in (runs.set_aside, runs.held_out))
    return Split(kept[used], kept[~used], aside, sizes(kept), height, held)


def beside(frame: pd.DataFrame, fit: Fit | None) -> pd.DataFrame:
    """The rows with a column `above`: the share of its loss by which a run lies above the law, missing where not used."""
    if fit is None:
        return frame.assign(above=np.nan)
    residual = dict(zip(fit.runs, fit.residuals, strict=True))
    return frame.assign(above=frame["run"].astype(str).map(residual).astype(float))


def sizes(frame: pd.DataFrame) -> tuple[float, float] | None:
    """The ends of the colour map, in parameters; None where sizes are not known or all the same."""
    if "params" not in frame or not positive(frame["params"]).any():
        return None
    values = frame["params"].to_numpy(float)[positive(frame["params"])]
    return (float(values.min()), float(values.max())) if values.max() > values.min() else None


def shade(rows: pd.DataFrame, ends: tuple[float, float] | None) -> dict[str, Any]:
    """A marker's colours by log N, or the law's own colour where sizes are not known."""
    if ends is None:
        return {"color": theme.LAW}
    low, high = np.log(ends)
    return {"color": np.log(rows["params"].to_numpy(float)), "cmin": low, "cmax": high, "colorscale": theme.scale()}


def _placed(frame: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    if x not in frame or y not in frame:
        return frame.iloc[:0].assign(**{x: np.array([], float), y: np.array([], float)})
    return frame[positive(frame[x]) & positive(frame[y])]


def draw(out: Drawing, runs: Split, x: str, top: float, *, key: bool = False) -> None:
    """Add the marks to a figure whose loss axis ends at `top`; runs above it stand at its edge as triangles.

    `key` adds a colour bar, for figures on which no curve names the sizes.
    """
    if len(runs.aside):
        line = {"width": 1.5, "color": theme.HOLLOW}
        _add(
            out, runs.aside, x, runs.height, top, "set aside", {"size": 9, "color": theme.HOLLOW, "line": line}, "-open"
        )
    if len(runs.unused):
        _add(
            out,
            runs.unused,
            x,
            runs.height,
            top,
            "not used by this law",
            {"size": 5, "color": theme.HOLLOW, "opacity": 0.75},
        )
    if len(runs.held):
        line = {"width": 2, "color": theme.HELD}
        _add(out, runs.held, x, runs.height, top, HELD_OUT, {"size": 11, "color": theme.HELD, "line": line}, "-open")
    if len(runs.used):
        marker = {**shade(runs.used, runs.sizes), "size": 6 if len(runs.used) > 400 else 9}
        if key and runs.sizes is not None:
            values, texts = theme.log_ticks(*runs.sizes)
            marker |= {"colorbar": theme.colourbar("Parameters", (list(np.log(values)), texts)), "showscale": True}
        _add(out, runs.used, x, runs.height, top, "runs", {**marker, "line": {"width": 1, "color": theme.RIM}})


def _add(
    out: Drawing,
    rows: pd.DataFrame,
    x: str,
    height: Output,
    top: float,
    name: str,
    marker: dict[str, Any],
    style: str = "",
) -> None:
    loss = rows[height.column].to_numpy(float)
    many = len(rows) > MANY
    shape = "diamond" if name == HELD_OUT else "circle"
    symbols = np.where(loss > top, f"triangle-up{style}", f"{shape}{style}")
    out.add_scatter(
        type="scattergl" if many else "scatter",
        x=rows[x],
        y=np.minimum(loss, top),
        mode="markers",
        name=name,
        marker={**marker, "symbol": symbols},
        text=words(rows, height),
        hovertemplate="%{text}<extra></extra>",
        showlegend=name != "runs",
        legendrank=BESIDE if name == HELD_OUT else None,
        **({} if many else {"cliponaxis": False}),  # which Scattergl has no notion of
    )


def forecasts(out: Drawing, apart: HeldOut, rows: pd.DataFrame, x: str, top: float) -> None:
    """What the fit forecasts of the runs held out: its value and interval for one new run, each at the run's place."""
    at = rows.set_index(rows["run"].astype(str))[x].reindex(list(apart.runs)).to_numpy(float)
    value, low, high = (
        np.minimum(np.asarray(e, float), top) for e in (apart.forecast.value, apart.forecast.low, apart.forecast.high)
    )
    kind = output_kind(apart.output)
    level, them = f"{100 * apart.forecast.level:g} %", "it" if len(apart.runs) == 1 else "them"
    said = [
        f"<b>{theme.plain(run)}</b><br>forecast without it {numbers.say(v, kind)}"
        + (f"<br>{level} of new runs {numbers.say(lo, kind)} to {numbers.say(hi, kind)}" if apart.drawn else "")
        for run, v, lo, hi in zip(apart.runs, value, low, high, strict=True)
    ]
    ends = {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "thickness": 1.6,
        "width": 5,
    }
    out.add_scatter(
        x=at, y=value, mode="markers", legendrank=AFTER,
        name=f"forecast without {them}" + (f", {level} interval{'s' * (them == 'them')}" if apart.drawn else ""),
        marker={"symbol": "line-ew", "size": 12, "line": {"width": 2, "color": theme.HELD}},
        error_y={**ends, "color": theme.HELD} if apart.drawn else None,
        text=said, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def words(rows: pd.DataFrame, height: Output = LOSS) -> list[str]:
    """What is said when a run is pointed at: its name, size, data, compute, loss, and how far it lies from the law."""
    said = []
    for row in rows.to_dict("records"):
        lines = [f"<b>{theme.plain(row['run'])}</b>"]
        inputs = [
            f"{numbers.say(row[column], kind)} {unit}"
            for column, kind, unit in (("params", "count", "parameters"), ("tokens", "count", "tokens"))
            if _finite(row.get(column))
        ]
        lines += [", ".join(inputs)] if inputs else []
        flops = f", {numbers.flop(row['flops'])} FLOP" if _finite(row.get("flops")) else ""
        lines.append(f"{height.title.lower()} {numbers.say(row[height.column], output_kind(height.column))}{flops}")
        if _finite(row.get("above")):
            lines.append(f"{off(row['above'])} the law")
        if row.get("reason"):
            lines.append(f"<i>set aside: {theme.plain(row['reason'])}</i>")
        said.append("<br>".join(lines))
    return said


def off(above: float) -> str:
    """`0.42 % above`, for a residual as a share of the loss."""
    return f"{numbers.percent(abs(above))} {'above' if above >= 0 else 'below'}"


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def colour(size: float, sizes: tuple[float, float] | None) -> str:
    """The colour of a model size on the sequential map, as the marks have it."""
    if sizes is None:
        return theme.LAW
    low, high = np.log(sizes)
    place = float(np.clip((math.log(size) - low) / (high - low), 0, 1)) * (len(theme.SEQUENTIAL) - 1)
    at = min(int(place), len(theme.SEQUENTIAL) - 2)
    ends = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in theme.SEQUENTIAL[at : at + 2]]
    mixed = [round(a + (place - at) * (b - a)) for a, b in zip(*ends, strict=True)]
    return "#" + "".join(f"{c:02X}" for c in mixed)


def ribbon(out: Drawing, x: np.ndarray, band: Band) -> None:
    """A band between two curves, filled and without an outline."""
    quiet = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    out.add_scatter(x=x, y=band.low, **quiet)
    out.add_scatter(x=x, y=band.high, fill="tonexty", fillcolor=theme.BAND, **quiet)
