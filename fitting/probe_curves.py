"""Probes as curves for what is said of runs in flight: their shares of the plan, their losses, and what makes curves alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from data.flops import six_nd
from data.probe.corpus import corpora
from data.probe.found import Probe
from data.probe.runs import COUNTED
from data.probe.schedule import planned
from data.probe.spec import Spec
from fitting.errors import FitError
from fitting.in_flight import LEVEL, Curve, InFlight, in_flight
from fitting.result import Fit

# What runs of one design may differ in, the fields of other versions included; all else of a spec gives a curve its form.
_OWN = frozenset(
    ("width", "depth", "heads", "vocab", "tokens", "batch", "lr", "seed", "base_width", "base_depth", "averages", "evals", "eval_tokens",
     "measure", "name", "warmup_tokens", "keep", "trunk", "trunk_tokens", "micro")
)  # fmt: skip


def curve(probe: Probe, count: str = COUNTED[0]) -> Curve:
    """A probe's curve; `count` is the count of parameters that the fit uses. FitError where its folder does not say what it is."""
    what = probe.what
    if what is None:
        raise FitError(probe.fault)
    tokens = float(planned(what).tokens)
    rows = [row for row in probe.rows if "loss" in row and "tokens" in row]
    size = _whole(what).counts.total if count == "params_total" else what.counts.nonembed
    inputs = {
        "params": float(size),
        "tokens": tokens,
        "flops": float(six_nd(what.counts.nonembed, tokens)),
        "lr": what.rate,
        "batch": float(what.batch * what.seq_len),
    }
    return Curve(
        probe.name,
        inputs,
        np.array([row["tokens"] / tokens for row in rows]),
        np.array([float(row["loss"]) for row in rows]),
        tuple(getattr(what, one.name) for one in fields(what) if one.name not in _OWN),
        what.schedule == "constant",
    )


def probes_in_flight(
    found: Sequence[Probe], fit: Fit | None = None, *, count: str = COUNTED[0], level: float = LEVEL
) -> list[InFlight]:
    """What can be said of each of these probes that runs and has logged a loss, from those that are done."""
    done = [curve(one, count) for one in found if one.what is not None and one.status.state == "done" and one.rows]
    running = [one for one in found if one.what is not None and one.status.state == "running" and one.rows]
    return [in_flight(one, done, fit, level=level) for one in (curve(r, count) for r in running) if len(one.loss)]


def _whole(what: Spec) -> Spec:
    return what if what.vocab else what.with_(vocab=max(text.vocab for text in corpora(what)))
