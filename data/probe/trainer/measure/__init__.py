"""What a run measures at an evaluation beyond its losses: always what costs nothing, and on request (`measure` of its spec) the rest.

`rows(run)` is all that the loop calls. No weight, no state and no random number of the run is touched: its curve is the same bit for
bit with and without, and a resumed run measures the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from data.flops import CONVENTIONS
from data.probe.trainer.measure.coordinates import coordinates
from data.probe.trainer.measure.distance import distance
from data.probe.trainer.measure.hessian import hessian
from data.probe.trainer.measure.moment import Moment, Running
from data.probe.trainer.measure.noise import noise
from data.probe.trainer.measure.update_noise import update_noise

#: The convention by which the FLOPs done are counted: what is nearest to what is computed. Multiplications of all matrices with the
#: head, none for looking embeddings up, and attention to the positions before.
CONVENTION = "porian_attention"
MEASURES: Mapping[str, Callable[[Moment], dict[str, Any]]] = {
    "noise": noise,
    "update_noise": update_noise,
    "hessian": hessian,
    "coordinates": coordinates,
    "distance": distance,
}


def rows(run: Running) -> dict[str, Any]:
    """Columns of the log at this evaluation: FLOPs done, energy where the device tells it, and what the spec asks for."""
    row: dict[str, Any] = {
        "flops": run.plan.after(run.done) * CONVENTIONS[CONVENTION](run.spec.shape),
        "flops_convention": CONVENTION,
    }
    if (taken := run.meter.lap(run.device)) is not None:
        row["energy"] = taken
    if run.spec.measure:
        moment = Moment.of(run)
        for name in run.spec.measure:
            try:
                row |= MEASURES[name](moment)
            except (
                RuntimeError
            ) as error:  # out of memory, or a decomposition that does not converge: the run itself goes on
                row.setdefault("measure_failed", {})[name] = (str(error).splitlines() or [type(error).__name__])[0][
                    :200
                ]
    return _finite(row)


def _finite(x: Any) -> Any:
    """Values that JSON has: what is no number is left out of objects, and None in lists."""
    if isinstance(x, dict):
        kept = {name: _finite(value) for name, value in x.items()}
        return {name: value for name, value in kept.items() if value is not None}
    if isinstance(x, list):
        return [_finite(value) for value in x]
    return None if isinstance(x, float) and not math.isfinite(x) else x
