"""Plan: what should I train with this budget?"""

from functools import partial
from typing import Any

import streamlit as st

from dashboard import downloads, frame, state, widgets
from dashboard.budget_chart import budget_chart, committed_budget
from dashboard.error_messages import once
from dashboard.fit import analyses as fit_analyses
from dashboard.fit import words as fit_words
from dashboard.plan import chart_payload, device_choice
from dashboard.plan import fleet as plan_fleet
from dashboard.plan import life as plan_life
from dashboard.plan import panels as plan_panels
from dashboard.plan import run as plan_run
from dashboard.plan import state as plan_state
from dashboard.plan.settings import PlanSettings
from dashboard.runs import summary
from fitting import FitError


def dragged() -> None:
    """Keep the budget let go of on the chart."""
    said = committed_budget(device_choice.BUDGET)
    if said is not None:
        if asked.unit == "time":
            plan_state.set_time(said.at, place.asked.devices)
        else:
            plan_state.set_budget(said.at)


st.html(widgets.FIGURES)
frame.losses_alone("A plan is made by a law of size, data or compute")
runs = state.current_runs()
fit = state.current_fit()
every = state.whole_runs()
chips = summary.chips(state.chosen().title, runs, len(every.held_out))
if isinstance(fit, FitError):
    widgets.chips(chips)
    able = {} if all(fit_analyses.lacking(runs).values()) else {"fit": "Choose a law on the Fit page"}
    frame.declined(fit, **able, runs="Look at the data on the Runs page")
raw = plan_state.settings()
try:
    planned = plan_state.planned(fit, plan_state.budget(fit), raw)
except FitError as error:
    widgets.chips([*chips, *fit_words.chips(fit)])
    frame.declined(error, fit="Choose another law on the Fit page")

widgets.chips([*chips, *fit_words.chips(fit)])
asked, here, along = planned.asked, planned.here, planned.along
if planned.refused:
    widgets.trouble(once(planned.refused.values()), plan_panels.left_out(planned.refused))
whole = plan_state.current_run(fit, along, here, asked)
on = partial(plan_state.placed, fit, along, here, whole)
place, count = on(asked), fit.settings.count


def in_other_units(asked: PlanSettings) -> dict[str, Any]:
    """What the budget takes on the devices of these settings, for the chart."""
    return plan_fleet.parts(on(asked), along, here, count)


budget_chart(
    chart_payload.payload(
        fit,
        along,
        here,
        every,
        spoken={**in_other_units(asked), "choice": device_choice.choice(asked, in_other_units)},
        chosen=asked.chosen,
        floor=state.true_floor(),
        whole=whole,
        every=asked.panels == "all",
        latency=place.planned.latency,
    ),
    key=device_choice.BUDGET,
    on_change=dragged,
    on_choice=device_choice.keep,
)
notes = [*here.notes, *(whole[1].notes if whole else ()), *plan_state.habit(fit, here)]
if place.planned.holds:  # else the headline has said it
    notes += place.planned.notes
if notes:
    st.caption(widgets.literal(once(notes)))

if whole is not None and here.params is not None:
    shapes = plan_state.shapes(fit, here.params.value)
    widgets.section("Time and compute", "train faster for more compute, at the loss of the plan above")
    plan_panels.how_fast(plan_state.current_front(fit, here, place.asked), on, whole[1], plan_state.timed(fit))

    plan_panels.devices(asked)
    plan_panels.growing(plan_run.growing(fit, here, whole[1], plan_state.critical()))

    widgets.section("Model shapes", "near this size, with the fewest devices that hold their training")
    plan_panels.shapes(shapes, asked)
    plan_life.hours(fit, asked, float(whole[1].batch.value), plan_state.timed(fit))
    plan_life.life(fit, here, asked)

widgets.section("Settings")
shown, goes, ask = st.columns(3, gap="medium")
with shown.container(border=True, height="stretch"):
    plan_panels.what_it_takes(asked)
    widgets.steps()
if whole is not None:
    with goes.container(border=True, height="stretch"):
        own = plan_state.own_rules(fit)
        habit = plan_run.runs_batch(asked, runs, plan_run.rules(asked, own)[0])[1]
        plan_panels.what_goes_with_it(asked, own, habit)
with ask.container(border=True, height="stretch"):
    plan_panels.another_way(fit, here, raw, planned)

downloads.buttons(downloads.of_plan(fit, here, whole[1] if whole else None, place.planned), "plan")
with st.expander("How was this computed"):
    doubt = (
        "the residuals of runs near it and, beyond the largest run or where no run has such a balance of size and data, model "
        "discrepancy (how far a law of this form may be off), as large as in forecasts of public sweeps"
        if fit.doubt is not None
        else "no model discrepancy, since no refits were asked for"
    )
    st.markdown(
        "At each budget the law is minimised numerically over model size, with tokens being what the budget leaves, "
        f"under the table's own count of FLOPs. The intervals repeat that for each of {fit.settings.resamples:,} refits "
        f"({fit_words.drawn(fit.settings)}) and keep the middle 95 %; the prediction interval adds the noise of a single run, "
        f"and {doubt}. The law's band is clipped to the prediction interval: the mean cannot be less certain than a single run."
    )
    st.markdown(
        "Batch and learning rate follow a law at each refit's own size and tokens; steps are tokens over the batch. A faster run "
        "takes S = S_min (1 + B_crit / B) steps and E = E_min (1 + B / B_crit) tokens at a batch B "
        "(McCandlish et al. 2018, arXiv 1812.06162), with E_min = D / (1 + B_plan / B_crit) for the plan's own tokens D and batch "
        "B_plan. Each device takes an equal share of the batch, so a step takes as long at any batch: communication between devices "
        "is not counted."
    )
    st.markdown(
        "The automatic number of devices is a power of two: enough to end the run within four weeks and to hold weights, gradients, "
        "optimiser states and activations, and no more than leave each device a thousand tokens of the batch per step."
    )
    st.code(f"data {fit.digest}", language=None)
