"""What the dragged chart is handed: a law's plan sampled along the budget, in the chart's own words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dashboard import numbers
from dashboard.budget_chart.declared import BudgetUnit, Floor, Labelled, Panel, Payload, Points, ShadeKey, Take
from data.schema import Runs
from fitting import Fit, Plan, Status, plan
from fitting.band import Band
from fitting.batch import WholeRun
from fitting.batch.published import OPTIMAL, RATE
from fitting.planning.hardware import Hardware
from fitting.planning.on_devices import PER_DECADE

# How far the chart reaches past the largest run: four decades, as from a day on one device to a frontier run.
DECADES_BEYOND = 4.0


@dataclass(frozen=True)
class Unit:
    """A unit people count budgets in: `per_flop` of it in a FLOP, and how the chart writes it."""

    key: str
    title: str
    label: str
    per_flop: float
    format: str


def units(hardware: Hardware) -> dict[str, Unit]:
    """The units a budget can be said in, by key; money only where a price is known."""
    found = [
        Unit("flop", "FLOP", "FLOP", 1.0, "flop"),
        Unit("hours", "Device-hours", "device-hours", hardware.device_hours(1.0), "count"),
        Unit("time", "Time", "", 3600.0 * hardware.hours(1.0), "duration"),
    ]
    if hardware.price is not None:
        found.append(Unit("money", "Money", "", hardware.price * hardware.device_hours(1.0), "money"))
    return {u.key: u for u in found}


def budgets(fit: Fit, at: float) -> np.ndarray:
    """Budgets (K,) in log10 FLOP along which the chart is sampled: whole decades from the smallest run to far beyond."""
    low, high = (math.log10(c) for c in fit.ranges["flops"])
    first = math.floor(min(low, at))
    last = math.ceil(max(high + DECADES_BEYOND, at))
    return np.linspace(first, last, PER_DECADE * (last - first) + 1)


def default_budget(fit: Fit) -> float:
    """Ten times the largest run, in log10 FLOP: near enough to be planned next; 1e21 where no run's compute is known.

    Half of those decades where runs are held out: these lie about as far beyond, and the line would hide them.
    """
    return math.log10(fit.ranges.get("flops", (math.nan, 1e20))[1]) + (0.5 if fit.settings.held_out else 1.0)


@dataclass(frozen=True)
class Grid:
    """The chart's axis: the sampled budgets in log10 FLOP with the plan's own put in among them."""

    nodes: np.ndarray
    at: float

    @property
    def fresh(self) -> bool:
        """Whether the budget is not a node already."""
        return not np.any(np.isclose(self.nodes, self.at, rtol=0, atol=1e-12))

    def put(self, along: Any, here: Any) -> list[float]:
        """Values at the nodes, with the budget's own among them."""
        values = np.asarray(along, float)
        return list(np.insert(values, int(np.searchsorted(self.nodes, self.at)), here) if self.fresh else values)

    def ends(self, along: Band, here: Band) -> dict[str, Any]:
        """A band's value, low and high along the axis."""
        return {end: self.put(getattr(along, end), getattr(here, end)) for end in ("value", "low", "high")}


def payload(
    fit: Fit,
    along: Plan,
    here: Plan,
    runs: Runs,
    *,
    spoken: Mapping[str, Any],
    chosen: float | None = None,
    floor: float | None = None,
    whole: tuple[WholeRun, WholeRun] | None = None,
    every: bool = False,
    latency: float = 0.0,
) -> Payload:
    """The chart's table: `along` is the plan at every node, `here` at the budget itself, put in among them.

    `spoken` is the budget in other units, as `spoken` says it, and the choice between devices if there is one. `chosen` says
    that the size is held there, `floor` is the true lowest loss where it is known. `whole` is what goes with the plan along the
    nodes and at the budget; `every` gives learning rate and steps panels of their own. `latency` is what each step waits, in seconds.
    """
    grid = Grid(np.log10(along.flops.value), math.log10(here.flops.value))
    panels = [_loss_panel(grid, fit, along, here, runs, floor), *_size_panels(grid, along, here)]
    steps = () if whole is None or not latency else grid.put(whole[0].steps.value, whole[1].steps.value)
    if whole is not None:
        panels += _run_panels(grid, *whole, every=every)
    return Payload(
        grid=grid.put(grid.nodes, grid.at),
        budget=grid.at,
        largest=math.log10(fit.ranges["flops"][1]),
        sentence=_sentence(here, fit.status),
        subline=_subline(here, chosen),
        panels=panels,
        level=here.loss.level,
        wait=[latency * s for s in steps] or None,
        **spoken,
    )


def _loss_panel(grid: Grid, fit: Fit, along: Plan, here: Plan, runs: Runs, floor: float | None) -> Panel:
    law, run = ((a.above(floor), b.above(floor)) for a, b in ((along.loss, here.loss), (along.loss_run, here.loss_run)))
    wide = grid.ends(*run)
    extras = []
    if along.penalty is not None and here.penalty is not None:
        penalty = grid.ends(along.penalty, here.penalty)
        extras.append(Labelled(label="above the best size's loss", format="percent", **penalty))
    if floor is not None and (said := _at_the_floor(grid, along, here, floor)):
        extras.append(Labelled(label=said))
    return Panel(
        key="loss", label="Loss", unit="nats per token", weight=2.4, format="loss", **grid.ends(*law), extras=extras,
        wide=Labelled(label="a new run", low=wide["low"], high=wide["high"]), points=points(fit, runs),
        shade_key=_shade_key(fit), floor=None if floor is None else Floor(floor, "true floor"),
    )  # fmt: skip


def _at_the_floor(grid: Grid, along: Plan, here: Plan, floor: float) -> str:
    """What a known floor cuts off, in words; "" where nothing lies under it."""
    lowest = np.array(grid.put(along.loss_run.low, here.loss_run.low))
    if not np.any(lowest < floor):
        return ""
    under = np.array(grid.put(along.loss.value, here.loss.value)) < floor
    said = f"bands are cut at the true floor, {floor:.4g}"
    if not under.any():
        return said
    first = 10.0 ** float(grid.put(grid.nodes, grid.at)[int(np.argmax(under))])
    return f"{said}; the law itself goes under it from {numbers.flop(first)} FLOP on"


def _size_panels(grid: Grid, along: Plan, here: Plan) -> list[Panel]:
    bands = [(getattr(along, name), getattr(here, name)) for name in ("params", "tokens", "tokens_per_param")]
    if any(b is None for pair in bands for b in pair):
        return []
    size, tokens, ratio = (grid.ends(*pair) for pair in bands)
    wide = None
    if along.valley is not None and here.valley is not None:
        low, high = (grid.put(a, b) for a, b in zip(along.valley, here.valley, strict=True))
        wide = Labelled(label="within 0.1 % of this loss", low=low, high=high)
    per = Labelled(label="per parameter", **ratio)
    return [
        _log_panel("params", "Parameters", size, wide=wide),
        _log_panel("tokens", "Tokens", tokens, extras=[per]),
    ]


def _run_panels(grid: Grid, along: WholeRun, here: WholeRun, *, every: bool) -> list[Panel]:
    """Batch with its critical batch beside it; learning rate and steps as lines under it, or with panels of their own."""
    extras, other, steps = [], None, grid.ends(along.steps, here.steps)
    rate = None if along.lr is None or here.lr is None else grid.ends(along.lr, here.lr)
    if along.critical is not None and here.critical is not None:
        critical = grid.ends(along.critical, here.critical)
        if np.isfinite(critical["value"]).any():
            other = Labelled(label="critical batch", value=critical["value"])
            extras.append(Labelled(label="critical", format="count", **critical))
    if rate is not None and not every:
        extras.append(Labelled(label="learning rate", format="flop", **rate))
    if not every:
        extras.append(Labelled(label="steps", format="count", **steps))
    batch, wide = grid.ends(along.batch, here.batch), _papers(grid, OPTIMAL, along, here)
    panels = [_log_panel("batch", "Batch", batch, unit="tokens per step", wide=wide, other=other, extras=extras)]
    if rate is not None and every:
        panels.append(_log_panel("lr", "Learning rate", rate, format="flop", wide=_papers(grid, RATE, along, here)))
    return [*panels, _log_panel("steps", "Steps", steps)] if every else panels


def _papers(grid: Grid, gives: str, along: WholeRun, here: WholeRun) -> Labelled | None:
    """Between the lowest and the highest answer of published laws."""
    if gives not in along.papers:
        return None
    low, high = (grid.put(a, b) for a, b in zip(along.papers[gives], here.papers[gives], strict=True))
    return Labelled(label="published laws", low=low, high=high)


def _log_panel(key: str, label: str, ends: dict[str, Any], format: str = "count", **more: Any) -> Panel:
    return Panel(key=key, label=label, scale="log", format=format, **ends, **more)


def points(fit: Fit, runs: Runs) -> Points | None:
    """The runs as marks: compute against loss, shaded by model size, those held out told apart, others not fitted hollow."""
    columns: dict[str, list[Any]] = {"x": [], "y": [], "shade": [], "name": [], "hollow": [], "held": [], "detail": []}
    low, high = _log_sizes(fit)
    fitted, held = set(fit.runs), set(runs.held_out["run"].astype(str))
    for table in (runs.kept, runs.set_aside):
        if not {"flops", "loss"} <= set(table.columns):
            continue
        rows = table[
            (table["flops"] > 0) & (table["loss"] > 0) & np.isfinite(table["loss"]) & np.isfinite(table["flops"])
        ]
        size = np.log(rows["params"].to_numpy(float)) if "params" in rows else np.full(len(rows), low)
        columns["x"] += list(np.log10(rows["flops"].to_numpy(float)))
        columns["y"] += list(rows["loss"].to_numpy(float))
        columns["shade"] += list(np.clip(np.nan_to_num((size - low) / max(high - low, 1e-9), nan=0.5), 0.0, 1.0))
        columns["name"] += [str(r) for r in rows["run"]]
        columns["held"] += [r in held for r in rows["run"].astype(str)]
        columns["hollow"] += [r not in fitted and r not in held for r in rows["run"].astype(str)]
        columns["detail"] += _details(rows)
    return Points(**columns) if columns["x"] else None


def _details(rows: pd.DataFrame) -> list[str]:
    known = [(name, rows[name]) for name in ("params", "tokens") if name in rows]
    words = {"params": "parameters", "tokens": "tokens"}
    return [
        ", ".join(f"{numbers.count(column.iloc[i])} {words[name]}" for name, column in known) for i in range(len(rows))
    ]


def _log_sizes(fit: Fit) -> tuple[float, float]:
    low, high = fit.ranges.get("params", (1.0, 1.0))
    return math.log(low), math.log(high)


def _shade_key(fit: Fit) -> ShadeKey | None:
    if "params" not in fit.ranges:
        return None
    low, high = fit.ranges["params"]
    return ShadeKey("parameters", low, high, "count")


def _sentence(here: Plan, status: Status) -> str:
    if status is Status.UNSOUND:
        split = (
            "a loss of {loss}" if here.params is None else "{params} parameters on {tokens} tokens and a loss of {loss}"
        )
        return f"Do not plan with this: a check of the fit fails. The law would say {split}."
    if here.params is None:
        return "Expect a loss of {loss}."
    return "Train {params} parameters on {tokens} tokens. Expect a loss of {loss}."


def _subline(here: Plan, chosen: float | None) -> str:
    level = f"{100 * here.loss.level:g} %"
    drag = "Drag the line, use the arrow keys, or type a budget."
    if here.params is None:
        return f"At {{budget}}, {level} interval: {{loss.range}}. {drag}"
    if chosen is not None:
        return f"At {{budget}} and this size, {level} interval of the loss: {{loss.range}}. {drag}"
    return f"At {{budget}}, {level} intervals: {{params.range}} parameters, {{tokens.range}} tokens, loss {{loss.range}}. {drag}"


def spoken(
    hardware: Hardware,
    device: str,
    unit: str,
    counts: Iterable[tuple[float, float]] | None = None,
    *,
    auto: bool = False,
) -> dict[str, Any]:
    """The entries of the payload that say a budget in what it takes: in the unit of that key, and on these devices.

    `counts` are the devices up to each budget (log10 FLOP), by default those of `hardware` at all of them; `auto` marks that nobody
    chose them. Beside the unit's own rate stand those of the others, so that what is typed in one of them is read in it.
    """
    known = units(hardware)
    said = known.get(unit, known["flop"])
    pairs = None if counts is None else list(counts)
    also = {key: known[key].per_flop if key in known else None for key in ("hours", "time", "money")}
    if auto and said.key != "time":
        also["time"] = None  # the devices follow the budget: a time says none
    return {
        "takes": _takes(hardware, device, pairs, auto),
        "budget_unit": BudgetUnit(said.label, said.per_flop, said.format, also),
    }


def _takes(hardware: Hardware, device: str, counts: list[tuple[float, float]] | None, auto: bool) -> list[Take]:
    share, hours = f"{100 * hardware.utilisation:g} %", hardware.device_hours(1.0)
    many = f"{hardware.devices:,.0f}" if counts is None else "{n}"
    seconds = 3600.0 * hours / (hardware.devices if counts is None else 1.0)
    on = f"on {many} {device}{' (auto)' * auto} at {share} of peak"
    takes = [
        Take(label=on, per_flop=seconds, format="duration", counts=counts, divided=True, waits=1.0),
        Take(label="device-hours", per_flop=hours, format="count", counts=counts, waits=1.0 / 3600.0),
    ]
    if (price := hardware.price) is not None:
        label, each = f"at ${price:,.2f} a device-hour", price / 3600.0
        takes.append(Take(label=label, per_flop=price * hours, format="money", counts=counts, waits=each))
    return takes


def sweep(fit: Fit, nodes: Iterable[float], chosen: float | None = None, unique: float | None = None) -> Plan:
    """The plan at budgets of 10^`nodes` FLOP (K,), at the best size or at a chosen one, with so much text.

    Budgets that buy no token at the chosen size have no plan and are left out.
    """
    flops = 10.0 ** np.array(list(nodes))
    if chosen is not None:
        some = fit.accounting.tokens(flops, chosen) >= 1.0
        flops = flops[some] if some.any() else flops
    return plan(fit, flops=flops, params=chosen, unique_tokens=unique)
