"""Several probes as one JSON object: a spec's fields, a list where the sweep varies, or a named design.

`{"width": [16, 32], "tokens": [2.5e5, 5e5]}` is every width with every length. `{"design": "isoflop", "flops": [1e12, 3e12],
"width": [16, 24, 32]}` is what each budget buys at each width. A field that is a list in a run (`stages`, `averages`) varies where it
is a list of lists.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise, product
from typing import Any

from data.errors import DataError
from data.plain import plain
from data.probe import fields
from data.probe.corpus import whole_names
from data.probe.cost import FLOP
from data.probe.feed import Feed
from data.probe.schedule import count_steps, flat, planned
from data.probe.spec import MOST_POOLS, Spec, spec

MOST_RUNS = 10_000
# Rates where a design is given none: multiples of a batch's and of a run's own, and those of a ladder of widths.
AROUND, LADDER, RATES = (0.5, 1.0, 2.0), (0.25, 0.5, 1.0, 2.0, 4.0), tuple(2.0**-k for k in range(3, 10))
_LARGEST = sys.float_info.max  # a whole number of JSON may be larger, and no float
_ALL = " `isoflop probe --fields` lists all there are."
_LISTS = ("stages", "averages", "pools", "keep", "measure")  # fields that are lists in one run


@dataclass(frozen=True)
class Design:
    """A named way to lay out runs. `own` are its fields beyond a spec's, each with what it means; `settled` those of a spec's that it
    has where nobody gives them. `each` says how many runs it makes of every setting of the fields that it does not take itself.
    """

    title: str
    sentence: str
    own: Mapping[str, str]
    lay: Callable[[dict[str, Any]], list[dict[str, Any]]]
    each: Callable[[Mapping[str, Any]], int] = lambda given: 1
    settled: Mapping[str, Any] = field(default_factory=dict)
    takes: tuple[str, ...] = ()  # fields of a spec that it lays out itself

    def count(self, given: Mapping[str, Any]) -> int:
        """How many runs it makes of what is given, some of which may be the same, before any is laid out."""
        rest = {k: v for k, v in {**self.settled, **given}.items() if k not in (*self.own, *self.takes)}
        return self.each(given) * math.prod(len(v) for k, v in rest.items() if _varies(k, v))


def sweep(values: Any) -> list[Spec]:
    """The runs of a sweep, each once. Raises DataError with what is wrong, and where."""
    if not isinstance(values, Mapping):
        raise DataError(f"A sweep is an object of a probe's fields; {values!r:.60} came.")
    given = dict(values)
    name = given.pop("design", "grid")
    if not isinstance(name, str) or name not in DESIGNS:
        raise DataError(f"{name!r:.60} is no design; there is {', '.join(DESIGNS)}.")
    missing = [key for key in DESIGNS[name].own if key not in given and key in _NEEDED.get(name, ())]
    if missing:
        raise DataError(f"A sweep of the design {name} needs {missing[0]!r}: {DESIGNS[name].own[missing[0]]}.")
    _known(name, given)
    if (count := DESIGNS[name].count(given)) > MOST_RUNS:
        said = f"{count:,}" if count < 10**15 else "over 10^15"
        raise DataError(f"The sweep has {said} runs; at most {MOST_RUNS:,} are made.")
    laid = DESIGNS[name].lay({**DESIGNS[name].settled, **given})
    found: dict[str, Spec] = {}
    vocabs: dict[Any, int] = {}
    for one in laid:
        made = whole_names(spec(one))
        about = (made.corpus, made.pools, made.unique_tokens, made.seq_len, made.vocab)
        if about not in vocabs:  # each text is looked at once, before any run is made
            vocabs[about] = Feed.of(made).vocab
        made = replace(made, vocab=made.vocab or vocabs[about])
        count_steps(made)  # raises for too many
        found.setdefault(made.key, made)
    if not found:
        raise DataError("The sweep has no runs.")
    return list(found.values())


def _known(name: str, given: Mapping[str, Any]) -> None:
    """Raise DataError for a field that the design has not, or that it works out itself."""
    design, odd = DESIGNS[name], []
    for key in given:
        if why := _WORKED_OUT.get(name, {}).get(key):
            raise DataError(f"The design {name} {why}; leave {key!r} out, or take the design grid.")
        if key in Spec.__dataclass_fields__ or key in design.own:
            continue
        if others := [other for other, one in DESIGNS.items() if key in one.own]:
            raise DataError(
                f"{key!r} is a field of the design {' or '.join(others)}, and the sweep is of the design {name}."
            )
        odd.append(key)
    if odd:
        known = (*Spec.__dataclass_fields__, *design.own, "design")
        raise DataError(f"A sweep of the design {name} {fields.unknown(odd, known)}.{_ALL}")


def _grid(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Every value of each list with every value of the others."""
    varied = {k: v for k, v in given.items() if _varies(k, v)}
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
        if isinstance(one, bool) or not isinstance(one, int | float) or not (0 < one <= _LARGEST):
            raise DataError(f"{name!r} of a sweep is a positive number, or a list of them; {one!r:.40} came.")
    if not listed:
        raise DataError(f"{name!r} of a sweep is a list of at least one number.")
    return [float(one) for one in listed]


def _so_many(name: str, default: Sequence[float] = ()) -> Callable[[Mapping[str, Any]], int]:
    """How many numbers a design's own field has."""
    return lambda given: len(value) if isinstance(value := given.get(name, list(default)), list) else 1


def _isoflop(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Each budget C at each size N: D = C / 6N, with N the parameters without embeddings."""
    budgets = _numbers(given, "flops")
    sized = [(one, 6.0 * spec(one).counts.nonembed) for one in _grid(given)]
    return [{**one, "tokens": c / size} for c in budgets for one, size in sized]


def _batches(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Each batch at several rates around the one that grows with its square root, at a constant rate after warm-up."""
    around = _numbers(given, "rates", AROUND)
    out = []
    for one in _grid(given):
        base, size = spec({**one, "batch": 8}).rate, spec(one).batch
        out += [{**one, "lr": base * each * math.sqrt(size / 8)} for each in around]
    return out


def _rates(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Every other setting at several rates around its own."""
    around = _numbers(given, "rates", LADDER)
    return [{**one, "lr": spec(one).rate * each} for one in _grid(given) for each in around]


def _widths(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Every width at the same rates, in each parametrisation, whose base is the narrowest.

    At its base muP is the standard parametrisation, step for step: the one run is laid out, and counts for both where they are read.
    """
    rates = _numbers(given, "rates", RATES)
    laid = _grid(given)
    base = min(spec(one).width for one in laid) if isinstance(given.get("width"), list) and laid else 0
    standard = [_without(one) for one in laid if one["parametrisation"] == "standard"]
    out = []
    for one in laid:
        more = {} if one["parametrisation"] == "standard" else {"base_width": one.get("base_width", base)}
        made = spec({**one, **more})
        if made.parametrisation == "mup" and made.width == made.base_width and _without(one) in standard:
            continue
        out += [{**one, **more, "lr": each} for each in rates]
    return out


def _without(one: dict[str, Any]) -> dict[str, Any]:
    """A run but for its parametrisation."""
    return {name: value for name, value in one.items() if name not in ("parametrisation", "base_width")}


def _mixtures(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Every way to give each of the pools so many of the `parts`, 0 to all of them; a pool without any is scored all the same."""
    pools, parts = _pools_and_parts(given)
    places = parts + len(pools) - 1
    laid = []
    for walls in combinations(range(places), len(pools) - 1):
        of = [b - a - 1 for a, b in pairwise((-1, *walls, places))]
        laid.append([{**pool, "share": k / parts} for pool, k in zip(pools, of, strict=True)])
    rest = {k: v for k, v in given.items() if k not in ("pools", "parts")}
    return _grid({**rest, "pools": laid})


def _ways(given: Mapping[str, Any]) -> int:
    """How many ways there are to share out the parts."""
    pools, parts = _pools_and_parts(given)
    return math.comb(parts + len(pools) - 1, parts)


def _pools_and_parts(given: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The pools of a sweep of mixtures, and into how many parts a run is shared out. Raises DataError."""
    pools, parts = given["pools"], given.get("parts", 4)
    if not isinstance(pools, list) or not pools or not all(isinstance(one, dict) for one in pools):
        raise DataError(f"'pools' of a sweep of mixtures is a list of pools, each with its corpus; {pools!r:.40} came.")
    if len(pools) > MOST_POOLS:
        raise DataError(f"A run has at most {MOST_POOLS} pools; {len(pools):,} came.")
    if any("share" in one for one in pools):
        raise DataError("A sweep of mixtures gives each pool its shares; leave 'share' out, or take the design grid.")
    if isinstance(parts, bool) or not isinstance(parts, int) or not 1 <= parts <= 1000:
        raise DataError(f"'parts' of a sweep is how many parts a run is shared out in, 1 to 1000; {parts!r:.40} came.")
    return pools, parts


def _schedules(given: dict[str, Any]) -> list[dict[str, Any]]:
    """A trunk at a constant rate for each setting of the rest, and a decay from it for each length and share of decay.

    A decay is a share of its run's length, so longer runs leave the trunk later. The warm-up is the same number of tokens in all:
    the share `warmup` of the shortest.
    """
    lengths = _numbers(given, "tokens")
    decays = _numbers(given, "decay", (Spec.decay,))
    if given.get("averages"):
        raise DataError("Averages of the weights are over shares of a run, which runs of one trunk have not in common.")
    out = []
    for one in _grid(given):
        shortest = {"tokens": min(lengths), "decay": min(decays)}
        known = spec({**one, **shortest})
        warm = known.warmup_tokens or known.warmup * min(lengths)
        shared = {**one, "warmup_tokens": warm} if warm else one
        known = whole_names(known)  # as the sweep's runs have it, or the trunk's key would be another's
        shared |= {"corpus": known.corpus, "pools": plain(known)["pools"], "vocab": known.vocab or Feed.of(known).vocab}
        branches = [{**shared, "tokens": d, "decay": share, "schedule": "linear"} for d in lengths for share in decays]
        made = [spec(branch) for branch in branches]
        plans = [planned(branch) for branch in made]
        leaves = [plan.after(flat(plan)) for plan in plans]
        if not any(leaves):
            out += branches
            continue
        trunk = spec(
            {
                **shared,
                "tokens": float(max(leaves)),
                "schedule": "constant",
                "keep": sorted({float(n) for n in leaves if n}),
            }
        )
        out.append(plain(trunk))
        out += [
            {**branch, "trunk": trunk.key, "trunk_tokens": float(n)} if n else branch
            for branch, n in zip(branches, leaves, strict=True)
        ]
    return out


DESIGNS: dict[str, Design] = {
    "grid": Design(
        "Every value with every other",
        "Each size for each number of tokens, and so with every field that lists several values.",
        {},
        _grid,
    ),
    "isoflop": Design(
        "IsoFLOP curves",
        "Each compute budget spent on models of several sizes.",
        {"flops": f"the budgets, in {FLOP}"},
        _isoflop,
        _so_many("flops"),
    ),
    "batch": Design(
        "Batch ladder",
        "Batches at several learning rates each: the critical batch at every loss that the runs pass.",
        {"rates": "multiples of the rate that grows with the root of the batch"},
        _batches,
        _so_many("rates", AROUND),
        {"schedule": "constant"},
    ),
    "rate": Design(
        "Learning-rate ladder",
        "Runs at multiples of their own learning rate.",
        {"rates": "multiples of the rate"},
        _rates,
        _so_many("rates", LADDER),
    ),
    "width": Design(
        "Width ladder",
        "Widths at the same learning rates, in the standard parametrisation and in muP: which rate is best at each. At the narrowest, the "
        "base of muP, both are the same run, which is trained once and counts for both.",
        {"rates": "the learning rates"},
        _widths,
        _so_many("rates", RATES),
        {"parametrisation": ["standard", "mup"]},
    ),
    "mixture": Design(
        "Data mixtures",
        "Pools of text in every proportion of a grid.",
        {"pools": "corpora, each as {'corpus': ...}", "parts": "into how many parts a run is shared out among them"},
        _mixtures,
        _ways,
    ),
    "schedule": Design(
        "Schedule set",
        "One run at a constant learning rate and a decay from it for each length, for little more than the longest.",
        {"tokens": "the lengths of the runs"},
        _schedules,
        lambda given: 1 + _so_many("tokens")(given) * _so_many("decay", (Spec.decay,))(given),  # and the trunk
        takes=("decay",),
    ),
}
#: Fields that a design works out itself: one that is given beside it would count for nothing.
_WORKED_OUT: dict[str, dict[str, str]] = {
    "isoflop": {"tokens": "has each run's tokens from 'flops' and its size"},
    "width": {"lr": "has the learning rates from 'rates'"},
    "schedule": {
        "schedule": "decays linearly from a constant rate",
        **dict.fromkeys(("keep", "trunk", "trunk_tokens"), "lays out its own trunk"),
    },
}
_NEEDED = {"isoflop": ("flops",), "mixture": ("pools",), "schedule": ("tokens",)}
