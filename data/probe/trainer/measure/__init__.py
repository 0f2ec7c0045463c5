"""What a run measures at an evaluation beyond its losses: always what costs nothing, and on request (`measure` of its spec) the rest.

`rows` is all that the loop calls, for each model of a stack by itself and in one process of several. No
weight, no state and no random number of the run is touched: its curve is the same bit for bit with and without, and a resumed run
measures the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from data.flops import CONVENTIONS
from data.probe.trainer.measure.coordinates import coordinates as _coordinates
from data.probe.trainer.measure.distance import distance as _distance
from data.probe.trainer.measure.hessian import hessian as _hessian
from data.probe.trainer.measure.moment import Moment
from data.probe.trainer.measure.noise import noise as _noise
from data.probe.trainer.measure.update_noise import update_noise as _update_noise

#: The convention by which the FLOPs done are counted: what is nearest to what is computed. Multiplications of all matrices with the
#: head, none for looking embeddings up, and attention to the positions before.
CONVENTION = "porian_attention"
MEASURES: Mapping[str, Callable[[Moment], dict[str, Any]]] = {
    "noise": _noise,
    "update_noise": _update_noise,
    "hessian": _hessian,
    "coordinates": _coordinates,
    "distance": _distance,
}


def rows(moment: Moment, energy: float | None = None) -> dict[str, Any]:
    """Columns of the log at this evaluation: FLOPs done, `energy` in joules where the device told it, and what the spec asks for."""
    row: dict[str, Any] = {
        "flops": moment.seen * CONVENTIONS[CONVENTION](moment.spec.shape),
        "flops_convention": CONVENTION,
    }
    if energy is not None:
        row["energy"] = energy
    for name in moment.spec.measure:
        try:
            row |= MEASURES[name](moment)
        except (
            RuntimeError
        ) as error:  # out of memory, or a decomposition that does not converge: the run itself goes on
            row.setdefault("measure_failed", {})[name] = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return dict(_finite(row))


def _finite(x: Any) -> Any:
    """Values that JSON has: what is no number is left out of objects, and None in lists."""
    if isinstance(x, dict):
        kept = {name: _finite(value) for name, value in x.items()}
        return {name: value for name, value in kept.items() if value is not None}
    if isinstance(x, list):
        return [_finite(value) for value in x]
    return None if isinstance(x, float) and not math.isfinite(x) else x
