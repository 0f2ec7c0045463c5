"""Two other ways to be asked for a size, under the Plan page's chart: hours on one device, and use after training."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.html_table import row, table
from dashboard.plan import state as plan_state
from dashboard.plan.settings import LONGEST, PlanSettings, typed
from fitting import Fit, FitError, Plan
from fitting.planning.hour_classes import HourClass, PeakSpeed, hour_classes
from fitting.planning.lifetime import Lifetime, lifetime
from fitting.planning.step_time import StepTime

CUT = "Intervals of the loss are cut at the true floor of this language."


def hours(fit: Fit, asked: PlanSettings, batch: float, measured: StepTime | None) -> None:
    """The best size in each class of hours on one device, at the runs' own speed where they tell it, else by its peak."""
    box = st.expander("Hours on one device", key="plan_hours_open", on_change="rerun")
    if not box.open:
        return
    with box:
        speed, told = speed_of(fit, asked, batch, measured)
        try:
            found = hour_classes(fit, speed, batch=batch)
        except FitError as refusal:
            widgets.quiet(str(refusal))
            return
        floor = state.true_floor()
        widgets.quiet(told, *([CUT] if floor is not None and any(one.loss.low < floor for one in found) else []))
        st.html(_table(("Hours", "Parameters", "Tokens", "Loss", "Steps"), [_row(one, floor) for one in found]))
        # The page's own head says the fit's warnings already.
        of_all = fit.predict(params=[one.params.value for one in found], tokens=[one.tokens.value for one in found])
        widgets.quiet(*(note for note in of_all.notes if note not in fit.warnings))


def speed_of(
    fit: Fit, asked: PlanSettings, batch: float, measured: StepTime | None
) -> tuple[Callable[[Any], Any], str]:
    """Tokens a second on one device by size, and in a sentence where that is from."""
    if measured is not None and measured.count and measured.rate().low <= asked.hardware.peak:
        return (
            lambda n: measured.tokens_per_second(n, batch).value,
            f"At the speed of your runs' own steps, at a batch of {numbers.count(batch)} tokens: small models limited by memory "
            "bandwidth are slower than their FLOPs suggest.",
        )
    return (
        PeakSpeed(asked.row.peak * 1e12 * asked.utilisation / 100.0, fit.accounting),
        f"At {asked.utilisation:g} % of one {asked.device}'s peak at any size, which overstates the speed of small models. A table with "
        "step times gives the measured speed of each size.",
    )


def _row(one: HourClass, floor: float | None) -> tuple[str, ...]:
    loss = one.loss.above(floor)
    cells = [_with(b, kind) for b, kind in ((one.params, "count"), (one.tokens, "count"), (loss, "loss"))]
    return (f"{one.hours:g}", *cells, "" if one.steps is None else numbers.count(one.steps))


def life(fit: Fit, here: Plan, asked: PlanSettings) -> None:
    """The size that takes the least compute for the plan's loss when its use is counted too."""
    box = st.expander("Training + inference compute", key="plan_life_open", on_change="rerun")
    if not box.open:
        return
    with box:
        st.text_input(
            "Inference tokens", key=widgets.hold("plan_served", asked.served), placeholder="none, or such as 10T",
            on_change=_keep, width=260, max_chars=LONGEST,
            help="Tokens that the model will process at inference. The more of them, the smaller and longer trained the best model "
            "(Sardana et al. 2023, arXiv 2401.00448): an inference token costs a third of a training token.",
        )  # fmt: skip
        if not asked.served:
            widgets.quiet(
                "With much inference, a smaller model trained for longer costs less compute at the loss of this plan."
            )
            return
        served = typed(asked.served)
        if served is None:
            st.caption(":red[Inference tokens are a number such as 300B or 10T.]")
            return
        try:
            found = lifetime(fit, loss=float(here.loss.value), served=served)
        except FitError as refusal:
            widgets.quiet(str(refusal))
            return
        st.html(_table(("", "Parameters", "Tokens", "Training FLOP", "Training + inference FLOP"), _lives(found)))
        saved = numbers.with_interval(found.saved.value, found.saved.low, found.saved.high, "percent")
        widgets.quiet(
            f"{saved[0]} ({saved[1]}) less training and inference compute, at equal loss, than the size with the least training compute.",
            *found.notes,
        )


def _lives(found: Lifetime) -> list[tuple[str, ...]]:
    trained = found.trained
    assert trained.params is not None
    assert trained.tokens is not None
    whole = found.flops.value / (1.0 - found.saved.value)
    return [
        ("Least training compute", numbers.count(trained.params.value), numbers.count(trained.tokens.value),
         numbers.flop(trained.flops.value), numbers.flop(whole)),
        ("Least training + inference compute", _with(found.params, "count"), _with(found.tokens, "count"), _with(found.train_flops, "flop"),
         _with(found.flops, "flop")),
    ]  # fmt: skip


def _keep() -> None:
    plan_state.change(served=st.session_state["plan_served"])


def _with(band: Any, kind: str) -> str:
    value, within = numbers.with_interval(band.value, band.low, band.high, kind)
    return value if within in (value, numbers.MISSING) else f"{value} ({within})"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return table(map(escape, heads), (row(map(escape, cells)) for cells in rows))
