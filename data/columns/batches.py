"""The batch of a whole optimiser step, from what the file says of sequences, devices and accumulated gradients.

A column called batch_size may count the sequences of the step or those of one forward pass on one device; trackers log
both. What the numbers decide (tokens over steps) is taken, what a header says is taken, and the rest is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.errors import DataError, MappingNeeded, Question
from data.headers.parts import header as take_apart
from data.mapping import Mapping

#: What a batch size counts: the answers to the question, with the columns that it must still be multiplied by.
READINGS = {
    "step": (),
    "device": ("grad_accum", "devices"),
    "accumulated": ("devices",),
    "all devices": ("grad_accum",),
}
_CLOSE = 0.05  # how near tokens / steps come to a reading to decide for it: steps are rounded, last batches dropped
_WHOLE = ("global", "total", "effective", "overall")


@dataclass(frozen=True)
class Found:
    """The sequences of one optimiser step (n,), how that was worked out, and a question where a guess was taken."""

    values: pd.Series
    how: str
    question: Question | None = None


def global_batch(frame: pd.DataFrame, mapping: Mapping, name: str) -> Found | None:
    """The sequences in one optimiser step where the file spells them out in parts; None where it does not.

    Raises `MappingNeeded` where two readings are possible and the tokens seen hang on the answer.
    """
    has = frame.columns.__contains__
    if mapping.batch and mapping.batch not in READINGS:
        raise DataError(f"batch is one of {', '.join(map(repr, READINGS))}; got {mapping.batch!r}.")
    world, parts = _world(frame, mapping)
    header = mapping.header("batch_sequences")
    needed = not has("tokens") and has("steps")  # else only laws of batch size hang on it
    if has("batch_device"):
        return _from_device(frame, mapping, world, parts, needed, name)
    if header is None or not has("batch_sequences"):
        return None
    whole = any(word in _WHOLE for word in take_apart(header).words.split()) and not mapping.batch
    if whole and needed:
        return None
    factors: dict[str, pd.Series] = {}
    if _said(frame, "grad_accum"):
        factors["grad_accum"] = frame["grad_accum"]
    if world is not None:
        factors["devices"] = world
    if not any((f.dropna() != 1).any() for f in factors.values()):
        return None if whole or mapping.batch == "step" else _all_ones(frame, header, factors)
    readings: dict[str, tuple[str, ...]] = {}
    for reading, parts_of in READINGS.items():
        needs = tuple(n for n in parts_of if n in factors)
        if needs not in readings.values():
            readings[reading] = needs
    formulas = {r: " × ".join([header, *(_called(mapping, n, parts) for n in needs)]) for r, needs in readings.items()}
    values = {r: _times(frame["batch_sequences"], [factors[n] for n in needs]) for r, needs in readings.items()}
    if mapping.batch:
        if mapping.batch not in readings:
            raise DataError(
                f"{name} has no columns for the batch read as {mapping.batch!r}; it has {', '.join(readings)}."
            )
        return Found(values[mapping.batch], formulas[mapping.batch])
    decided = _decided(frame, values)
    if whole:
        return _against_its_name(frame, header, values, formulas, decided)
    if decided:
        if decided == "step":
            return None
        return Found(values[decided], f"{formulas[decided]}, which is what tokens over steps come to")
    likely = "device" if "grad_accum" in factors else "step"
    options = tuple(dict.fromkeys([likely, *readings]))
    text = f"What does {header!r} count: " + ", or ".join(_meaning(r, formulas[r]) for r in options) + "?"
    question = Question("batch", text, options, likely, needed=needed)
    if needed:
        raise MappingNeeded(f"{name}: {text}", (question,))
    return (
        Found(values["step"], f"{header} as it stands", question)
        if likely == "step"
        else Found(values[likely], formulas[likely], question)
    )


def _against_its_name(
    frame: pd.DataFrame, header: str, values: dict[str, pd.Series], formulas: dict[str, str], decided: str
) -> Found | None:
    """A batch named global where tokens over steps speak for another reading: taken so, and said."""
    if decided in ("", "step"):
        return None
    text = f"Is a step's batch {formulas[decided]}? Tokens over steps come to that, and not to {header!r} alone."
    how = f"{formulas[decided]}, which is what tokens over steps come to"
    return Found(values[decided], how, Question("batch", text, (decided, "step"), decided, needed=False))


def _from_device(
    frame: pd.DataFrame, mapping: Mapping, world: pd.Series | None, parts: str, needed: bool, name: str
) -> Found | None:
    """The batch from one device's: times accumulated passes, times devices, which are asked for where nobody says."""
    has = frame.columns.__contains__
    header = mapping.header("batch_device") or "batch_device"
    bases, words = [], [header]
    if _said(frame, "grad_accum"):
        bases.append(frame["grad_accum"])
        words.append(mapping.header("grad_accum") or "grad_accum")
    if world is not None:
        product = _times(frame["batch_device"], [*bases, world])
        if has("batch_sequences"):
            return (
                None
                if _agree(frame["batch_sequences"], product)
                else _differ(frame, mapping, product, [*words, parts], needed, name)
            )
        return Found(product, " × ".join([*words, parts]))
    if has("batch_sequences"):
        part = _times(frame["batch_device"], bases)
        with np.errstate(all="ignore"):
            beyond = bool((part > frame["batch_sequences"] * (1 + _CLOSE)).any())
        if beyond:
            return _differ(frame, mapping, part, words, needed, name)
    if has("batch_sequences") or _said(frame, "batch") or (has("tokens") and has("steps")):
        return None  # the file gives the whole batch, or what it follows from
    if mapping.devices is not None:
        if not (np.isfinite(mapping.devices) and mapping.devices >= 1):
            raise DataError(f"devices is a number of at least 1; got {mapping.devices!r}.")
        return Found(
            _times(frame["batch_device"], bases) * float(mapping.devices),
            " × ".join([*words, f"{mapping.devices:g} devices, as you said"]),
        )
    if not needed:
        return None
    text = f"{header!r} counts one device's sequences; on how many devices did each run train?"
    raise MappingNeeded(f"{name}: {text}", (Question("devices", text),))


def _differ(
    frame: pd.DataFrame, mapping: Mapping, product: pd.Series, words: list[str], needed: bool, name: str
) -> Found | None:
    """What becomes of a batch size that is not the product of its parts beside it."""
    header = mapping.header("batch_sequences") or "batch_sequences"
    formula = " × ".join(words)
    if mapping.batch:
        return None if mapping.batch == "step" else Found(product, formula)
    decided = _decided(frame, {"step": frame["batch_sequences"], "device": product})
    if decided:
        return None if decided == "step" else Found(product, f"{formula}, which is what tokens over steps come to")
    text = f"How large is a step's batch: {header!r}, or {formula}? They differ{_beyond(frame, product)}."
    question = Question("batch", text, ("step", "device"), "step", needed=needed)
    if needed:
        raise MappingNeeded(f"{name}: {text}", (question,))
    return Found(frame["batch_sequences"], f"{header} as it stands", question)


def _beyond(frame: pd.DataFrame, product: pd.Series) -> str:
    with np.errstate(all="ignore"):
        more = bool((product > frame["batch_sequences"] * (1 + _CLOSE)).any())
    return ", and a device's part cannot be larger than the whole" if more else ""


def _world(frame: pd.DataFrame, mapping: Mapping) -> tuple[pd.Series | None, str]:
    """How many devices each see another part of the batch (n,), and the words for it; None where the file does not say."""
    if _said(frame, "data_parallel"):
        return frame["data_parallel"], mapping.header("data_parallel") or "data_parallel"
    if not _said(frame, "devices"):
        return None, ""
    shared = [c for c in ("tensor_parallel", "pipeline_parallel", "context_parallel") if _said(frame, c)]
    over = [mapping.header(c) or c for c in shared]
    world = frame["devices"]
    for c in shared:
        world = world / frame[c].where(frame[c] > 0)
    words = mapping.header("devices") or "devices"
    return world, words + "".join(f" / {o}" for o in over)


def _called(mapping: Mapping, part: str, devices: str) -> str:
    return devices if part == "devices" else mapping.header(part) or part


def _meaning(reading: str, formula: str) -> str:
    said = {
        "step": "the sequences of a whole step",
        "device": f"those of one device, so that a step has {formula}",
        "accumulated": f"those of one device's step, so that a step has {formula}",
        "all devices": f"those of one forward pass on all devices, so that a step has {formula}",
    }
    return said[reading]


def _said(frame: pd.DataFrame, column: str) -> bool:
    """Whether a column says anything: one that is blank in every row is as good as none."""
    return column in frame and bool(frame[column].notna().any())


def _all_ones(frame: pd.DataFrame, header: str, factors: dict[str, pd.Series]) -> Found | None:
    """The batch where no reading matters since every factor is 1; unknown in rows that do not say theirs."""
    values = _times(frame["batch_sequences"], list(factors.values()))
    return None if values.equals(frame["batch_sequences"]) else Found(values, f"{header}, whose factors are 1")


def _times(values: pd.Series, factors: list[pd.Series]) -> pd.Series:
    """The product (n,), NaN where a factor is not said: a blank cell is no 1."""
    for f in factors:
        values = values * f
    return values


def _agree(one: pd.Series, other: pd.Series) -> bool:
    with np.errstate(all="ignore"):
        ratio = (one / other).to_numpy()
    ratio = ratio[np.isfinite(ratio)]
    return not len(ratio) or float(np.mean(np.abs(ratio - 1) < _CLOSE)) > 0.9


def _decided(frame: pd.DataFrame, values: dict[str, pd.Series]) -> str:
    """The one reading that tokens over steps and sequence length bear out, '' where none or several do."""
    if not {"tokens", "steps", "seq_len"} <= set(frame.columns):
        return ""
    with np.errstate(all="ignore"):
        real = frame["tokens"] / (frame["steps"].where(frame["steps"] > 0) * frame["seq_len"])
    if not real.notna().any():
        return ""
    borne = [r for r, v in values.items() if _agree(real, v)]
    kinds = {tuple(values[r].fillna(-1)) for r in borne}
    return borne[0] if len(kinds) == 1 else ""
