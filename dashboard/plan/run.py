"""What goes with a plan on its page: where batch and learning rate come from, and the chart of time against compute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np

from dashboard import numbers
from dashboard.budget_chart.declared import Axis, BudgetUnit, Labelled, Named, Panel, Payload
from dashboard.plan import front as plan_front
from dashboard.plan.front import limits
from dashboard.plan.settings import CRITICAL_LAWS, PlanSettings, typed
from data.plain import Above, Before, Finite, PlainError, With, one_of, usable
from data.schema import Runs
from fitting import Fit, FitError, Plan
from fitting.batch import (
    Advice,
    BatchSchedule,
    Cluster,
    Front,
    Growth,
    Limits,
    Line,
    Optimiser,
    RateLaws,
    WholeRun,
    a_number,
    adaptive_batch,
    from_paper,
    from_runs,
    from_sweep,
    front,
    line_of,
    rate_laws,
)
from fitting.batch.adaptive import progress_of
from fitting.batch.along import AlongLoss
from fitting.batch.published import CRITICAL, OPTIMAL, RATE
from fitting.planning.memory import memory_per_device
from fitting.planning.on_devices import DAY as DAY
from fitting.planning.on_devices import PASS, OnDevices, fewest
from fitting.planning.on_devices import shapes_of as shapes_of
from fitting.planning.shapes import SizedShape
from fitting.planning.step_time import StepTime, step_time

RULES = {
    "steplaw": "Step Law (Li et al. 2025)",
    "porian": "Porian et al. 2024",
    "deepseek": "DeepSeek LLM (Bi et al. 2024)",
}
LEAST_NOTED = 0.005  # of the tokens: what the plan's numbers are rounded to
EARLIEST = 0.01  # a growing batch starts after so much of the run: before, the loss is that of no law


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


def _texts(x: Any) -> Any:
    return [w for w in x if isinstance(w, str)] if isinstance(x, list) else x


@dataclass(frozen=True)
class Measured:
    """A measured law of critical batches as it is kept with the workspace, with what it came with and the ends of its runs."""

    title: str
    along: Annotated[str, one_of(("params", "loss"))]
    unit_tokens: Above
    ends: tuple[Above, Above]
    middle: Above
    best: tuple[Finite, Finite]
    draws: Annotated[list[tuple[Finite, Finite]], With(min_length=1)]
    # None in a workspace from before they were kept.
    warnings: Annotated[tuple[str, ...], Before(_texts)] = ()


def to_keep(
    law: Growth | AlongLoss, along: str, unit_tokens: float, title: str, warnings: Sequence[str] = ()
) -> dict[str, Any]:
    """A measured law of critical batches as plain values, to be kept with the workspace and planned with."""
    line, ends = line_of(law), (float(np.min(law.x)), float(np.max(law.x)))
    best, draws = [round(float(v), 6) for v in line.best], np.round(line.draws, 5).tolist()
    return asdict(Measured(title, along, unit_tokens, ends, line.middle, (best[0], best[1]), draws, tuple(warnings)))


def of_sweep(law: Growth | AlongLoss, along: str, unit_tokens: float = 1.0) -> Advice:
    """A measured law of critical batches as advice."""
    return from_sweep(line_of(law), along, unit_tokens, (float(np.min(law.x)), float(np.max(law.x))))


def measured(kept: Any) -> Advice | None:
    """The critical batch law that a person took over from the Batch page, out of plain values; None where there is none."""
    try:
        law = usable(Measured, kept)
    except PlainError:
        return None
    line = Line(np.array(law.best), np.array(law.draws), law.middle)
    return from_sweep(line, law.along, law.unit_tokens, law.ends, law.warnings) if law.ends[0] <= law.ends[1] else None


def critical(asked: PlanSettings, own: Advice | None) -> Advice | None:
    """The critical batch to plan with; None where a number is wanted and none is given."""
    if asked.critical in ("", "measured") and own is not None:
        return own
    if asked.critical == "number":
        given = typed(asked.critical_batch)
        return None if given is None else a_number(given, CRITICAL)
    return from_paper(asked.critical if asked.critical in CRITICAL_LAWS else "zhang_coupled")


def runs_batch(asked: PlanSettings, runs: Runs, batch: Advice) -> tuple[Advice, str]:
    """The batch that the fitted runs had, and in words where that is from: typed, the table's own column, or the rule's batch."""
    given = typed(asked.runs_batch)
    if given is not None:
        return a_number(given, OPTIMAL), "as entered"
    column = runs.kept["batch"].to_numpy(float) if "batch" in runs.kept else np.empty(0)
    column = column[np.isfinite(column) & (column > 0)]
    if not len(column):
        return batch, "assumed equal to the rule's, as the table has no batch column"
    if len(column) < len(runs.kept) or np.ptp(column) <= 1e-9 * column.max():
        return a_number(float(np.median(column)), OPTIMAL), "from the table"
    logs = [np.log(runs.kept[c].to_numpy(float)) for c in ("params", "tokens")]
    x = np.column_stack([np.ones_like(column), *logs])
    c = np.linalg.lstsq(x, np.log(column), rcond=None)[0]

    def habit(run: Mapping[str, np.ndarray]) -> np.ndarray:
        out = np.exp(c[0] + c[1] * np.log(run["params"]) + c[2] * np.log(run["tokens"]))
        return np.clip(out, column.min(), column.max())

    return Advice(
        "The table's batches", OPTIMAL, habit, habit, lambda run: ""
    ), "a power law of size and tokens fitted to the table"


REACH = 64.0  # a front begins at as many times the plan's devices, down to one: nobody waits longer
SHAPE_WORDS = (
    "Loss depends little on the shape at a given size (Kaplan et al. 2020). Memory is that of weights, gradients and Adam's states, 16 "
    f"bytes per parameter in mixed precision, divided among the devices; each also holds the activations of {PASS:,} tokens, or of fewer "
    "where those would take a quarter of it, with activation recomputation, and keeps a tenth free."
)


def memory_of(shape: SizedShape, asked: PlanSettings) -> tuple[float, float | None]:
    """Bytes of a training's states in all, and the fewest of the chosen devices that hold it: inf for none, None for not known."""
    held = memory_per_device(shape, 1, micro_tokens=1)
    return held.total - held.activations, fewest(shape, asked.memory)


def cluster(asked: PlanSettings, batch: float) -> Cluster:
    """The devices, and what each takes of a batch in a step: as said, or its share of the plan's `batch`, in tokens."""
    there = asked.hardware
    each = asked.device_tokens or batch / there.devices
    fewest = min(there.devices / REACH, asked.most_devices or math.inf)
    return Cluster(there, float(each), asked.latency / 1000.0, max(1.0, fewest))


def timed(fit: Fit, runs: Runs) -> StepTime | None:
    """How long a step of the runs took, where the table says enough of it and it was no CPU, which a plan has not; else None."""
    if on_a_cpu(runs):
        return None
    try:
        return step_time(runs.kept)
    except FitError:
        return None


def on_a_cpu(runs: Runs) -> bool:
    """Whether the table says of every run that a CPU trained it."""
    return "device" in runs.kept and bool(runs.kept["device"].eq("cpu").all())


def speed_words(found: StepTime, asked: PlanSettings) -> tuple[str, float | None, float]:
    """What the runs' own steps say in a sentence: the share of the device's peak, and the start of a step, in ms, with them.

    None for the share where no such device could have been so fast.
    """
    rate, start = found.rate(), found.coefficient("start")
    peak = asked.hardware.peak
    if rate.low > peak:
        return (
            f"Steps of your runs reached {numbers.percent(rate.value / peak)} of one {asked.device}'s peak, which is impossible: the table "
            "does not say on how many devices a step ran, or they were other devices. Add a column devices to plan with their speed."
        ), None, 1000.0 * start.value  # fmt: skip
    share, within = numbers.with_interval(rate.value / peak, rate.low / peak, rate.high / peak, "percent")
    first, around = numbers.with_interval(start.value, start.low, start.high, "duration")
    said = f"Steps of your runs: {share} ({within}) of this peak, and a fixed time of {first} ({around}) per step."
    return said, min(100.0, 100.0 * rate.value / peak), 1000.0 * start.value


def front_of(
    here: Plan, asked: PlanSettings, runs: Runs, own: RateLaws | None, sweep: Advice | None
) -> Front | FitError:
    """The front between time and compute for the plan at the budget, or why there is none.

    It goes through the plan: its tokens at its own batch. What the runs' own batch would change is `habit_note`.
    """
    large = critical(asked, sweep)
    if large is None:
        return FitError("Time against compute needs a critical batch. Enter a number, or choose a paper's law.")
    batch, _ = rules(asked, own)
    try:
        best = float(np.squeeze(batch.value(here.split.best)))
        return front(here, large, batch, cluster(asked, best))
    except FitError as refusal:
        return refusal


def habit_note(
    here: Plan, asked: PlanSettings, runs: Runs, own: RateLaws | None, large: Advice | None
) -> tuple[str, ...]:
    """In a sentence what the plan's batch costs over the batch that the fitted runs had, where that is known to be another."""
    batch, _ = rules(asked, own)
    habit, said = runs_batch(asked, runs, batch)
    if habit is batch or large is None:
        return ()
    run = here.split.best
    with np.errstate(all="ignore"):
        planned, had, b_crit = (float(np.squeeze(one.value(run))) for one in (batch, habit, large))
        more = (1.0 + planned / b_crit) / (1.0 + had / b_crit) - 1.0
    if not (math.isfinite(more) and abs(more) >= LEAST_NOTED):
        return ()
    return (
        f"The law's runs took {numbers.count(had)} tokens per step ({said}), the plan takes {numbers.count(planned)}. At "
        f"B_crit = {numbers.count(b_crit)} tokens, reaching the planned loss takes {numbers.percent(abs(more))} "
        f"{'more' if more > 0 else 'fewer'} tokens.",
    )


def front_on(found: Front, asked: PlanSettings) -> Front:
    """The same front on the device of these settings, and on as many of them as these have."""
    mine = found.cluster
    return found.on(cluster(asked, mine.tokens * mine.hardware.devices))


def front_parts(
    f: Front, asked: PlanSettings, here: WholeRun, least: float | None = None, planned: OnDevices | None = None
) -> dict[str, Any]:
    """The entries of the front's chart that another device changes."""
    made = front_payload(f, asked, here, least, planned)
    return {name: getattr(made, name) for name in ("grid", "budget", "panels", "regions", "numbers", "sayings")}


def growing(fit: Fit, here: Plan, whole: WholeRun, large: Advice | None) -> BatchSchedule | FitError:
    """The plan's run with a batch that follows the critical one as its loss falls, in doublings, on as many tokens.

    The loss along the run is the law's at the tokens so far, which is right for a constant rate and about so for others.
    """
    if large is None or here.params is None or here.tokens is None or set(fit.law.inputs) != {"params", "tokens"}:
        return FitError("A growing batch follows a critical batch along a law of size and tokens.")
    tokens = here.tokens.value * np.geomspace(EARLIEST, 1.0, 200)
    params = np.full_like(tokens, here.params.value)
    loss = fit.thinned(0).predict(params=params, tokens=tokens).value  # no interval is asked for
    critical = large.value(
        {"params": params, "tokens": tokens, "loss": loss, "flops": fit.accounting.flops(params, tokens)}
    )
    if not (np.isfinite(critical).all() and (critical > 0).all()) or np.ptp(critical) < 0.01 * critical.max():
        return FitError(
            f"By {large.title} the critical batch does not change along a run. Choose Kaplan's law of the loss, or measure it at several "
            "losses with a batch sweep of your own."
        )
    batch = whole.batch.value
    try:
        made = adaptive_batch(
            progress_of(tokens / batch, critical, batch), critical, examples=float(tokens[-1] - tokens[0])
        )
        # Where doublings fall matters more than how many there are: the first batch is the one that saves most.
        base = max(made.batch[0] * 2.0 ** np.linspace(-0.5, 0.5, 9), key=lambda b: made.doublings(float(b)).steps_saved)
        start = None if whole.lr is None else Optimiser(float(base), float(whole.lr.value * np.sqrt(base / batch)))
        return made.doublings(float(base), start)
    except FitError as refusal:
        return refusal


def front_payload(
    f: Front, asked: PlanSettings, here: WholeRun, least: float | None = None, planned: OnDevices | None = None
) -> Payload:
    """The chart of the front: time along, then compute or money, devices, batch and steps; what the limits forbid is hatched.

    `here` has the batch and learning rate that go with the plan: along the front the rate follows the batch's square root.
    The front begins where the plan is, `planned` on its devices; fewer devices than `least` take no time and cost nothing, since
    they hold no training.
    """
    grid = np.log10(f.seconds)
    at = math.log10(f.at_devices(f.cluster.hardware.devices))
    nearest = float(grid[np.argmin(np.abs(grid - at))])
    at = nearest if abs(nearest - at) < 1e-9 else at  # the devices there are have a row of their own, read as it is
    devices = _ends(f.devices)
    whole = np.round(devices["value"])  # the devices that are there are a whole number, said as one
    devices["value"] = np.where(np.isclose(devices["value"], whole, rtol=1e-9), whole, devices["value"])
    under = [Labelled(label=plan_front.STEPS, format="count", **_ends(f.steps))]
    if here.lr is not None:
        with np.errstate(invalid="ignore"):  # beyond the critical batch no rule says what the rate should be
            carried = np.where(f.batch.value <= f.b_crit, np.sqrt(f.batch.value / here.batch.value), np.nan)
        rate = {end: getattr(here.lr, end) * carried for end in ("value", "low", "high")}
        under.append(Labelled(label=plan_front.RATE, format="flop", **rate))
    held = plan_front.holding(f, least)
    cost = f.money()
    flops = Labelled(label="FLOP", format="flop", **_held(f.flops, held))
    over = Labelled(label="over the least compute", format="percent", **_held(f.excess, held))
    hours = Labelled(label="device-hours", format="count", **_held(f.device_hours, held))
    wide: dict[str, Any] = {"key": "cost", "scale": "log", "weight": 1.6}
    if cost is None:
        first = Panel(label="Compute", unit="FLOP", format="flop", **_held(f.flops, held), extras=[over, hours], **wide)
    else:
        first = Panel(label="Cost", format="money", **_held(cost, held), extras=[over, hours, flops], **wide)
    costs = "It costs {cost}." if cost is not None else "It takes {cost} FLOP."
    plans = float(here.batch.value)
    more = np.abs(f.batch.value / f.b_crit - plans / f.b_crit) / (1.0 + plans / f.b_crit)
    large = Labelled(label="critical batch", value=np.full(len(grid), f.b_crit))
    made = Payload(
        axis=Axis("time from start to end", "", "duration"),
        handle="Time",
        grid=grid,
        budget=at,
        sentence=plan_front.DONE,
        subline=plan_front.another(f, plans, "less", costs),
        panels=[
            first,
            Panel(key="devices", label="Devices", scale="log", format="whole", **devices),
            Panel(key="batch", label="Batch", unit="tokens per step", scale="log", format="count", **_ends(f.batch),
                  other=large, extras=under),
        ],
        numbers=[Named(key="more", format="percent", value=more)],
        sayings=plan_front.sayings(f, asked, at, least, plans, costs, planned),
        regions=plan_front.regions(f, asked, least),
        budget_unit=BudgetUnit(format="duration"),
        level=f.batch.level,
    )  # fmt: skip
    return plan_front.as_asked(made, here if plan_front.through(f, plans) else None)


def _held(band: Any, held: np.ndarray) -> dict[str, Any]:
    return {end: np.where(held, one, np.nan) for end, one in _ends(band).items()}


def _ends(band: Any) -> dict[str, Any]:
    """A band's value, low and high; an end that is zero is drawn nowhere on a log scale."""
    with np.errstate(invalid="ignore"):
        return {
            end: np.where(one > 0, one, np.nan) for end in ("value", "low", "high") for one in (getattr(band, end),)
        }


def verdict(f: Front, asked: PlanSettings, least: float | None = None) -> str:
    """In a sentence whether the limits leave a window, and which; '' where none is set."""
    wanted = limits(asked, least)
    if limits(asked) == Limits():
        return ""
    soonest, latest = f.window(wanted)
    if soonest > latest or soonest > f.seconds[-1]:
        first, last = f.ends(wanted)
        binding = max(first, key=lambda k: first[k])
        words = {"devices": "The max number of devices", "money": "The max cost", "steps": "The fewest steps"}
        late = "deadline" in last and latest == last["deadline"] and math.isfinite(first[binding])
        against = " within the deadline" if late else ""
        return f"{words[binding]} cannot reach this loss{against}. Plan a smaller budget, or relax a limit."
    now = f.at_devices(f.cluster.hardware.devices)
    if math.isfinite(latest):
        within = f"between {numbers.say(max(soonest, f.seconds[0]), 'duration')} and {numbers.say(latest, 'duration')}"
    else:
        within = f"from {numbers.say(max(soonest, f.seconds[0]), 'duration')} on"
    held = soonest <= now <= latest
    return f"All limits hold {within}; the line lies {'inside' if held else 'outside'}."


def devices_at(f: Front, log_seconds: float) -> int:
    """The devices that the front takes to end after 10^`log_seconds` seconds, a whole number from 1 on."""
    value = float(np.exp(np.interp(log_seconds * math.log(10.0), np.log(f.seconds), np.log(f.devices.value))))
    return max(1, round(value))
