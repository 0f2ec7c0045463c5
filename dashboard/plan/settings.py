"""What a person can choose about a plan, read from plain values that may be stale or somebody else's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any

from dashboard.plan.device_table import MAKERS, Row
from data.cells.values import number
from data.plain import As, Kept, between, one_of, text, usable, whole
from fitting.planning.hardware import Hardware

A_NODE = 8
UNITS = ("flop", "hours", "time", "money")
RULES = ("steplaw", "porian", "deepseek", "runs")
CRITICAL_LAWS = {"zhang_coupled": "Zhang et al. 2024", "kaplan_critical": "Kaplan et al. 2020", "number": "A number"}
# What is typed, as it was typed, and a whole number, which a page may have kept with a point.
LONGEST = 60
Typed = Annotated[str, text(0, LONGEST)]


def whole_to(most: int) -> As:
    """A whole number from 0 to `most`."""
    return As(Annotated[float, between(0, most)], whole)


@dataclass(frozen=True)
class PlanSettings(Kept):
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

    unit: Annotated[str, one_of(UNITS)] = "flop"
    device: Typed = "H100"
    devices: Annotated[int, whole_to(10_000_000)] = 0
    utilisation: Annotated[float, between(0.1, 100.0)] = 40.0
    price: Annotated[float, between(0.0, 1e6)] = 2.0
    size: Typed = ""
    text: Typed = ""
    served: Typed = ""
    rule: Annotated[str, one_of(RULES)] = "steplaw"
    critical: Annotated[str, one_of(("", *CRITICAL_LAWS, "measured"))] = ""
    critical_batch: Typed = ""
    runs_batch: Typed = ""
    device_tokens: Annotated[float, between(0.0, 1e9)] = 0.0
    latency: Annotated[float, between(0.0, 1e6)] = 0.0
    deadline: Annotated[float, between(0.0, 1e6)] = 0.0
    most_devices: Annotated[int, whole_to(10**9)] = 0
    most_money: Annotated[float, between(0.0, 1e15)] = 0.0
    panels: Annotated[str, one_of(("batch", "all"))] = "batch"
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
        return {name: value for name, value in super().written().items() if name != "table"}


def typed(text: str) -> float | None:
    """The number that a text such as 7B says, at least 1; None where it says none."""
    value = number(text) if text else math.nan
    return value if math.isfinite(value) and value >= 1 else None


DEFAULTS = PlanSettings()


def read_settings(values: Any, table: tuple[Row, ...] = MAKERS) -> PlanSettings:
    """The settings that plain values say, with the devices there are; each one that makes no sense is left at its default."""
    found = usable(PlanSettings, values)
    names = [row.name for row in table]
    return replace(found, device=found.device if found.device in names else names[0], table=table)
