"""What a run has seen since it was last evaluated: sums that belong to the run, and times that do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.probe.trainer.model import group


@dataclass
class Since:
    """Sums over steps of one run; squared norms of gradients by weight, of small parts of a batch and of the whole.

    Times are of this process's steps alone, and so are counted by themselves: a run that went on has made others before.
    """

    steps: int = 0
    loss: float = 0.0
    last: float = 0.0  # the loss of the last step
    clipped: int = 0
    factor: float = 0.0
    small: float = 0.0
    big: float = 0.0
    noisy: int = 0
    parts: dict[str, list[float]] = field(default_factory=dict)
    batch_small: float = 0.0
    batch_big: float = 0.0
    energy: float = 0.0  # joules until the last checkpoint
    seconds: list[float] = field(default_factory=list)
    data_seconds: list[float] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {name: value for name, value in self.__dict__.items() if name not in ("seconds", "data_seconds")}

    def note(self, small: Mapping[str, float], big: Mapping[str, float], batch_small: float, batch_big: float) -> None:
        """Add a step in which parts of the batch were told apart: squared norms by weight, and both batches in sequences."""
        self.small, self.big, self.noisy = (
            self.small + sum(small.values()),
            self.big + sum(big.values()),
            self.noisy + 1,
        )
        self.batch_small, self.batch_big = self.batch_small + batch_small, self.batch_big + batch_big
        for name in small:
            held = self.parts.setdefault(group(name), [0.0, 0.0])
            held[0], held[1] = held[0] + small[name], held[1] + big[name]

    def row(self) -> dict[str, Any]:
        """Its columns of the log."""
        n = max(1, self.steps)
        row: dict[str, Any] = {"train_loss": self.loss / n, "clipped": self.clipped / n, "clip_factor": self.factor / n}
        if self.noisy:
            row |= {
                "grad_sq_small": self.small / self.noisy,
                "grad_sq_big": self.big / self.noisy,
                "batch_small": self.batch_small / self.noisy,
                "batch_big": self.batch_big / self.noisy,
                "grad_sq_geometry": "euclidean",
                "grad_sq_parts": {name: [a / self.noisy, b / self.noisy] for name, (a, b) in self.parts.items()},
            }
        if self.seconds:
            row |= {
                "step_seconds": float(np.median(self.seconds)),
                "step_seconds_p90": float(np.quantile(self.seconds, 0.9)),
                "data_seconds": float(np.mean(self.data_seconds)),
            }
        return row
