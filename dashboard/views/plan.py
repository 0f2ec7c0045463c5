"""Plan: what should I train with this budget?"""

import math

import streamlit as st

from dashboard import fit_words, numbers, plan_table, state, summary, takeaway, widgets
from dashboard.budget_chart import budget_chart, committed_budget
from dashboard.plan_settings import OTHER, PEAKS
from data.cells import number
from fitting import FitError, plan

CHART = "budget"
DEVICES = [*PEAKS, OTHER]


def dragged() -> None:
    """Keep the budget let go of on the chart."""
    at = committed_budget(CHART)
    if at is not None:
        state.set_budget(at)


def keep(*names: str) -> None:
    """Keep what was entered in the widgets of these names."""
    state.set_plan(**{name: st.session_state[f"plan_{name}"] for name in names})


runs = state.current_runs()
fit = state.current_fit()
chips = summary.chips(state.chosen().title, runs)
if isinstance(fit, FitError):
    widgets.chips(chips)
    widgets.show_trouble(fit)
    st.page_link("views/fit.py", label="Choose a law on the Fit page")
    st.stop()
asked = state.plan_settings()
hardware = asked.hardware
try:
    at = state.budget(fit)
    here = plan(fit, flops=10.0**at, params=asked.chosen)
    along = state.current_sweep(fit, at, asked.chosen)
except FitError as error:
    widgets.chips([*chips, *fit_words.chips(fit)])
    widgets.show_trouble(error)
    st.page_link("views/fit.py", label="Choose another law on the Fit page")
    st.stop()

widgets.chips([*chips, *fit_words.chips(fit)])
unit = plan_table.units(hardware).get(asked.unit, plan_table.units(hardware)["flop"])
budget_chart(
    plan_table.payload(
        fit,
        along,
        here,
        runs,
        hardware=hardware,
        device=asked.device if asked.device in PEAKS else "devices",
        unit=unit,
        chosen=asked.chosen,
        floor=state.true_floor(),
    ),
    key=CHART,
    on_change=dragged,
)
if here.notes:
    st.caption(widgets.literal(" ".join(here.notes)))

takes, ask = st.columns(2, gap="medium")
with takes.container(border=True, height="stretch"):
    st.markdown("**What it takes**")
    titles = {u.key: u.title for u in plan_table.units(hardware).values()}
    st.segmented_control(
        "Say the budget in", list(titles), format_func=lambda key: titles[key], key="plan_unit", default=unit.key, required=True,
        on_change=keep, args=("unit",), help="The unit of the handle on the chart and of what is typed there.",
    )  # fmt: skip
    left, right = st.columns(2)
    left.selectbox(
        "Device", DEVICES, index=DEVICES.index(asked.device),
        key="plan_device", on_change=keep, args=("device",), help="Dense bf16 peak as its maker states it.",
    )  # fmt: skip
    right.number_input(
        "Devices",
        min_value=1,
        max_value=10_000_000,
        value=int(asked.devices),
        key="plan_devices",
        on_change=keep,
        args=("devices",),
    )
    if asked.device == OTHER:
        left.number_input(
            "Peak, TFLOP/s dense bf16",
            min_value=0.001,
            value=float(asked.peak),
            key="plan_peak",
            on_change=keep,
            args=("peak",),
        )
    left.number_input(
        "Utilisation, %", min_value=0.1, max_value=100.0, value=float(asked.utilisation), key="plan_utilisation",
        on_change=keep, args=("utilisation",), help="Share of the peak your training reaches (MFU). 30 to 50 % is usual; measure yours.",
    )  # fmt: skip
    right.number_input(
        "Price of a device-hour, $", min_value=0.0, value=float(asked.price), key="plan_price", on_change=keep, args=("price",),
        help="What you pay. Assumed at first; 0 leaves money out.",
    )  # fmt: skip

with ask.container(border=True, height="stretch"):
    st.markdown("**Ask it another way**")
    if here.params is not None:
        st.text_input(
            "Hold the model at a size", value=asked.size, placeholder="best size, or such as 7B", key="plan_size",
            on_change=keep, args=("size",), help="What over-training a smaller model, or under-training a larger one, costs.",
        )  # fmt: skip
        if asked.size and asked.chosen is None:
            st.caption(":red[A size is a number of parameters such as 125M or 7B.]")
        elif here.penalty is not None:
            value, interval = numbers.with_interval(here.penalty.value, here.penalty.low, here.penalty.high, "percent")
            st.caption(f"The loss is {value} ({interval}) above what the best size would reach with this budget.")
    wanted = st.text_input(
        "Reach a loss of", placeholder="such as 2.1", key="plan_loss", help="The budget that a loss needs."
    )
    if wanted:
        try:
            needs = plan(fit, loss=number(wanted), params=asked.chosen)
        except FitError as error:
            st.caption(f":red[{widgets.literal(str(error))}]")
        else:
            budget, within = numbers.with_interval(needs.flops.value, needs.flops.low, needs.flops.high, "flop")
            sizes = ""
            if needs.params is not None and needs.tokens is not None:
                sizes = (
                    f": {numbers.count(needs.params.value)} parameters on {numbers.count(needs.tokens.value)} tokens"
                )
            st.caption(f"It takes {budget} FLOP ({within}){sizes}.")
            st.button("Show on the chart", on_click=state.set_budget, args=(math.log10(needs.flops.value),))

takeaway.downloads(takeaway.of_plan(fit, here), "plan")
with st.expander("How was this computed"):
    doubt = (
        "what runs near it leave over and, beyond the largest run, doubt about the law's form: as much as forecasts of public "
        "sweeps' largest runs called for"
        if fit.doubt is not None
        else "nothing for doubt about the law's form, since no refits were asked for"
    )
    st.markdown(
        "At each budget the law is minimised numerically over model size, with tokens being what the budget leaves, "
        f"under the table's own count of FLOPs. The intervals repeat that for each of {fit.settings.resamples:,} refits to data "
        f"drawn anew and keep the middle 95 %; a new run's interval adds the noise of one run around the law, and {doubt}."
    )
    st.code(f"data {fit.digest}", language=None)
