"""What was set on the Batch page for the data chosen: losses to reach, Zhang's base and overhead, unit, smoothing, warm-up."""

from __future__ import annotations

import math
from typing import Any

from dashboard import state

MOST_TARGETS = 6
OVERHEAD = 0.2  # Zhang et al. 2024
WARM_UP = 0.1  # a share of each run


def settings() -> dict[str, Any]:
    """What was set, by name; what nobody set is missing."""
    held = state.setting(f"batch:{state.chosen().key}", {})
    return held if isinstance(held, dict) else {}


def change(what: str, **values: Any) -> None:
    """Keep a setting of this page for the data chosen."""
    state.change(what, {f"batch:{state.chosen().key}": {**settings(), **values}})


def overhead() -> float:
    """The overhead over linear scaling that Zhang's critical batch stands at, as a share."""
    value = _number("overhead", OVERHEAD)
    return value if 0 < value <= 10 else OVERHEAD


def base() -> float | None:
    """The batch that linear scaling starts from; None where nobody said."""
    value = _number("base", math.nan)
    return value if 0 < value < math.inf else None


def targets() -> tuple[float, ...]:
    """The losses asked for, lowest first; none where nobody asked."""
    held = settings().get("targets", ())
    usable = [float(t) for t in held if isinstance(t, int | float) and t > 0] if isinstance(held, list | tuple) else []
    return tuple(sorted(set(usable)))[:MOST_TARGETS]


def unit() -> str | None:
    """What batches are counted in, "tokens" or "sequences"; None for what the data count them in."""
    held = settings().get("unit")
    return held if held in ("tokens", "sequences") else None


def smooth() -> float:
    """The weight of the past in an exponential mean of each curve before steps are read off it, 0 for none."""
    value = _number("smooth", 0.0)
    return value if 0 <= value < 1 else 0.0


def group() -> str | None:
    """The group of curves that was chosen; None for the one with most batches."""
    held = settings().get("group")
    return held if isinstance(held, str) else None


def by() -> str | None:
    """The column that groups go by beside those found; None for none."""
    held = settings().get("by")
    return held if isinstance(held, str) else None


def readings() -> bool:
    """Whether somebody said at which losses, or how smoothed, steps are read: a reading that fails may be mended there."""
    return bool(targets() or smooth())


def warm_up() -> float:
    """The share of each run that the law of the whole run leaves out as warm-up."""
    value = _number("warm_up", WARM_UP)
    return value if 0 <= value < 1 else WARM_UP


def _number(name: str, otherwise: float) -> float:
    value = settings().get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
