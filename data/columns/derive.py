"""Columns that follow from others: batch, tokens, parameters and training compute, with a word on how each was got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from data.columns.batches import global_batch
from data.columns.doubts import against_others, by_flops, fits_the_size, in_sequences, plausible_batch, plausible_tokens
from data.errors import Question
from data.flops import six_nd
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.middle import median
from data.plural import agreeing
from data.schema import COUNTS, Provenance
from data.units.factors import PASSES, PLAUSIBLE

_AGREES = 6e-3  # how near logged FLOPs come to 6 N D to be called 6ND: both may be rounded to three digits


@dataclass
class Derived:
    """What was derived: how each column was got, and questions that a guess has answered."""

    sources: list[Provenance] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


Has = Callable[..., bool]
Add = Callable[[str, "np.ndarray | pd.Series", str], None]


def derive(frame: pd.DataFrame, mapping: Mapping, notes: list[str], name: str = "the table") -> Derived:
    """Write the columns that follow from others into the frame, whose columns are in their own units.

    Raises `MappingNeeded` where the batch can be read in two ways and the tokens hang on it.
    """
    out = Derived()

    def add(column: str, values: np.ndarray | pd.Series, how: str) -> None:
        frame[column] = values
        out.sources.append(Provenance(column, "", how))

    def has(*columns: str) -> bool:
        return all(c in frame.columns for c in columns)

    with np.errstate(all="ignore"):
        if has("unique_tokens", "data_fraction"):
            of, part = mapping.header("unique_tokens"), mapping.header("data_fraction")
            add("unique_tokens", frame["unique_tokens"] * frame["data_fraction"], f"{of!r} times {part!r}")
            notes.append(f"The data of each run are {of!r} × {part!r}.")
        whole = global_batch(frame, mapping, name)
        if whole:
            _say_unknown(frame, whole.values, notes)
            add("batch_sequences", whole.values, whole.how)
            out.questions += [whole.question] if whole.question else []
        if has("batch_sequences", "seq_len"):
            exact = frame["batch_sequences"] * frame["seq_len"]
            if not has("batch"):
                add("batch", exact, "sequences per step times sequence length")
            else:
                rounded = ((frame["batch"] / exact - 1).abs() < 0.06) & (frame["batch"] != exact)
                if rounded.any() and mapping.guesses["batch"].rounded:
                    frame["batch"] = frame["batch"].where(~rounded, exact)
                    how = "sequences per step times sequence length, which is rounded in the file"
                    out.sources.append(Provenance("batch", "", how))
                elif in_sequences(frame, exact, mapping, notes, name):
                    add("batch", exact, "sequences per step times sequence length")
        if has("unique_samples", "seq_len") and not has("unique_tokens"):
            add(
                "unique_tokens",
                frame["unique_samples"] * frame["seq_len"],
                "sequences of the data times sequence length",
            )
        if not has("tokens"):
            _tokens(frame, has, _doubting(frame, mapping, add, notes, name), notes)
        else:
            against_others(frame, mapping, notes, name)
        if not has("batch") and has("tokens", "steps"):
            each = frame["tokens"] / frame["steps"].where(frame["steps"] > 0)
            if plausible_batch(each, notes):
                add("batch", each, "tokens over steps")
        if not any(has(c) for c in COUNTS) and has("flops", "tokens") and not _by(out, "tokens").startswith("FLOPs"):
            found = frame["flops"] / (6.0 * frame["tokens"])
            if _typical(found) >= PLAUSIBLE["params"][0] and _passes(frame["tokens"] / found):
                add("params", found, "FLOPs over 6 times tokens")
                notes.append("There is no column of parameters: they were taken as FLOPs / (6 × tokens).")
            elif np.isfinite(_typical(found)):
                notes.append(
                    f"FLOPs / (6 × tokens) come to {_typical(found):.3g} parameters, which fits no run of these tokens: parameters "
                    "were not derived from it."
                )
        circular = {s.column for s in out.sources if s.how.startswith("FLOPs over")}
        out.sources += _compute(frame, mapping, notes, circular)
    return out


def _say_unknown(frame: pd.DataFrame, batch: pd.Series, notes: list[str]) -> None:
    """Say how many rows have a batch whose factors they do not all say."""
    base = frame["batch_device"] if "batch_device" in frame else frame["batch_sequences"]
    count = int((batch.isna() & base.notna()).sum())
    if count:
        rows = agreeing(count, "row lacks", "rows lack")
        notes.append(
            f"{rows} a factor of the batch, such as devices or accumulated passes: the batch there is unknown."
        )


def _tokens(frame: pd.DataFrame, has: Has, add: Add, notes: list[str]) -> None:
    """The tokens seen, from the first of these that the table allows."""
    if has("batch", "steps"):
        add("tokens", frame["batch"] * frame["steps"], "tokens per step times steps")
    elif has("samples", "seq_len"):
        add("tokens", frame["samples"] * frame["seq_len"], "sequences seen times sequence length")
    elif has("unique_tokens", "epochs"):
        add("tokens", frame["unique_tokens"] * frame["epochs"], "unique tokens times epochs")
        if has("data_fraction"):
            notes.append("The tokens are those of each run's part of the data times its epochs.")
    elif has("unique_tokens", "data_fraction"):
        add("tokens", frame["unique_tokens"], "the part of the data, seen once")
        notes.append("There is no column of epochs: the tokens are those of each run's part of the data, seen once.")
    elif has("tokens_per_param", "params"):
        add("tokens", frame["tokens_per_param"] * frame["params"], "tokens per parameter times parameters")
        notes.append("There is no column of tokens: they were taken as tokens per parameter × parameters.")
    elif has("flops", "params"):
        found = frame["flops"] / (6.0 * frame["params"])
        if _typical(found) < PLAUSIBLE["tokens"][0] or not _passes(found / frame["params"]):
            notes.append(
                f"FLOPs / (6 × parameters) come to {_typical(found):.3g} tokens, so this is no training compute: tokens were not "
                "derived from it."
            )
            return
        add("tokens", found, "FLOPs over 6 times parameters")
        notes.append("There is no column of tokens: they were taken as FLOPs / (6 × parameters).")


def _doubting(frame: pd.DataFrame, mapping: Mapping, add: Add, notes: list[str], name: str) -> Add:
    """`add` for tokens that follow from other columns: not where they come to what no run of that size has seen."""

    def add_plausible(column: str, values: np.ndarray | pd.Series, how: str) -> None:
        if how.startswith("FLOPs over") or not by_flops(frame, pd.Series(values), how, mapping, name):
            if plausible_tokens(frame, pd.Series(values), how, mapping, notes, name):
                add(column, values, how)
            return
        count = next(c for c in COUNTS if c in frame)
        add(column, frame["flops"] / (6.0 * frame[count]), "FLOPs over 6 times parameters, as you said")
        if "steps" in frame and mapping.header("batch") is None:
            add("batch", frame["tokens"] / frame["steps"].where(frame["steps"] > 0), "tokens over steps")

    return add_plausible


def _passes(ratio: pd.Series) -> bool:
    """Whether tokens per parameter are such as a run may have."""
    return PASSES[0] <= _typical(ratio) <= PASSES[1]


def _by(out: Derived, column: str) -> str:
    return next((s.how for s in out.sources if s.column == column), "")


def _say_apart(frame: pd.DataFrame, notes: list[str]) -> None:
    """Say where logged FLOPs are far from six per parameter and token, by whichever count comes nearest."""
    counts = [c for c in COUNTS if c in frame]
    ratios = [_typical(frame["flops"] / six_nd(frame[c], frame["tokens"])) for c in counts]
    near = min((r for r in ratios if np.isfinite(r)), key=lambda r: abs(np.log(r)), default=np.nan)
    if np.isfinite(near) and not 0.6 < near < 4.0:
        why = "forward passes alone come to a third" if near < 0.6 else "recomputed passes and attention add to it"
        notes.append(
            f"The compute is {near:.3g} times 6 × parameters × tokens and is used as it stands: {why}, so check what it counts."
        )


def _typical(ratio: pd.Series) -> float:
    values = ratio.to_numpy(dtype="float64")
    values = values[np.isfinite(values) & (values > 0)]
    return median(values) if len(values) else float("nan")


def _compute(frame: pd.DataFrame, mapping: Mapping, notes: list[str], circular: set[str]) -> list[Provenance]:
    """The training compute and the convention it is counted in, row by row where some rows lack it.

    `circular` are the columns that were derived from it, with which there is nothing to compare.
    """
    has = frame.columns.__contains__
    both = has("params") and has("tokens")
    if not has("flops"):
        if has("flops_per_token") and has("tokens") and fits_the_size(frame, mapping, notes):
            frame["flops"] = frame["flops_per_token"] * frame["tokens"]
            frame["flops_convention"] = "as logged"
            if both:
                _say_apart(frame, notes)
            return [Provenance("flops", mapping.header("flops_per_token") or "", "FLOPs per token times tokens")]
        if has("params_active") and has("tokens"):  # a mixture of experts computes with those that a token uses
            active = frame["params_active"].fillna(frame["params"]) if has("params") else frame["params_active"]
            frame["flops"] = six_nd(active, frame["tokens"])
            frame["flops_convention"] = "6ND" if mapping.count == "params_active" else "6ND with params_active"
            return [Provenance("flops", "", "6 times active parameters times tokens")]
        if both:
            frame["flops"] = six_nd(frame["params"], frame["tokens"])
            frame["flops_convention"] = "6ND"
            return [Provenance("flops", "", "6 times parameters times tokens")]
        return []
    convention = "as logged"
    if both and not circular:
        for count in ("params", *COUNTS[1:], "params_logged"):
            if has(count):
                ratio = (frame["flops"] / six_nd(frame[count], frame["tokens"])).to_numpy()
                ratio = ratio[np.isfinite(ratio)]
                if len(ratio) and np.mean(np.abs(ratio - 1) < _AGREES) > 0.95:
                    convention = "6ND" if count == "params" else f"6ND with {count}"
                    break
    header = mapping.header("flops") or ""
    if convention == "as logged" and "6nd" in take_apart(header).words.replace(" ", ""):
        convention = "6ND"
    missing = frame["flops"].isna()
    if both and missing.any() and not missing.all():
        filled = missing & frame["params"].notna() & frame["tokens"].notna()
        frame["flops"] = frame["flops"].where(~filled, six_nd(frame["params"], frame["tokens"]))
        frame["flops_convention"] = np.where(filled, "6ND", convention)
        if filled.any():
            rows = agreeing(int(filled.sum()), "row has", "rows have")
            notes.append(f"{rows} no FLOPs: there they are 6 × parameters × tokens.")
    elif circular:
        frame["flops_convention"] = "6ND"
        return [
            Provenance(
                "flops_convention",
                header,
                f"6ND by construction: {' and '.join(sorted(circular))} were derived from it",
            )
        ]
    else:
        frame["flops_convention"] = convention
    if both and convention == "as logged":
        _say_apart(frame, notes)
    return [Provenance("flops_convention", header, f"compared with 6 times parameters times tokens: {convention}")]
