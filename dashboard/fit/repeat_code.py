"""The lines that make the same fit again from a notebook."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from data.schema import FITTED, HELD_OUT
from fitting import Fit
from fitting import fit as fitted

if TYPE_CHECKING:
    from data.sources import RunSource


def python(
    fit: Fit,
    source: RunSource,
    answers: Mapping[str, Any],
    asked: Mapping[str, Any],
    roles: Mapping[str, str] | None = None,
) -> str:
    """Python that reads the same runs and fits the same law to them, so that the numbers come out the same.

    `asked` are the arguments of `fit` that made it, `roles` those that a person gave to runs. A law and a prior left to be
    chosen are written as what they came to, so that the lines say what was fitted.
    """
    read = source.code(answers)
    if own := fit.law.own_columns and [*fit.law.inputs, fit.law.output.column]:
        read = "from data.own_columns import read_columns", f"runs = read_columns({source.title!r}, {own!r})"
    came_to: dict[str, Any] = {"law": fit.law_key, "exclude": list(fit.settings.excluded)}
    if fit.law.has_prior and asked.get("weights") is None:
        came_to["prior"] = fit.settings.prior
    written = {**asked, **came_to}
    given = [
        f"{name}={_value(written[name])}"
        for name, argument in inspect.signature(fitted).parameters.items()
        if name in written and (name == "law" or written[name] not in (argument.default, []))
    ]
    made = ["from fitting import fit", "", read[1], *_held(fit, roles or {}), f"f = fit(runs, {', '.join(given)})"]
    if by := fit.calibration:
        made.insert(1, "from fitting.diagnostics.calibration import calibrate")
        said = f"outer={by.outer}, inner={by.inner}, seed={by.seed}"
        said += f", flops={by.flops!r}" if math.isfinite(by.flops) else ""  # none where the table knows no compute
        made.append(f"f = f.calibrated(calibrate(f, runs, {said}))")
    return "\n".join([read[0], *made, "f.summary()"])


def _held(fit: Fit, roles: Mapping[str, str]) -> list[str]:
    """The lines that hold runs out, or fit them again, as a person said."""
    out = [run for run in fit.settings.held_out if roles.get(run) == HELD_OUT]
    back = [run for run in fit.runs if roles.get(run) == FITTED]
    return [
        *([f"runs = runs.hold_out({out!r})"] if out else []),
        *([f"runs = runs.hold_out({back!r}, held=False)"] if back else []),
    ]


def _value(value: Any) -> str:
    return 'float("inf")' if value == math.inf else repr(value)
