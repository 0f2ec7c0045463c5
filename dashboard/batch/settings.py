"""What was set on the Batch page for the data chosen, read from plain values that may be stale or somebody else's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from dashboard import state
from data.plain import Above, After, Kept, With, each_usable, one_of, usable

MOST_TARGETS = 6
OVERHEAD = 0.2  # Zhang et al. 2024
WARM_UP = 0.1  # a share of each run
Part = Annotated[float, With(strict=True, ge=0, lt=1)]


@dataclass(frozen=True)
class BatchSettings(Kept):
    """`targets` are the losses asked for, lowest first, and `base` the batch that linear scaling starts from, over which Zhang's
    critical batch has the share `overhead`.

    `unit` is what batches are counted in, None for what the data count them in; `smooth` the weight of the past in an exponential
    mean of each curve before steps are read off it, 0 for none; `group` the group of curves, None for the one with most batches;
    `by` the column that groups go by beside those found; `warm_up` the share of each run that the law of the whole run leaves out.
    """

    overhead: Annotated[float, With(strict=True, gt=0, le=10)] = OVERHEAD
    base: Above | None = None
    targets: Annotated[
        tuple[Above, ...], each_usable(Above), After(lambda x: tuple(sorted(set(x)))[:MOST_TARGETS])
    ] = ()
    unit: Annotated[str, one_of(("tokens", "sequences"))] | None = None
    smooth: Part = 0.0
    group: str | None = None
    by: str | None = None
    warm_up: Part = WARM_UP

    @property
    def readings(self) -> bool:
        """Whether somebody said at which losses, or how smoothed, steps are read: a reading that fails may be mended there."""
        return bool(self.targets or self.smooth)


def settings() -> BatchSettings:
    """What was set for the data chosen; each one that makes no sense is at its default."""
    return usable(BatchSettings, state.setting(f"batch:{state.chosen().key}"))


def change(what: str, **values: Any) -> None:
    """Keep settings of this page for the data chosen."""
    state.change(what, {f"batch:{state.chosen().key}": replace(settings(), **values).written() or None})
