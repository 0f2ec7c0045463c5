"""How far weights are from where they began."""

from __future__ import annotations

from typing import Any

from data.probe.trainer.measure.moment import Moment
from data.probe.trainer.model import begun, group


def distance(moment: Moment) -> dict[str, Any]:
    """The Euclidean distance, and the length of the initial weights, whole and by group; these are drawn again from the seed."""
    start = begun(moment.spec, [moment.spec.seed], moment.device)
    squares: dict[str, list[float]] = {}
    for name, w in moment.weights.items():
        held = squares.setdefault(group(name), [0.0, 0.0])
        held[0] += float((w - start[name].detach()).double().square().sum())
        held[1] += float(start[name].detach().double().square().sum())
    moved, first = (sum(pair[i] for pair in squares.values()) ** 0.5 for i in range(2))
    return {
        "distance": moved,
        "initial_norm": first,
        "distance_parts": {name: [a**0.5, b**0.5] for name, (a, b) in squares.items()},
    }
