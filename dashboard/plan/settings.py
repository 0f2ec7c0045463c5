"""What a person can choose about a plan, read from plain values that may be stale or somebody else's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from dashboard.plan.device_table import MAKERS, Row
from data.cells.values import number
from fitting.planning.hardware import Hardware

A_NODE = 8
LONGEST = 60  # signs of what is typed that are kept
UNITS = ("flop", "hours", "time", "money")
RULES = ("steplaw", "porian", "deepseek", "runs")
CRITICAL_LAWS = {"zhang_coupled": "Zhang et al. 2024", "kaplan_critical": "Kaplan et al. 2020", "number": "A number"}
CRITICALS = ("", "zhang_coupled", "kaplan_critical", "measured", "number")


@dataclass(frozen=True)
class PlanSettings:
    """The devices trained on and the unit a budget is said in; `size` is the model size held, as typed ("" for the best),
    `text` how many unique tokens there are ("" for enough), `served` how many tokens it will read and write in use ("" for none).

    `rule` is where batch and learning rate come from, `critical` where the critical batch does ("" for a measured one, else
    Zhang's), `critical_batch` and `runs_batch` numbers as typed ("" where the law or the table says); `device_tokens` is what
    a device takes of a batch in a step (0 for its share of the plan's batch), which takes `latency` milliseconds beyond its
    arithmetic. Limits are 0 for none: `deadline` in days, `most_devices`, `most_money` in dollars. `panels` is what the chart
    shows.

    `devices` is 0 where nobody chose how many: `on_devices` says then.

    `utilisation` is in per cent of the peak; `price` is for one device-hour, in dollars, 0 for unknown, and counts where the
    device's row of the table has none. Both are assumptions until the person says their own. `table` is kept apart.
    """

    unit: str = "flop"
    device: str = "H100"
    devices: int = 0
    utilisation: float = 40.0
    price: float = 2.0
    size: str = ""
    text: str = ""
    served: str = ""
    rule: str = "steplaw"
    critical: str = ""
    critical_batch: str = ""
    runs_batch: str = ""
    device_tokens: float = 0.0
    latency: float = 0.0
    deadline: float = 0.0
    most_devices: int = 0
    most_money: float = 0.0
    panels: str = "batch"
    table: tuple[Row, ...] = MAKERS

    @property
    def row(self) -> Row:
        """The device's row of the table."""
        return next((row for row in self.table if row.name == self.device), self.table[0])

    @property
    def memory(self) -> float | None:
        """Bytes of one device's memory; None for unknown."""
        return None if self.row.memory is None else self.row.memory * 1e9

    @property
    def hour(self) -> float:
        """What an hour of the device costs, in dollars; 0 for unknown."""
        return self.price if self.row.price is None else self.row.price

    @property
    def hardware(self) -> Hardware:
        """The devices as `fitting` counts with them; `A_NODE` of them where nobody chose and nothing is planned yet."""
        return Hardware(
            float(self.devices or A_NODE), self.row.peak * 1e12, self.utilisation / 100.0, self.hour or None
        )

    @property
    def chosen(self) -> float | None:
        """The size held, in parameters; None for the best one, or where the text is no size."""
        return typed(self.size)

    def written(self) -> dict[str, Any]:
        """Plain values of what differs from the defaults."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "table"}
        return {name: value for name, value in plain.items() if value != getattr(DEFAULTS, name)}


def typed(text: str) -> float | None:
    """The number that a text such as 7B says, at least 1; None where it says none."""
    value = number(text) if text else math.nan
    return value if math.isfinite(value) and value >= 1 else None


DEFAULTS = PlanSettings()
ALLOWED: dict[str, Any] = {
    "unit": UNITS,
    "devices": (0, 10_000_000),
    "utilisation": (0.1, 100.0),
    "price": (0.0, 1e6),
    "rule": RULES,
    "critical": CRITICALS,
    "device_tokens": (0, 10**9),
    "latency": (0.0, 1e6),
    "deadline": (0.0, 1e6),
    "most_devices": (0, 10**9),
    "most_money": (0.0, 1e15),
    "panels": ("batch", "all"),
}


def read_settings(values: Any, table: tuple[Row, ...] = MAKERS) -> PlanSettings:
    """The settings that plain values say, with the devices there are; each one that makes no sense is left at its default."""
    given = values if isinstance(values, Mapping) else {}
    sense = {f.name: _sense(f.name, given.get(f.name)) for f in fields(PlanSettings) if f.name != "table"}
    names = [row.name for row in table]
    device = sense["device"] if sense["device"] in names else names[0]
    return PlanSettings(**{**sense, "device": device}, table=table)


def _sense(name: str, value: Any) -> Any:
    otherwise = getattr(DEFAULTS, name)
    if isinstance(otherwise, str):
        fits = isinstance(value, str) and len(value) <= LONGEST and value in ALLOWED.get(name, (value,))
        return value if fits else otherwise
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return otherwise
    low, high = ALLOWED[name]
    return type(otherwise)(value) if low <= value <= high else otherwise
