"""What the Plan page is about: its budget and settings, the plan along the chart, what goes with it, and the front of time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, cast

import streamlit as st

from dashboard import state
from dashboard.batch import state as batch_state
from dashboard.plan import chart_payload, device_table
from dashboard.plan import fleet as plan_fleet
from dashboard.plan import run as plan_run
from dashboard.plan.device_table import Row
from dashboard.plan.settings import PlanSettings, read_settings, typed
from dashboard.workspace import store as workspace
from data.cells.values import number
from data.plain import between
from fitting.planning.planner import LEAST_FLOPS, MOST_FLOPS
from fitting.planning.shapes import VOCAB

if TYPE_CHECKING:
    from fitting import Fit, FitError, Plan
    from fitting.batch import Advice, Front, Growth, RateLaws, WholeRun
    from fitting.batch.along import AlongLoss
    from fitting.planning.shapes import SizedShape
    from fitting.planning.step_time import StepTime

Budget = Annotated[float, between(math.log10(LEAST_FLOPS), math.log10(MOST_FLOPS))]


def settings() -> PlanSettings:
    """The devices, the unit of the budget and the size held, for every table of this workspace."""
    return read_settings(state.setting("plan"), device_table.read(state.setting("devices")))


def change(**changed: Any) -> None:
    """Change some of the plan's settings, as one step of undo."""
    state.change(
        f"change {' and '.join(changed)} of the plan", {"plan": replace(settings(), **changed).written() or None}
    )


def change_devices(rows: Iterable[Row]) -> None:
    """Change the table of devices, as one step of undo."""
    state.change("change the table of devices", {"devices": device_table.written(rows)})


def change_price(price: float) -> None:
    """Change what an hour of the plan's device costs, as one step of undo."""
    asked = settings()
    rows = [replace(row, price=price) if row == asked.row else row for row in asked.table]
    state.change(f"change the price of {asked.row.name}", {"devices": device_table.written(rows)})


def budget(fit: Fit) -> float:
    """The budget in log10 FLOP: the one in the address when the page is opened, else the last one, else a default."""
    if "budget_asked" not in st.session_state:
        asked = number(st.query_params.get("c", ""))
        st.session_state["budget_asked"] = True
        if LEAST_FLOPS <= asked <= MOST_FLOPS:
            set_budget(math.log10(asked))
    held = state.setting(f"budget:{state.chosen().key}", None, Budget)
    at = chart_payload.default_budget(fit) if held is None else held
    st.query_params["c"] = f"{10.0**at:.6g}"
    return at


def set_time(at: float, devices: int) -> None:
    """Keep a budget, in log10 FLOP, that was said as a time on so many devices.

    They stay as they were while it was said. Where nobody had chosen them, that is said, and is one step of undo with the budget.
    """
    asked = settings()
    if asked.devices:
        set_budget(at)
        return
    kept = {"plan": replace(asked, devices=devices).written(), f"budget:{state.chosen().key}": at}
    if state.is_drawn():
        state.change(f"keep {devices:,} devices for the time", kept)
        state.say(
            f"A time is one on so many devices: their number stays {devices:,} now. Undo makes it automatic again."
        )


def set_budget(at: float) -> None:
    """Keep a budget, in log10 FLOP, for the data chosen."""
    if state.is_drawn():
        workspace.remember(state.space(), {f"budget:{state.chosen().key}": at})


def unique_tokens(fit: Fit, asked: PlanSettings) -> float | None:
    """The text there is: as typed; else, for a law that asks, the most that any run had; None for enough."""
    given = typed(asked.text)
    if given is None and "unique_tokens" in fit.law.inputs:
        return fit.ranges["unique_tokens"][1]
    return given


@dataclass(frozen=True)
class Planned:
    """What can be planned: the settings without those that no plan can be made with, which `refused` names with the reason.

    `here` is the plan at the budget, `along` that along the chart.
    """

    asked: PlanSettings
    here: Plan
    along: Plan
    refused: Mapping[str, str]


def planned(fit: Fit, at: float, asked: PlanSettings) -> Planned:
    """The plans for a budget of 10^`at` FLOP. A size or a text that none can be made with is left out, so that the page stands.

    Raises the FitError of the law where there is no plan without them either.
    """
    from fitting import FitError, plan

    refusal: FitError | None = None
    for without in ((), ("size",), ("text",), ("size", "text")):
        if not all(getattr(asked, name) for name in without):
            continue
        tried = replace(
            asked, size="" if "size" in without else asked.size, text="" if "text" in without else asked.text
        )
        try:
            here = plan(fit, flops=10.0**at, params=tried.chosen, unique_tokens=unique_tokens(fit, tried))
            return Planned(tried, here, current_sweep(fit, at, tried), dict.fromkeys(without, str(refusal)))
        except FitError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def current_sweep(fit: Fit, at: float, asked: PlanSettings) -> Plan:
    """The plan along the chart for a budget of 10^`at` FLOP; the same table for every budget the chart reaches."""
    nodes = tuple(chart_payload.budgets(fit, at))
    unique = unique_tokens(fit, asked)
    return _sweep(fit.identity, nodes, asked.chosen, unique, fit)


@st.cache_resource(
    max_entries=8, show_spinner="Planning along the budget"
)  # each holds the draws of its hundred budgets
def _sweep(
    identity: str,
    nodes: tuple[float, ...],
    size: float | None,
    unique: float | None,
    _fit: Fit,
) -> Plan:
    return chart_payload.sweep(_fit, nodes, size, unique)


def current_run(fit: Fit, along: Plan, here: Plan, asked: PlanSettings) -> tuple[WholeRun, WholeRun] | None:
    """What goes with the plan of these settings, along the chart and at the budget; None where the plan has no sizes."""
    if here.params is None:
        return None
    from fitting.batch import whole_run

    own, kept = own_rules(fit), state.setting("critical")
    batch, lr = plan_run.rules(asked, own)
    large = critical()
    about = (
        asked.rule if own is not None else "",
        asked.critical,
        asked.critical_batch,
        repr(kept),
        asked.size,
        asked.text,
    )
    nodes = (len(along.flops.value), float(along.flops.value[0]), float(along.flops.value[-1]))
    key = (fit.identity, nodes, about, asked.rule)
    return _whole(key, lambda: whole_run(along, batch, lr, large)), whole_run(here, batch, lr, large)


@st.cache_resource(max_entries=32, show_spinner=False)
def _whole(key: tuple[Any, ...], _make: Callable[[], WholeRun]) -> WholeRun:
    return _make()


def placed(
    fit: Fit, along: Plan, here: Plan, whole: tuple[WholeRun, WholeRun] | None, asked: PlanSettings
) -> plan_fleet.Place:
    """The plan on the devices of these settings: as many as they say, or as suit the budget where they leave that open."""
    count = fit.settings.count
    fleet = plan_fleet.fleet(asked, along, whole and whole[0], count)
    filled = replace(asked, devices=fleet.at(math.log10(here.flops.value)))
    planned = plan_fleet.planned(fit, here, whole and whole[1], filled, chosen=fleet.chosen)
    return plan_fleet.Place(filled, fleet, planned)


def own_rules(fit: Fit) -> RateLaws | None:
    """The laws of learning rate and batch that the current runs hold themselves, if any."""
    return cast("RateLaws | None", state.derived(plan_run.own_rules, fit, state.current_runs()))


def timed(fit: Fit) -> StepTime | None:
    """How long the steps of the current runs took, where their table says so."""
    return cast("StepTime | None", state.derived(plan_run.timed, fit, state.current_runs()))


def on_a_cpu() -> bool:
    """Whether all of the current runs were trained on a CPU."""
    return plan_run.on_a_cpu(state.current_runs())


def shapes(fit: Fit, params: float) -> tuple[SizedShape, ...] | FitError:
    """Shapes near a size, with the vocabulary of the current runs where their table has one."""
    kept = state.current_runs().kept
    sizes = kept["vocab"].dropna().unique() if "vocab" in kept else []
    return plan_run.shapes_of(params, fit.settings.count, int(sizes[0]) if len(sizes) == 1 else VOCAB)


def measured() -> Advice | None:
    """The measured law of critical batches there is: taken over from the Batch page, else from the bundled runs' own ladder."""
    own = plan_run.measured(state.setting("critical"))
    return own if own is not None else _bundled_sweep()


def _bundled_sweep() -> Advice | None:
    sweep = state.chosen().batch_sweep
    return _law_of_sweep(sweep) if sweep else None


@st.cache_resource(show_spinner=False)  # a page asks several times
def _law_of_sweep(key: str) -> Advice | None:
    from data.library import load

    law = batch_state.along_of(load(key))
    if law is None:
        return None
    return replace(plan_run.of_sweep(law, "loss"), title="The bundled batch-size sweep, of this language")


def critical() -> Advice | None:
    """The law of critical batches to plan with; None where a number is wanted and none is given."""
    return plan_run.critical(settings(), measured())


def take_over(law: Growth | AlongLoss, along: str, unit_tokens: float, warnings: Iterable[str] = ()) -> None:
    """Plan with a measured law of critical batches from now on, whatever data is chosen; its `warnings` go with it."""
    kept = plan_run.to_keep(law, along, unit_tokens, state.chosen().title, tuple(warnings))
    plan = replace(settings(), critical="measured").written()
    state.change("plan with this critical batch", {"critical": kept, "plan": plan})


def habit(fit: Fit, here: Plan) -> tuple[str, ...]:
    """What the plan's batch costs over that of the fitted runs, in a sentence, where it is known."""
    if here.params is None:
        return ()
    return plan_run.habit_note(here, settings(), state.current_runs(), own_rules(fit), critical())


def current_front(fit: Fit, here: Plan, asked: PlanSettings) -> Front | FitError:
    """The front between time and compute at the budget, on devices whose number is filled in, or why there is none."""
    own = own_rules(fit)
    return plan_run.front_of(here, asked, state.current_runs(), own, measured())
