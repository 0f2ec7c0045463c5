"""A fit in words: the chips that say how it was made, the sentence that says what it found, the file names it goes by."""

from __future__ import annotations

import math
import re

import numpy as np

from dashboard import numbers, parameters
from dashboard.symbols import input_symbol, symbol
from dashboard.widgets import Chip
from fitting import Fit, Law, Status
from fitting.plural import plural
from fitting.settings import Settings

MOST_SAID = 4  # parameters that the sentence names
TONES = {Status.SOUND: "good", Status.CAUTION: "note", Status.UNSOUND: "bad"}


def chips(fit: Fit) -> list[Chip]:
    """The law with its settings, and the verdict with how many checks pass."""
    s = fit.settings
    delta = "least squares" if math.isinf(s.delta) else f"Huber {s.delta:.2g}"
    passed = sum(v.state == "pass" for v in fit.verdicts)
    return [
        Chip(fit.law.title, f"{delta}, {plural(s.resamples, 'refit')}"),
        Chip(fit.status.value.capitalize(), f"{passed} of {len(fit.verdicts)} checks pass", TONES[fit.status]),
    ]


def drawn(s: Settings) -> str:
    """What was resampled for each refit, in a few words."""
    return {
        "runs": "bootstrap of runs",
        "groups": f"bootstrap of groups by {s.grouping}",
        "residuals": "bootstrap of residuals",
        "components": f"bootstrap of residuals, part of the noise shared by {s.grouping}",
        "posterior": "posterior with published sweeps as prior",
    }[s.intervals]


def exponents(law: Law) -> dict[str, str]:
    """The exponents by name, each with the input whose power it is, in the order of the law's inputs."""
    of = {e: x for p in law.params if p.anchor for x, e in p.anchor.factors if e}
    found = {law.params[i].name for i in law.shapes} & set(of)
    return {name: of[name] for name in sorted(found, key=lambda n: (law.inputs.index(of[n]), law.names.index(n)))}


def said(fit: Fit, name: str) -> tuple[str, str]:
    """A parameter's value and its interval, with as many digits as the interval has a use for."""
    return parameters.said(fit, name, "loss" if fit.law.param(name).is_floor else "ratio")


def floor_state(fit: Fit) -> str:
    """ "none" for a law without a floor, "seen", or "unseen" where the checks say that these runs do not show it."""
    if not any(p.is_floor for p in fit.law.params):
        return "none"
    failed = {v.key for v in fit.verdicts if v.state == "fail"}
    at_zero = any(p.is_floor and (fit.params[p.name] == 0 or p.name in fit.unidentified) for p in fit.law.params)
    return "unseen" if "floor" in failed or at_zero else "seen"


def answer(fit: Fit) -> str:
    """The page's sentence as HTML: how the loss falls, to which floor, and how many checks pass."""
    each = exponents(fit.law).items()
    powers = [
        f"<em>{input_symbol(x)}<sup>−{said(fit, name)[0]}</sup></em>"
        for name, x in each
        if name not in fit.unidentified
    ]
    head = (
        f"{fit.law.title} fits these runs" if not powers else f"{fit.law.output.title} falls as {' and '.join(powers)}"
    )
    if fit.law.own_columns and not _falls(fit):
        known = [p for p in fit.law.params if p.name not in fit.unidentified][:MOST_SAID]
        values = ", ".join(f"{symbol(p)} = <em>{said(fit, p.name)[0]}</em>" for p in known)
        return f"{fit.law.title} fits these runs{': ' * bool(known)}{values}. {checks(fit)}"
    floor = next((said(fit, p.name)[0] for p in fit.law.params if p.is_floor), "")
    head += {
        "none": "",
        "seen": f" to a floor of <em>{floor}</em>",
        "unseen": ", with no floor identified by these runs",
    }[floor_state(fit)]
    # Each input once: a broken law has two exponents of one.
    gone = dict.fromkeys(input_symbol(x) for name, x in each if name in fit.unidentified)
    if gone:
        head += f"; these runs do not identify the exponent of {' and '.join(gone)}"
    return f"{head}. {checks(fit)}"


def _falls(fit: Fit) -> bool:
    """Whether a law is told by its exponents: its output is a sum of falling powers."""
    law = fit.law
    return (
        law.is_linear and not law.output.rises and bool(e := exponents(law)) and all(fit.params[name] > 0 for name in e)
    )


def checks(fit: Fit) -> str:
    """How many checks pass, and what that means for someone who would use the numbers."""
    total = len(fit.verdicts)
    passed = sum(v.state == "pass" for v in fit.verdicts)
    failed = sum(v.state == "fail" for v in fit.verdicts)
    if failed:
        return f"But {failed} of {total} checks {'fails' if failed == 1 else 'fail'}."
    others = total - passed
    return (
        f"{passed} of {total} checks pass; {others} {'says' if others == 1 else 'say'} caution."
        if others
        else f"All {total} checks pass."
    )


def under(fit: Fit) -> str:
    """The line under the sentence: the intervals, and how far single runs lie from the law."""
    told = fit.law.own_columns and not _falls(fit)
    parts = [f"{p.name} {said(fit, p.name)[1]}" for p in fit.law.params if told and not p.is_floor]
    parts = parts or [f"exponent of {input_symbol(x)} {said(fit, name)[1]}" for name, x in exponents(fit.law).items()]
    if floor_state(fit) == "seen":
        parts += [f"floor {said(fit, p.name)[1]}" for p in fit.law.params if p.is_floor]
    off = numbers.percent(float(np.median(np.abs(fit.residuals))))
    first = f"95 % intervals: {', '.join(parts)}. " if parts and len(fit.draws) else ""
    return f"{first}Half of the {plural(fit.n, 'run')} fitted lie within {off} of the law."


def file_stem(fit: Fit) -> str:
    """A plain file name for exports: the table's name and the law's, in letters, digits and dashes."""
    table = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", fit.table)
    words = re.sub(r"[^A-Za-z0-9]+", "-", table).strip("-").lower()[:40].strip("-")
    return f"{words or 'runs'}-{fit.law_key}"
