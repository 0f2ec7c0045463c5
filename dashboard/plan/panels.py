"""The parts of the Plan page below its chart: time and compute, units, batch and learning rate, and other budgets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import partial
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import html_table, numbers, widgets
from dashboard.budget_chart import budget_chart, committed_budget
from dashboard.plan import chart_payload, device_choice, device_table
from dashboard.plan import fleet as plan_fleet
from dashboard.plan import run as plan_run
from dashboard.plan import state as plan_state
from dashboard.plan.settings import CRITICAL_LAWS, LONGEST, PlanSettings, typed
from data.cells.values import number
from data.plain import limits
from fitting import Fit, FitError, Plan, plan
from fitting.batch import BatchSchedule, Front, RateLaws, WholeRun
from fitting.planning.shapes import SizedShape
from fitting.planning.step_time import StepTime

On = Callable[[PlanSettings], plan_fleet.Place]
PANELS = {"batch": "Batch", "all": "Batch, learning rate, steps"}
NO_LIMIT = "Empty for none."


def keep(*names: str) -> None:
    """Keep what was entered in the widgets of these names."""
    plan_state.change(**{name: st.session_state[f"plan_{name}"] for name in names})


def keep_whole(name: str) -> None:
    """Keep a whole number; an empty field is none."""
    plan_state.change(**{name: round(st.session_state[f"plan_{name}"] or 0)})


def field(where: st.delta_generator.DeltaGenerator, name: str, label: str, asked: PlanSettings, **more: object) -> None:
    """A number that is kept in the plan's settings, within what these allow."""
    key, (low, high) = widgets.hold(f"plan_{name}", getattr(asked, name)), limits(PlanSettings, name)
    where.number_input(label, key=key, min_value=low, max_value=high, on_change=keep, args=(name,), **more)  # type: ignore[call-overload]


def limit(where: st.delta_generator.DeltaGenerator, name: str, label: str, asked: PlanSettings) -> None:
    """A limit that is kept in the plan's settings; an empty field is none."""
    key, (low, high) = widgets.hold(f"plan_{name}", getattr(asked, name) or None), limits(PlanSettings, name)
    where.number_input(
        label, key=key, value=None, min_value=low, max_value=high, on_change=_keep_limit, args=(name,), placeholder="none",
        help=NO_LIMIT,
    )  # fmt: skip


def _keep_limit(name: str) -> None:
    plan_state.change(**{name: st.session_state[f"plan_{name}"] or 0.0})


def how_fast(found: Front | FitError, on: On, here: WholeRun, measured: StepTime | None) -> None:
    """The front between time and compute, its line where the plan is on its devices, beside what bounds it.

    `on` places the plan on the devices of some settings, in which their number may be left open.
    """
    raw = plan_state.settings()
    place = on(raw)
    asked, least = place.asked, place.planned.least

    main, side = st.columns([7, 3], gap="large")
    with main:
        if isinstance(found, FitError):
            widgets.quiet(str(found))
        else:
            made = plan_run.front_payload(found, asked, here, least, place.planned)
            made = replace(made, choice=device_choice.choice(raw, lambda one: _parts(found, here, on(one))))
            shown = partial(_shown, found, on)
            budget_chart(made, key=device_choice.FRONT, on_change=partial(_let_go, shown), on_choice=device_choice.keep)
    with side:
        st.markdown("**Devices and limits**")
        left, right = st.columns(2, vertical_alignment="bottom")
        left.number_input(
            "Devices", key=widgets.hold("plan_devices", float(raw.devices) or None), value=None, min_value=1.0, max_value=1e7,
            on_change=keep_whole, args=("devices",), **widgets.WHOLE, placeholder=f"auto: {asked.devices:,}",
            help="Empty: as many as hold the model and end the run within four weeks, with at least a thousand tokens of the batch "
            "per device. That number follows the budget.",
        )  # fmt: skip
        right.number_input(
            "Tokens per device per step", key=widgets.hold("plan_device_tokens", asked.device_tokens or None), value=None, min_value=1e-3,
            max_value=1e9, format="%.6g", on_change=_keep_share, placeholder="auto" if isinstance(found, FitError) else
            f"auto: {numbers.whole(found.cluster.tokens)}",
            help="The part of the batch that one device processes: sequences times their length. At a fixed part, a step takes "
            "as long on any number of devices. Empty: the plan's batch over the devices.",
        )  # fmt: skip
        left, right = st.columns(2, vertical_alignment="bottom")
        field(
            left, "utilisation", "Utilisation, %", asked,
            help="Share of the peak your training reaches (MFU). 30 to 50 % is usual; measure yours.",
        )  # fmt: skip
        field(
            right, "latency", "Fixed time per step, ms", asked,
            help="Time of a step beside its arithmetic: kernel launches, waiting, communication between devices.",
        )  # fmt: skip
        if plan_state.on_a_cpu():
            st.caption(
                f"Your runs trained on a CPU: how long their steps took does not tell the speed of {asked.device}."
            )
        if measured is not None:
            said, share, start = plan_run.speed_words(measured, asked)
            st.caption(widgets.literal(said))
            if share is not None:
                st.button("Plan with this speed", key="plan_speed", on_click=_use_speed, args=(share, start))
        left, right = st.columns(2)
        limit(left, "deadline", "Deadline, days", asked)
        right.number_input(
            "Max devices", key=widgets.hold("plan_most_devices", float(asked.most_devices) or None), value=None, min_value=0.0,
            max_value=1e9, on_change=keep_whole, args=("most_devices",), placeholder="none", help=NO_LIMIT, **widgets.WHOLE,
        )  # fmt: skip
        left.number_input(
            "Price of a device-hour, $", key=widgets.hold("plan_hour", asked.hour), min_value=0.0, max_value=device_table.MOST,
            on_change=_keep_price,
            help="Your price of this device; each device has its own. The first value is an assumption; 0 leaves cost out.",
        )  # fmt: skip
        limit(right, "most_money", "Max cost, $", asked)
        if not isinstance(found, FitError):
            said = plan_run.verdict(found, asked, least)
            if said:
                widgets.quiet(said)


def _parts(found: Front, here: WholeRun, place: plan_fleet.Place) -> dict[str, Any]:
    """What other devices change on the front's chart; nothing where there is no front on them, which is said once they are chosen."""
    try:
        front, planned = plan_run.front_on(found, place.asked), place.planned
    except FitError:
        return {}
    return plan_run.front_parts(front, place.asked, here, planned.least, planned)


def _shown(found: Front, on: On, asked: PlanSettings) -> Front:
    """The front as the chart shows it on the device of these settings."""
    return plan_run.front_on(found, on(asked).asked)


def devices(asked: PlanSettings) -> None:
    """The table of devices, each figure to be changed, rows to be added or taken away."""
    with st.expander("Table of devices"):
        widgets.quiet(
            "Makers' figures: dense bf16 peak, memory and its bandwidth. Edit them, add devices, and enter your prices. "
            "Without a memory size it is not checked what fits."
        )
        # A new edition whenever the table changes: the editor applies its edits to what it was first shown.
        key = f"devices-{hash(asked.table) & 0xFFFFFFFF:x}"
        st.data_editor(
            pd.DataFrame([asdict(row) for row in asked.table], columns=["name", *device_table.NUMBERS]).astype(
                dict.fromkeys(device_table.NUMBERS, float)
            ),
            key=key, num_rows="dynamic", hide_index=True, on_change=_edited, args=(key, asked.table),
            column_config={
                "name": st.column_config.TextColumn("Device", required=True, max_chars=device_table.LONGEST),
                "peak": st.column_config.NumberColumn("Peak, TFLOP/s", required=True, min_value=1e-3, format="%.4g"),
                "bandwidth": st.column_config.NumberColumn("Bandwidth, TB/s", min_value=1e-6, format="%.4g"),
                "memory": st.column_config.NumberColumn("Memory, GB", min_value=1e-3, format="%.4g"),
                "price": st.column_config.NumberColumn("An hour, $", min_value=0.0, format="%.2f"),
            },
        )  # fmt: skip
        if asked.table != device_table.MAKERS:
            st.button(
                "Back to the makers' figures",
                key="devices_back",
                on_click=plan_state.change_devices,
                args=(device_table.MAKERS,),
            )


def _edited(key: str, rows: tuple[device_table.Row, ...]) -> None:
    """Keep the table as edited, once a new row has a name and a peak."""
    edits = st.session_state[key]
    if not device_table.unfinished(edits):
        plan_state.change_devices(device_table.edited(rows, edits))


def _keep_share() -> None:
    """Keep what a device takes of the batch; an empty field leaves that to the plan's batch."""
    plan_state.change(device_tokens=st.session_state["plan_device_tokens"] or 0)


def _keep_price() -> None:
    plan_state.change_price(float(st.session_state["plan_hour"]))


def _use_speed(share: float, start: float) -> None:
    """Take the speed of the runs' own steps for the plan's."""
    plan_state.change(utilisation=share, latency=start)


def _let_go(on: Callable[[PlanSettings], Front]) -> None:
    """Keep the devices that the point let go of on the front takes, on the device that the front was of, and what each takes.

    So the front stays the one that was dragged along: its batch is no longer the plan's, which its sentence says.
    """
    said = committed_budget(device_choice.FRONT)
    if said is not None:
        asked = plan_state.settings()
        shown = device_choice.under_each(asked).get(said.under or "", asked)
        front = on(shown)
        devices = plan_run.devices_at(front, said.at)
        plan_state.change(devices=devices, device_tokens=float(f"{front.cluster.tokens:.9g}"))


def growing(found: BatchSchedule | FitError) -> None:
    """A batch that grows along the run: what it saves, and its stretches."""
    with st.expander("Batch-size ramp"):
        if isinstance(found, FitError):
            widgets.quiet(str(found))
            return
        saved = numbers.percent(abs(found.steps_saved))
        widgets.quiet(
            f"{saved} {'fewer' if found.steps_saved >= 0 else 'more'} steps than a fixed batch of {numbers.count(found.fixed_batch)} "
            "tokens, for equally many tokens: the batch doubles as the critical batch grows with the falling loss, and the learning rate "
            "grows as its square root. The ramp starts after 1 % of the run; no law covers the part before."
        )
        heads = ("From step", "Tokens seen", "Batch, tokens", "Learning rate")
        rows = [
            (
                f"{numbers.count(s.step)}",
                numbers.count(s.examples),
                numbers.count(s.batch),
                numbers.flop(s.optimiser.lr) if s.optimiser else "—",
            )
            for s in found.stages
        ]
        st.html(html_table.table(heads, map(html_table.row, rows)))


def shapes(found: tuple[SizedShape, ...] | FitError, asked: PlanSettings) -> None:
    """A few shapes near the plan's size, with what their training holds in memory and the fewest devices that takes."""
    if isinstance(found, FitError):
        widgets.quiet(str(found))
        return
    heads = (
        "Parameters",
        "Layers",
        "Width",
        "Heads",
        "Feed-forward",
        "Memory, states",
        f"Fewest {escape(asked.device)}",
    )
    rows = []
    for one in found:
        total, least = plan_run.memory_of(one, asked)
        s, off = one.shape, numbers.percent(one.off)
        cells = (
            f"<b>{numbers.count(one.params)}</b> ({'+' if one.off > 0 else ''}{off})", f"{s.layers:,}", f"{s.width:,}",
            f"{s.heads:,} of {s.d_attn // s.heads}", f"{s.d_ffn:,}", _bytes(total),
            "—" if least is None else "does not fit" if least == math.inf else f"{least:,}",
        )  # fmt: skip
        rows.append(html_table.row(cells))
    st.html(html_table.table(heads, rows))
    widgets.quiet(plan_run.SHAPE_WORDS)


def _bytes(value: float) -> str:
    """Bytes as people say them: 380 GB."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e3:.3g} kB"


def what_it_takes(asked: PlanSettings) -> None:
    """The unit that budgets are said in, and which panels the chart has."""
    st.markdown("**What the chart shows**")
    titles = {u.key: u.title for u in chart_payload.units(asked.hardware).values()}
    unit = asked.unit if asked.unit in titles else "flop"
    st.segmented_control(
        "Budget unit", list(titles), format_func=lambda key: titles[key], key=widgets.hold("plan_unit", unit), required=True,
        on_change=keep, args=("unit",), help="The unit of the chart's handle and of a typed budget.",
    )  # fmt: skip
    st.segmented_control(
        "Panels below tokens", list(PANELS), format_func=lambda key: PANELS[key], key=widgets.hold("plan_panels", asked.panels),
        required=True, on_change=keep, args=("panels",),
    )  # fmt: skip


def what_goes_with_it(asked: PlanSettings, own: RateLaws | None, habit: str) -> None:
    """Where batch, learning rate and critical batch come from."""
    st.markdown("**Batch and learning rate**")
    offered = {**({"runs": "Your runs"} if own is not None else {}), **plan_run.RULES}
    chosen = asked.rule if asked.rule in offered else "steplaw"
    st.selectbox(
        "Best batch and learning rate by", list(offered), format_func=lambda key: offered[key],
        key=widgets.show("plan_rule", chosen), on_change=keep, args=("rule",),
        help="Published laws are taken as exact, with constants from their own setup: refit them where your runs sweep both.",
    )  # fmt: skip
    sweep = plan_state.measured()
    known = {**({"measured": sweep.title} if sweep is not None else {}), **CRITICAL_LAWS}
    at = asked.critical if asked.critical in known else next(iter(known))
    st.selectbox(
        "Critical batch by", list(known), format_func=lambda key: known[key], key=widgets.show("plan_critical", at),
        on_change=keep, args=("critical",),
        help="McCandlish's: where a run takes twice the fewest steps and twice the least data. Measure yours on the Batch page.",
    )  # fmt: skip
    left, right = st.columns(2) if at == "number" else (None, st.container())
    if left is not None:
        left.text_input(
            "Critical batch, tokens", placeholder="such as 2M", key=widgets.hold("plan_critical_batch", asked.critical_batch),
            max_chars=LONGEST, on_change=keep, args=("critical_batch",),
        )  # fmt: skip
        if asked.critical_batch and typed(asked.critical_batch) is None:
            _wrong("A batch is a number of tokens such as 500k or 2M.", left)
    right.text_input(
        "Batch size of your runs, tokens", placeholder="from the table", key=widgets.hold("plan_runs_batch", asked.runs_batch),
        on_change=keep, args=("runs_batch",), max_chars=LONGEST,
        help="The plan's tokens are those that runs at this batch need; a smaller batch needs fewer.",
    )  # fmt: skip
    if asked.runs_batch and typed(asked.runs_batch) is None:
        _wrong("A batch is a number of tokens such as 500k or 2M.", right)
    widgets.quiet(f"The batch size of your runs is {habit}.")


LEFT_OUT = {"size": "the fixed model size", "text": "the limit of unique tokens"}


def left_out(names: Iterable[str]) -> str:
    """What the plan that is shown goes without, and where that is changed."""
    return f"The plan below leaves out {' and '.join(LEFT_OUT[name] for name in names)}; change it under Settings."


def another_way(fit: Fit, here: Plan, asked: PlanSettings, planned: plan_state.Planned) -> None:
    """A fixed size, and the budget that a loss needs; beside each field why it is left out of the plan, where it is."""
    st.markdown("**Fixed size, data or loss**")
    if here.params is not None:
        st.text_input(
            "Fix model size", placeholder="best size, or such as 7B", key=widgets.hold("plan_size", asked.size),
            on_change=keep, args=("size",), max_chars=LONGEST,
            help="The loss of over-training a smaller model, or of under-training a larger one.",
        )  # fmt: skip
        if "size" in planned.refused:
            _wrong(planned.refused["size"])
        elif asked.size and asked.chosen is None:
            _wrong("A size is a number of parameters such as 125M or 7B.")
        elif here.penalty is not None:
            value, interval = numbers.with_interval(here.penalty.value, here.penalty.low, here.penalty.high, "percent")
            st.caption(f"The loss is {value} ({interval}) above what the best size would reach with this budget.")
        st.text_input(
            "Unique tokens available", placeholder="unlimited, or such as 2T", key=widgets.hold("plan_text", asked.text), on_change=keep,
            args=("text",), max_chars=LONGEST,
            help="A law of repeated data weighs each epoch; other laws are limited to four epochs, which cost little loss "
            "(Muennighoff et al. 2023).",
        )  # fmt: skip
        if "text" in planned.refused:
            _wrong(planned.refused["text"])
        elif asked.text and typed(asked.text) is None:
            _wrong("Unique tokens are a number such as 300B or 2T.")
    wanted = st.text_input(
        "Target loss",
        placeholder="such as 2.1",
        key="plan_loss",
        max_chars=LONGEST,
        help="The least compute that reaches this loss.",
    )
    if not wanted:
        return
    asked_loss = number(wanted)
    if not (math.isfinite(asked_loss) and asked_loss > 0):
        _wrong("A loss is a positive number of nats per token such as 2.1.")
        return
    try:
        unique = plan_state.unique_tokens(fit, planned.asked)
        needs = plan(fit, loss=asked_loss, params=planned.asked.chosen, unique_tokens=unique)
    except FitError as error:
        _wrong(str(error))
        return
    budget, within = numbers.with_interval(needs.flops.value, needs.flops.low, needs.flops.high, "flop")
    sizes = ""
    if needs.params is not None and needs.tokens is not None:
        sizes = f": {numbers.count(needs.params.value)} parameters on {numbers.count(needs.tokens.value)} tokens"
    st.caption(f"It takes {budget} FLOP ({within}){sizes}.")
    st.button("Show on the chart", on_click=plan_state.set_budget, args=(math.log10(needs.flops.value),))


def _wrong(sentence: str, where: st.delta_generator.DeltaGenerator | None = None) -> None:
    """Why what was typed in the field above is not used."""
    (where or st.container()).caption(f":red[{widgets.literal(sentence)}]")
