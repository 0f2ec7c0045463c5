"""Several probes as one JSON object: a spec's fields, a list where the sweep varies, or a named design.

`{"width": [16, 32], "tokens": [2.5e5, 5e5]}` is every width with every length. `{"design": "isoflop", "flops": [1e12, 3e12],
"width": [16, 24, 32]}` is what each budget buys at each width. A field that is a list in a run (`stages`, `averages`) varies where it
is a list of lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from data.errors import DataError
from data.probe.corpus import corpus
from data.probe.spec import Spec, spec

MOST_RUNS = 10_000
_LISTS = ("stages", "averages", "measure")  # fields that are lists in one run


@dataclass(frozen=True)
class Design:
    """A named way to lay out runs. `own` are its fields beyond a spec's, each with what it means."""

    title: str
    sentence: str
    own: Mapping[str, str]
    lay: Callable[[dict[str, Any]], list[dict[str, Any]]]


def sweep(values: Any) -> list[Spec]:
    """The runs of a sweep, each once. Raises DataError with what is wrong, and where."""
    if not isinstance(values, Mapping):
        raise DataError(f"A sweep is an object of a probe's fields; {values!r:.60} came.")
    given = dict(values)
    name = given.pop("design", "grid")
    if name not in DESIGNS:
        raise DataError(f"{name!r} is no design; there is {', '.join(DESIGNS)}.")
    missing = [key for key in DESIGNS[name].own if key not in given and key in _NEEDED.get(name, ())]
    if missing:
        raise DataError(f"A sweep of the design {name} needs {missing[0]!r}: {DESIGNS[name].own[missing[0]]}.")
    laid = DESIGNS[name].lay(given)
    found: dict[str, Spec] = {}
    for one in laid:
        made = spec(one)
        made = made if made.vocab else made.with_(vocab=corpus(made).vocab)
        found.setdefault(made.key, made)
    if not found:
        raise DataError("The sweep has no runs.")
    return list(found.values())


def _grid(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Every value of each list with every value of the others."""
    varied = {k: v for k, v in given.items() if _varies(k, v)}
    count = math.prod(len(v) for v in varied.values())
    if count > MOST_RUNS:
        raise DataError(f"The sweep has {count:,} runs; at most {MOST_RUNS:,} are made.")
    fixed = {k: v for k, v in given.items() if k not in varied}
    return [{**fixed, **dict(zip(varied, chosen, strict=True))} for chosen in product(*varied.values())]


def _varies(name: str, value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return name not in _LISTS or (bool(value) and all(isinstance(one, list) for one in value))


def _numbers(given: dict[str, Any], name: str, default: Sequence[float] = ()) -> list[float]:
    """The positive numbers of a design's own field, which is taken out of what was given."""
    value = given.pop(name, list(default))
    listed = value if isinstance(value, list) else [value]
    for one in listed:
        if isinstance(one, bool) or not isinstance(one, int | float) or not (0 < one < math.inf):
            raise DataError(f"{name!r} of a sweep is a positive number, or a list of them; {one!r:.40} came.")
    if not listed:
        raise DataError(f"{name!r} of a sweep is a list of at least one number.")
    return [float(one) for one in listed]


def _isoflop(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Each budget C at each size N: D = C / 6N, with N the parameters without embeddings."""
    budgets = _numbers(given, "flops")
    return [{**one, "tokens": c / (6.0 * spec(one).counts.nonembed)} for c in budgets for one in _grid(given)]


def _batches(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Each batch at several rates around the one that grows with its square root, at a constant rate after warm-up."""
    around = _numbers(given, "rates", (0.5, 1.0, 2.0))
    out = []
    for one in _grid({"schedule": "constant", **given}):
        base = spec({**one, "batch": 8}).rate
        out += [{**one, "lr": base * each * math.sqrt(one.get("batch", 8) / 8)} for each in around]
    return out


def _rates(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Every other setting at several rates around its own."""
    around = _numbers(given, "rates", (0.25, 0.5, 1.0, 2.0, 4.0))
    return [{**one, "lr": spec(one).rate * each} for one in _grid(given) for each in around]


def _widths(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Every width at the same rates, in each parametrisation, whose base is the narrowest."""
    rates = _numbers(given, "rates", tuple(2.0**-k for k in range(3, 10)))
    widths = given.get("width", [])
    base = min(widths) if isinstance(widths, list) and widths else 0
    laid = _grid({"parametrisation": ["standard", "mup"], **given})
    return [
        {
            **one,
            "lr": each,
            **({} if one["parametrisation"] == "standard" else {"base_width": one.get("base_width", base)}),
        }
        for one in laid
        for each in rates
    ]


DESIGNS: dict[str, Design] = {
    "grid": Design("Every value with every other", "Lists of any fields.", {}, _grid),
    "isoflop": Design(
        "IsoFLOP curves",
        "Each compute budget spent on models of several sizes.",
        {"flops": "the budgets, in FLOP"},
        _isoflop,
    ),
    "batch": Design(
        "Batch ladder",
        "Batches at several learning rates each: the critical batch at every loss that the runs pass.",
        {"rates": "multiples of the rate that grows with the root of the batch"},
        _batches,
    ),
    "rate": Design(
        "Learning-rate ladder",
        "Runs at multiples of their own learning rate.",
        {"rates": "multiples of the rate"},
        _rates,
    ),
    "width": Design(
        "Width ladder",
        "Widths at the same learning rates, in the standard parametrisation and in muP: which rate is best at each.",
        {"rates": "the learning rates"},
        _widths,
    ),
}
_NEEDED = {"isoflop": ("flops",)}
