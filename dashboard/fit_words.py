"""A fit in the words of a chip: which law, how it was fitted, and whether it can be believed."""

from __future__ import annotations

import math

from dashboard.summary import plural
from dashboard.widgets import Chip
from fitting import Fit, Status

TONES = {Status.SOUND: "good", Status.CAUTION: "note", Status.UNSOUND: "bad"}


def chips(fit: Fit) -> list[Chip]:
    """The law with its settings, and the verdict with how many checks pass."""
    s = fit.settings
    delta = "least squares" if math.isinf(s.delta) else f"Huber {s.delta:g}"
    passed = sum(v.state == "ok" for v in fit.verdicts)
    return [
        Chip(fit.law.title, f"{delta}, {plural(s.resamples, 'refit')} by {s.grouping}"),
        Chip(fit.status.value.capitalize(), f"{passed} of {len(fit.verdicts)} checks pass", TONES[fit.status]),
    ]
