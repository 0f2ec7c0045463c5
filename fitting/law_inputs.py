"""Where a law is asked: its inputs out of whatever columns of a runs table a caller gives."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

import numpy as np

from data.schema import COLUMNS
from fitting.accounting import Accounting
from fitting.arguments import an_input, in_short, together
from fitting.errors import FitError
from fitting.law import Law

Array = np.ndarray
# FLOPs further from the table's own count than this, or than so many deviations of the table's own rows, contradict it.
APART, DEVIATIONS = 0.05, 4.0
SIZES = ("params", "tokens", "flops")
FITTED = {"params": "model sizes", "tokens": "token counts", "flops": "compute"}


def inputs_of(law: Law, given: Mapping[str, Any], flops: Callable[[Any, Any], Any]) -> dict[str, Array]:
    """The law's inputs as arrays of one shape, that of all sizes given; `flops` counts them from params and tokens.

    TypeError for an input that is missing or a name that no runs table has; FitError for one that is not positive, and for lists
    that do not go together.
    """
    unknown = sorted(set(given) - set(COLUMNS) - set(law.inputs))
    known = {k: an_input(k, given[k]) for k in given if k in (*SIZES, *law.inputs)}
    known = together(known)
    if "flops" in law.inputs and "flops" not in known and {"params", "tokens"} <= set(known):
        known["flops"] = flops(known["params"], known["tokens"])
    if unknown or any(k not in known for k in law.inputs):
        raise TypeError(
            f"{law.title} is a law of {', '.join(law.inputs)}; it was asked at {', '.join(sorted(given)) or 'nothing'}"
            + (f", and no runs table has {', '.join(unknown)}" if unknown else "")
        )
    return {k: known[k] for k in law.inputs}


def columns_of(law: Law, frame: Any, beside: Container[str] = ()) -> dict[str, Array]:
    """The columns of a data frame that say where the law is asked, (n,) each; inputs `beside` it are given by name.

    TypeError for what is no data frame, or one that lacks an input; FitError for two columns of one name, or cells that are no
    positive numbers.
    """
    if not hasattr(frame, "columns"):
        raise TypeError(
            f"predict takes a data frame, or inputs by name such as {law.inputs[0]}=...; it was given {frame!r}."
        )
    asked = [k for k in dict.fromkeys((*law.inputs, *SIZES)) if k in frame.columns]
    if twice := [k for k in asked if frame[k].ndim > 1]:
        raise FitError(f"A frame says {twice[0]} in one column; {frame[twice[0]].shape[1]} are called so.")
    known = [k for k in (*law.inputs, *SIZES) if k in asked or k in beside]
    lacks = [k for k in law.inputs if k not in known and not (k == "flops" and {"params", "tokens"} <= set(known))]
    if lacks:
        has = ", ".join(in_short(str(c)) for c in list(frame.columns)[:12]) or "no columns"
        raise TypeError(
            f"{law.title} is a law of {', '.join(law.inputs)}, and the frame has no column {' and no '.join(lacks)}; it has {has}. "
            f'Rename them: frame.rename(columns={{...: "{lacks[0]}"}}).'
        )
    return {k: an_input(k, frame[k]) for k in asked}


def beside_frame(law: Law, frame: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a frame that say where the law is asked, and the `inputs` given by name; FitError for one that both say."""
    found = columns_of(law, frame, inputs)
    if twice := [k for k in inputs if k in found]:
        raise FitError(
            f"{twice[0]} is a column of the frame, and was given by name too. Give one of them: frame.assign({twice[0]}=...), or the frame "
            "without it."
        )
    return {**found, **inputs}


def contradictions(law: Law, given: Mapping[str, Any], count: Accounting) -> list[str]:
    """A sentence where FLOPs are given beside the params and tokens that they follow from, and are others; else none."""
    if not set(SIZES) <= set(given):
        return []
    params, tokens, flops = (an_input(k, given[k]) for k in SIZES)
    off = np.log(flops) - np.log(count.flops(params, tokens))
    if not off.size or float(np.max(np.abs(off))) <= max(APART, DEVIATIONS * count.spread):
        return []
    factor = float(np.exp(np.ravel(off)[np.argmax(np.abs(off))]))
    taken = "the law takes the flops" if "flops" in law.inputs else "the law takes params and tokens"
    if "flops" in law.inputs and {"params", "tokens"} & set(law.inputs):
        taken = "the law takes them all"
    return [
        f"The flops given are {factor:.3g} times those of params and tokens by the table's own count; {taken}. Give only those "
        "that are meant."
    ]


def outside(inputs: Mapping[str, Array], ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """A sentence for each input that lies beyond what the runs had."""
    said = []
    for k, x in inputs.items():
        low, high = ranges.get(k, (0.0, np.inf))
        if x.size and (x.min() < low * (1 - 1e-9) or x.max() > high * (1 + 1e-9)):
            said.append(f"Extrapolated beyond the fitted {FITTED.get(k, k)}, {low:.3g} to {high:.3g}.")
    return said
