"""A sweep's JSON as fields that a person types into, and back: lists of numbers with their units, names, or JSON itself."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard import numbers
from data.cells.values import number
from data.errors import DataError
from data.probe.cost import FLOP
from data.probe.spec import OPTIMISERS, PARAMETRISATIONS, SCHEDULES, Spec
from data.probe.sweep import DESIGNS
from data.probe.written import parsed as read_json

LONGEST = 100_000  # signs of a sweep's JSON
SHORT = 1e5  # from which a number is written with its k or M
Values = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One field of the form: its name in the JSON, what the page calls it, a help text, and the values that are offered."""

    name: str
    label: str
    help: str = ""
    choices: tuple[str, ...] = ()


#: Fields of every design that stand on the page; whatever else a spec has is written in the JSON.
ALWAYS = (
    Field("width", "Sizes by width", "Widths of the decoder, divided by commas; a layer has 12 width² weights."),
    Field("tokens", "Tokens of a run", "Training tokens: 250 k, 1M, 2.5e6, divided by commas."),
    Field("seed", "Seeds", "Each run is made once for each seed: 0, 1, 2."),
    Field("corpus", "Corpus", "What is trained on; `synthetic` is a language whose entropy is known exactly."),
    Field("optimiser", "Optimizer", "Muon trains the matrices of the layers and leaves the rest to AdamW.", OPTIMISERS),
)
MORE = (
    Field("batch", "Batch, sequences", "Sequences in each step."),
    Field("seq_len", "Sequence length", "Tokens of a sequence."),
    Field("depth", "Layers", "Layers of the decoder."),
    Field("lr", "Learning rate", "The peak; empty for 0.25 / width, near the best of ladders at widths 16 to 64."),
    Field("schedule", "Schedule", "Linear holds the rate and lets it fall over the last part of the run.", SCHEDULES),
    Field("weight_decay", "Weight decay", "Of the matrices, as AdamW has it."),
    Field("parametrisation", "Parametrization", "With muP the best rate does not move with width.", PARAMETRISATIONS),
    Field("eval_tokens", "Held-out tokens", "Tokens of each evaluation."),
)
#: What the page calls a design's own fields; others are called by their names.
OWN = {
    "flops": Field("flops", f"Budgets, {FLOP}", "Each is spent at every size: tokens are C / 6N."),
    "rates": Field("rates", "Learning rates", ""),
}


def fields_of(design: str) -> tuple[Field, ...]:
    """The fields that stand on the page for a design: its own first; without tokens where budgets say how many, and without a corpus
    where pools stand in its place."""
    own = DESIGNS[design].own if design in DESIGNS else {}
    first = tuple(
        Field(
            name,
            (OWN.get(name) or Field(name, name.replace("_", " ").capitalize())).label,
            meaning[:1].upper() + meaning[1:] + ".",
        )
        for name, meaning in own.items()
    )
    said = {*own, *(("tokens",) if "flops" in own else ()), *(("corpus",) if "pools" in own else ())}
    return (*first, *(one for one in ALWAYS if one.name not in said))


def remedy(refusal: str, design: str) -> str:
    """What to change on the page where a sweep is refused with this sentence: the fields that it names, by their labels."""
    here = {field.name: f"“{field.label}”" for field in fields_of(design)}
    more = {field.name: f"“{field.label}” under More fields" for field in MORE if field.name not in here}
    budgets = {"tokens": here["flops"]} if "flops" in here else {}
    places = {**more, **here, **budgets}
    said = refusal.partition("; it has")[0]
    words = re.findall(r"'([a-z_]+)'", said)[:1] or re.findall(r"[a-z_]+", said)
    named = dict.fromkeys(places[word] for word in words if word in places)
    where = " or ".join([*named][:2]) or "it under As JSON"
    return f"Change {where}; Undo takes the last change back."


def default(name: str) -> str:
    """What a run has where its JSON does not say a field, as the field shows it; '' where that follows from other fields."""
    held = Spec.__dataclass_fields__.get(name)
    said = shown(held.default) if held is not None else ""
    return "" if name in ("lr", "vocab", "heads", "base_width", "name") else said


def shown(value: Any) -> str:
    """A value of the JSON as the field shows it; '' for none."""
    if value is None:
        return ""
    listed = value if isinstance(value, list) else [value]
    if all(isinstance(one, str) for one in listed):
        return ", ".join(listed)
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in listed):
        least = SHORT if max(map(abs, listed), default=0.0) < SHORT else 1e3  # 50 k stands beside 100 k
        return ", ".join(_said(one, least) for one in listed)
    return json.dumps(value)


def typed(name: str, text: str) -> Any:
    """What a field's text means in the JSON; None for an empty one. What is no number stays as it is, for the sweep to refuse."""
    text = text.strip()
    if not text:
        return None
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    if re.fullmatch(r"\d{1,3}(,\d{3})+", text):
        return text  # 1,024 is one number to some and two to others
    parts = [part.strip() for part in re.split(r"[,;](?:\s|$)|\s*,\s*(?=\d)", text) if part and part.strip()]
    if isinstance(getattr(Spec.__dataclass_fields__.get(name), "default", None), str):  # a name, or several
        return parts if len(parts) > 1 else parts[0]
    found = [number(part) for part in parts]
    if not all(map(math.isfinite, found)):
        return text
    values = [_whole(one) for one in found]
    return values if len(values) > 1 else values[0]


def with_field(sweep: Mapping[str, Any], name: str, text: str) -> Values:
    """The sweep with what a field says; one that is empty says nothing."""
    value = typed(name, text)
    if value is None:
        return {key: held for key, held in sweep.items() if key != name}
    return {**sweep, name: value}


def written(sweep: Mapping[str, Any]) -> str:
    """The sweep as JSON, a field a line, in the order of the page."""
    if not sweep:
        return "{}"
    first = ("design", *(field.name for field in (*fields_of(str(sweep.get("design", "grid"))), *MORE)))
    order = [name for name in first if name in sweep] + [name for name in sweep if name not in first]
    return "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(sweep[name])}" for name in order) + "\n}"


def parsed(text: str) -> Values:
    """The sweep that JSON says. Raises DataError for what is no object."""
    if len(text) > LONGEST:
        raise DataError(f"A sweep is at most {LONGEST:,} signs of JSON; {len(text):,} came.")
    found = read_json(text.encode("utf-8", "replace"), "This")
    if not isinstance(found, dict):
        raise DataError(f"A sweep is an object of a probe's fields; {text.strip()[:40]!r} came.")
    return found


def _whole(x: float) -> int | float:
    return int(x) if x.is_integer() and abs(x) < 2**53 and abs(x) < 1e5 else x


def _said(x: float, least: float = SHORT) -> str:
    """A number as a person writes it: 16, 0.5, 250 k, 1e12, without losing a figure; whole ones below `least` in full."""
    if abs(x) < least and float(x).is_integer():
        return str(int(x))
    short = numbers.count(x).replace(numbers.THIN, " ") if least <= abs(x) < 1e9 else ""
    if short and number(short) == x:
        return short
    if isinstance(x, int):
        return str(x)
    return (f"{x:g}" if float(f"{x:g}") == x else repr(float(x))).replace("e+", "e")
