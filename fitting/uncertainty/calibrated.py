"""What calibrating a fit's intervals came to: for each quantity its plain and its calibrated interval, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from data.alike import Alike
from data.plain import Count, End, Finite, Number, Share, Whole, With
from fitting.band import LEVEL
from fitting.shown import shown

TAIL = 0.025  # beyond each end at the level that is calibrated, `fitting.band.LEVEL`
#: What a decision is made of, beside the law's parameters.
DECISIONS = {"exponent": "a, by which the best size grows with compute", "params": "best size", "loss": "loss there"}


@dataclass(frozen=True)
class Calibrated:
    """One quantity: its value, its plain interval, and the calibrated one with the share of the draws at each end.

    `kind` is "parameter", or "decision" for those of `DECISIONS`. `held` is the share of simulated tables whose plain
    interval held the truth. An end is infinite, at a share of 0 or 1, where the draws cannot say how wide is wide enough.
    """

    name: str
    kind: str
    value: Finite
    plain: tuple[Finite, Finite]
    low: End
    high: End
    shares: tuple[Share, Share]
    held: Share

    @property
    def kept(self) -> bool:
        """Whether the plain ends stay, since the fit is at a bound that calibrating cannot tell from a truth there."""
        return self.shares == (TAIL, 1.0 - TAIL)


@shown(lambda c: [f"Calibration: {c.reason}"])
@dataclass(frozen=True, eq=False)
class Calibration(Alike):
    """What `outer` simulated tables, each with `inner` refits, say of a fit's 95 % intervals; decisions are at `flops`."""

    outer: Annotated[int, With(strict=True, gt=0)]
    inner: Count
    seed: Count
    flops: Number
    quantities: tuple[Annotated[Calibrated, Whole()], ...]

    @property
    def level(self) -> float:
        """The level of every calibrated interval."""
        return LEVEL

    @property
    def error(self) -> float:
        """One Monte-Carlo error of the share that a 95 % interval holds, counted over so many tables."""
        return float(np.sqrt(LEVEL * (1.0 - LEVEL) / self.outer))

    def of(self, name: str) -> Calibrated | None:
        """The parameter of this name."""
        return next((q for q in self.quantities if q.kind == "parameter" and q.name == name), None)

    @property
    def reason(self) -> str:
        """What was done and what it found of the parameters, as a clause."""
        parameters = [q for q in self.quantities if q.kind == "parameter"]
        held = ", ".join(f"{q.name} {100 * q.held:.0f} %" for q in parameters)
        said = f"calibrated by {self.outer} x {self.inner} refits: plain 95 % intervals held {held}"
        return "; ".join([said, *remarks(parameters)])


def remarks(quantities: Sequence[Calibrated]) -> list[str]:
    """Which of these intervals have an end that these draws cannot name, and which stay as they were; as clauses."""
    wide = _listed([q.name for q in quantities if not np.all(np.isfinite([q.low, q.high]))])
    kept = _listed([q.name for q in quantities if q.kept])
    return [
        *([f"for {wide} an end lies further out than these draws can say"] if wide else []),
        *([f"{kept} at a bound: the plain interval stays"] if kept else []),
    ]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])
