"""The device a plan is made for, as a choice on its charts: what each device changes, so that a chart shows it at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dashboard import plan_state
from dashboard.budget_chart import committed_choice
from dashboard.plan_settings import PlanSettings


def under_each(asked: PlanSettings) -> dict[str, PlanSettings]:
    """The plan's settings with each device in place of the chosen one."""
    return {row.name: asked if row.name == asked.device else replace(asked, device=row.name) for row in asked.table}


def choice(asked: PlanSettings, parts: Callable[[PlanSettings], dict[str, Any]]) -> dict[str, Any]:
    """The choice as a chart is handed it; `parts` are the entries of its payload that a device changes."""
    options = [
        {"key": name, "label": name, "parts": {} if name == asked.device else parts(one)}
        for name, one in under_each(asked).items()
    ]
    return {"label": "Device", "at": asked.device, "options": options}


def keep(chart: str) -> None:
    """Keep the device chosen on the chart of this key."""
    name, asked = committed_choice(chart), plan_state.settings()
    if name != asked.device and name in under_each(asked):
        plan_state.change(device=name)
