"""The device a plan is made for, as a choice on its charts: what each device changes, so that a chart shows it at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dashboard.budget_chart import Choice, committed_choice
from dashboard.budget_chart.declared import Option, Options
from dashboard.plan import state as plan_state
from dashboard.plan.settings import PlanSettings

CHARTS = BUDGET, FRONT = "budget", "front"  # the keys of the charts that offer the choice


def under_each(asked: PlanSettings) -> dict[str, PlanSettings]:
    """The plan's settings with each device in place of the chosen one."""
    return {row.name: asked if row.name == asked.device else replace(asked, device=row.name) for row in asked.table}


def choice(asked: PlanSettings, parts: Callable[[PlanSettings], dict[str, Any]]) -> Options:
    """The choice as a chart is handed it; `parts` are the entries of its payload that a device changes."""
    options = [
        Option(name, name, {} if name == asked.device else parts(one)) for name, one in under_each(asked).items()
    ]
    last = chosen()
    return Options("Device", asked.device, options, last.n if last else 0)


def chosen() -> Choice | None:
    """The last choice made on any of the charts; the plan may have been changed in other ways since."""
    words = [said for said in map(committed_choice, CHARTS) if said is not None]
    return max(words, key=lambda said: said.n, default=None)


def keep() -> None:
    """Keep the device chosen last, once a chart has said that one was."""
    last, asked = chosen(), plan_state.settings()
    if last is not None and last.key != asked.device and last.key in under_each(asked):
        plan_state.change(device=last.key)
