"""The lines that make the same fit again from a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fitting import Fit
from fitting.intervals import CHOSEN

if TYPE_CHECKING:
    from dashboard.state import Choice

DEFAULTS = {"resamples": 4000, "seed": 0}


def python(fit: Fit, choice: Choice, answers: Mapping[str, Any]) -> str:
    """Python that reads the same runs and fits the same law to them, so that the numbers come out the same."""
    kind, _, key = choice.key.partition(":")
    if kind == "bundled":
        read = ["from data import load", f"runs = load({key!r})"]
    else:
        said = "".join(f", {name}={value!r}" for name, value in answers.items())
        read = ["from data import read_runs", f"runs = read_runs({choice.title!r}{said})"]
    s = fit.settings
    given = [f"law={fit.law_key!r}"]
    if s.excluded:
        given.append(f"exclude={list(s.excluded)!r}")
    if s.grouping != "run":
        given.append(f"group={s.grouping!r}")
    if s.delta_rule == "given":
        given.append('delta=float("inf")' if math.isinf(s.delta) else f"delta={s.delta!r}")
    if s.intervals_reason == CHOSEN:
        given.append(f"intervals={s.intervals!r}")
    if s.weights != "none":
        given.append(f"weights={s.weights!r}")
    for name, value in DEFAULTS.items():
        chosen = getattr(s, name)
        if chosen != value:
            given.append(f"{name}={chosen!r}")
    return "\n".join(
        [read[0], "from fitting import fit", "", read[1], f"f = fit(runs, {', '.join(given)})", "f.summary()"]
    )
