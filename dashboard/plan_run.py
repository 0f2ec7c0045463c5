"""What goes with a plan on its page: where batch and learning rate come from, and the chart of time against compute."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from dashboard import numbers
from dashboard.plan_settings import PlanSettings, typed
from data.schema import Runs
from fitting import Fit, FitError, Plan
from fitting.batch import (
    Advice,
    Cluster,
    Front,
    Growth,
    Limits,
    RateLaws,
    WholeRun,
    a_number,
    from_growth,
    from_paper,
    from_runs,
    front,
    growth,
    rate_laws,
)
from fitting.batch.published import CRITICAL, OPTIMAL, RATE

RULES = {
    "steplaw": "Step Law (Li et al. 2025)",
    "porian": "Porian et al. 2024",
    "deepseek": "DeepSeek LLM (Bi et al. 2024)",
}
CRITICALS = {"zhang_coupled": "Zhang et al. 2024", "kaplan_critical": "Kaplan et al. 2020", "number": "A number"}
DAY = 86400.0


def own_rules(fit: Fit, runs: Runs) -> RateLaws | None:
    """Laws of learning rate and batch refitted from the runs themselves, where they hold sweeps of both; else None."""
    if not {"params", "tokens", "lr", "batch", "loss"} <= set(runs.kept):
        return None
    try:
        return rate_laws(runs.kept)
    except FitError:
        return None


def rules(asked: PlanSettings, own: RateLaws | None) -> tuple[Advice, Advice]:
    """The laws of batch and learning rate to plan with: the ones asked for, or Step Law's where the runs hold none of their own."""
    if asked.rule == "runs" and own is not None:
        ends = {
            name: (min(getattr(c, name) for c in own.cells), max(getattr(c, name) for c in own.cells))
            for name in ("params", "tokens")
        }
        return from_runs(own.batch, OPTIMAL, ends), from_runs(own.lr, RATE, ends)
    key = asked.rule if asked.rule in RULES else "steplaw"
    return from_paper(f"{key}_batch"), from_paper(f"{key}_lr")


def measured(kept: Any) -> Advice | None:
    """The critical batch law that a person took over from the Batch page, out of plain values; None where there is none."""
    if not isinstance(kept, Mapping) or kept.get("along") not in ("params", "loss"):
        return None
    try:
        x, y, unit = kept["x"], kept["y"], float(kept.get("unit_tokens", 1.0))
        law: Growth = growth(x, y)
        return from_growth(law, kept["along"], unit, {kept["along"]: (min(x), max(x))})
    except (FitError, KeyError, TypeError, ValueError):
        return None


def critical(asked: PlanSettings, own: Advice | None) -> Advice | None:
    """The critical batch to plan with; None where a number is wanted and none is given."""
    if asked.critical == "measured" and own is not None:
        return own
    if asked.critical == "number":
        given = typed(asked.critical_batch)
        return None if given is None else a_number(given, CRITICAL)
    return from_paper(asked.critical if asked.critical in CRITICALS else "zhang_coupled")


def runs_batch(asked: PlanSettings, runs: Runs, batch: Advice) -> tuple[Advice, str]:
    """The batch that the fitted runs had, and in words where that is from: typed, the table's own column, or the rule's batch."""
    given = typed(asked.runs_batch)
    if given is not None:
        return a_number(given, OPTIMAL), "as you say"
    column = runs.kept["batch"].to_numpy(float) if "batch" in runs.kept else np.empty(0)
    column = column[np.isfinite(column) & (column > 0)]
    if not len(column):
        return batch, "taken to be the rule's, since the table does not say"
    if len(column) < len(runs.kept) or np.ptp(column) <= 1e-9 * column.max():
        return a_number(float(np.median(column)), OPTIMAL), "the table's"
    logs = [np.log(runs.kept[c].to_numpy(float)) for c in ("params", "tokens")]
    x = np.column_stack([np.ones_like(column), *logs])
    c = np.linalg.lstsq(x, np.log(column), rcond=None)[0]

    def habit(run: Mapping[str, np.ndarray]) -> np.ndarray:
        out = np.exp(c[0] + c[1] * np.log(run["params"]) + c[2] * np.log(run["tokens"]))
        return np.clip(out, column.min(), column.max())

    return Advice(
        "The table's batches", OPTIMAL, habit, habit, lambda run: ""
    ), "as the table's grow with size and tokens"


def cluster(asked: PlanSettings) -> Cluster:
    """The devices, and what each takes of a batch in a step."""
    return Cluster(asked.hardware, float(asked.device_tokens))


def limits(asked: PlanSettings) -> Limits:
    """What the run may take, as the person said."""
    return Limits(
        deadline=asked.deadline * DAY or None,
        devices=float(asked.most_devices) or None,
        money=asked.most_money or None,
    )


def front_of(
    here: Plan, asked: PlanSettings, runs: Runs, own: RateLaws | None, sweep: Advice | None
) -> Front | FitError:
    """The front between time and compute for the plan at the budget, or why there is none."""
    large = critical(asked, sweep)
    if large is None:
        return FitError("How fast a run can be depends on its critical batch. Give a number, or choose a paper's.")
    batch, _ = rules(asked, own)
    try:
        return front(here, large, runs_batch(asked, runs, batch)[0], cluster(asked))
    except FitError as refusal:
        return refusal


def front_payload(f: Front, asked: PlanSettings, here: WholeRun) -> dict[str, Any]:
    """The chart of the front: time along, then compute or money, devices, batch and steps; what the limits forbid is hatched.

    `here` has the batch and learning rate that go with the plan: along the front the rate follows the batch's square root.
    """
    at = math.log10(f.at_devices(asked.devices))
    devices = _ends(f.devices)
    whole = np.round(devices["value"])  # the devices that are there are a whole number, said as one
    devices["value"] = np.where(np.isclose(devices["value"], whole, rtol=1e-9), whole, devices["value"])
    under = [{"label": "steps", "format": "count", **_ends(f.steps)}]
    if here.lr is not None:
        with np.errstate(invalid="ignore"):  # beyond the critical batch no rule says what the rate should be
            carried = np.where(f.batch.value <= f.b_crit, np.sqrt(f.batch.value / here.batch.value), np.nan)
        rate = {end: getattr(here.lr, end) * carried for end in ("value", "low", "high")}
        under.append({"label": "learning rate, by the root of the batch", "format": "flop", **rate})
    grid = np.log10(f.seconds)
    cost = f.money()
    flops = {"label": "FLOP", "format": "flop", **_ends(f.flops)}
    over = {"label": "over the least compute", "format": "percent", **_ends(f.excess)}
    hours = {"label": "device-hours", "format": "count", **_ends(f.device_hours)}
    first = (
        {"key": "cost", "label": "Compute", "unit": "FLOP", "format": "flop", **_ends(f.flops), "extras": [over, hours]}
        if cost is None
        else {
            "key": "cost",
            "label": "Cost",
            "unit": "",
            "format": "money",
            **_ends(cost),
            "extras": [over, hours, flops],
        }
    )
    wide = {"scale": "log", "weight": 1.0}
    return {
        "axis": {"label": "time from start to end", "unit": "", "format": "duration"},
        "handle": "Time",
        "grid": grid,
        "budget": at,
        "largest": None,
        "sentence": "Done in {budget} on {devices} devices, at a batch of {batch} tokens.",
        "subline": "It costs {cost} ({cost.range}). Sooner takes a larger batch over more devices, and more compute. Drag the line.",
        "panels": [
            {**first, **wide, "weight": 1.6},
            {"key": "devices", "label": "Devices", "unit": "", "format": "count", **devices, **wide},
            {"key": "batch", "label": "Batch", "unit": "tokens a step", "format": "count", **_ends(f.batch), **wide,
             "other": {"label": "critical batch", "value": np.full(len(grid), f.b_crit)}, "extras": under},
        ],
        "regions": _regions(f, asked),
        "takes": [],
        "budget_unit": {"label": "", "per_flop": 1.0, "format": "duration"},
        "level": f.batch.level,
    }  # fmt: skip


def _ends(band: Any) -> dict[str, Any]:
    return {"value": band.value, "low": band.low, "high": band.high}


def _regions(f: Front, asked: PlanSettings) -> list[dict[str, Any]]:
    """What each limit forbids, as a stretch of the time axis."""
    first, last = f.ends(limits(asked))
    words = {
        "devices": f"more than {asked.most_devices:,} devices",
        "money": f"over {numbers.say(asked.most_money, 'money')}",
        "deadline": f"after {numbers.say(asked.deadline * DAY, 'duration')}",
    }
    end = math.log10(f.seconds[-1])
    out: list[dict[str, Any]] = [
        {"from": None, "to": math.log10(t) if math.isfinite(t) else end, "label": words[k]}
        for k, t in first.items()
        if k in words and t > f.seconds[0]
    ]
    out += [
        {"from": math.log10(t), "to": None, "label": words[k]}
        for k, t in last.items()
        if k in words and 0 < t < f.seconds[-1]
    ]
    return out


def verdict(f: Front, asked: PlanSettings) -> str:
    """In a sentence whether the limits leave a window, and which; '' where none is set."""
    wanted = limits(asked)
    if wanted == Limits():
        return ""
    soonest, latest = f.window(wanted)
    if soonest > latest or soonest > f.seconds[-1]:
        first, last = f.ends(wanted)
        binding = max(first, key=lambda k: first[k])
        least = {"devices": "the devices allowed", "money": "the money allowed", "steps": "the fewest steps there are"}[
            binding
        ]
        against = " within the deadline" if "deadline" in last and math.isfinite(first[binding]) else ""
        return f"{least.capitalize()} cannot reach this loss{against}. Plan a smaller budget, or loosen a limit."
    now = f.at_devices(asked.devices)
    if math.isfinite(latest):
        within = f"between {numbers.say(max(soonest, f.seconds[0]), 'duration')} and {numbers.say(latest, 'duration')}"
    else:
        within = f"from {numbers.say(max(soonest, f.seconds[0]), 'duration')} on"
    held = soonest <= now <= latest
    return f"All limits hold {within}; the line {'does' if held else 'does not'} lie there."


def devices_at(f: Front, log_seconds: float) -> int:
    """The devices that the front takes to end after 10^`log_seconds` seconds, a whole number from 1 on."""
    value = float(np.exp(np.interp(log_seconds * math.log(10.0), np.log(f.seconds), np.log(f.devices.value))))
    return max(1, round(value))
