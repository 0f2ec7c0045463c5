"""What follows from several columns and cannot be: asked about, or not derived and said."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.errors import MappingNeeded, Question
from data.mapping import Mapping
from data.middle import median
from data.rows.progress import WHOLE
from data.schema import COUNTS
from data.units.factors import AGREES, PASSES, PLAUSIBLE

_SAID = 1.05  # how many times tokens may be batch x steps before it is said: last batches, warm-up of the batch
_NAMED = (
    0.03  # how near that ratio comes to a sequence's length, to devices or to accumulated passes to be caused by it
)
_SHORT = 1.5  # how many times a step must fall short of a sequence before it is doubted
_LEAST_DERIVED = 1e-3  # tokens per parameter: a product of two columns is doubted sooner than a column of tokens
_FACTORS = (1.0, 1e3, 1e6, 1e9)

#: Which column's unit is asked about where tokens that follow from it are too few.
_COUNTED = {
    "tokens per step times steps": "steps",
    "sequences seen times sequence length": "samples",
    "unique tokens times epochs": "unique_tokens",
    "tokens per parameter times parameters": "tokens_per_param",
}


def plausible_tokens(
    frame: pd.DataFrame, tokens: pd.Series, how: str, mapping: Mapping, notes: list[str], name: str
) -> bool:
    """Whether derived tokens (n,) are such as runs of that size may have seen; a sentence where they are not and are left out.

    Raises `MappingNeeded` where they are too few, which the unit of the column they follow from may explain.
    """
    column = _COUNTED.get(how, "")
    middle = _typical(tokens)
    count = next((c for c in COUNTS if c in frame), "")
    each = _typical(tokens / frame[count]) if count else np.nan
    few = middle < PLAUSIBLE["tokens"][0] or each < _LEAST_DERIVED
    many = each > PASSES[1] or middle > PLAUSIBLE["tokens"][1]
    if not (few or many) or not column or column in mapping.units:
        return True
    comes = f"come to {middle:.3g} tokens" + (f", {each:.2g} per parameter" if count else "")
    if many:
        notes.append(f"There is no column of tokens, and {how} {comes}, which no run has: they were not derived.")
        return False
    header = mapping.header(column) or column
    text = f"In which unit is {header!r}? There is no column of tokens, and {how} {comes}, which no run has."
    power = 3 * round(np.log10(20.0 / each) / 3) if 0 < each < np.inf else 0
    guess = f"{10.0**power:g}" if 0 < power <= 9 else ""
    options = tuple(f"{f:g}" for f in _FACTORS)
    question = Question(f"units.{column}", text, options, guess if guess in options else "")
    raise MappingNeeded(f"{name}: {text}", (question,))


def by_flops(frame: pd.DataFrame, tokens: pd.Series, how: str, mapping: Mapping, name: str) -> bool:
    """Whether derived tokens (n,) give way to what FLOPs and parameters come to, because a person says so.

    Raises `MappingNeeded` where the FLOPs of every row differ from 6 N D by more than a factor of 3 under every count.
    """
    header = mapping.header("flops")
    counts = [c for c in COUNTS if c in frame]
    if header is None or "flops" not in frame or not counts:
        return False
    with np.errstate(all="ignore"):
        ratios = [(frame["flops"] / (6.0 * frame[c] * tokens)).to_numpy(dtype="float64") for c in counts]
    ratios = [r[np.isfinite(r) & (r > 0)] for r in ratios]
    ratios = [r for r in ratios if len(r)]
    if not ratios or not all(r.min() > _FAR_FROM_FLOPS or r.max() < 1 / _FAR_FROM_FLOPS for r in ratios):
        return False
    if mapping.tokens_from:
        return mapping.tokens_from == FLOPS
    near = float(min((median(r) for r in ratios), key=lambda m: abs(np.log(m))))
    count = "params" if "params" in frame else counts[0]
    text = (
        f"What was each run trained on? There is no column of tokens: {how} come to {_typical(tokens):.3g}, and {header!r} over 6 times "
        f"the parameters to {_typical(frame['flops'] / (6.0 * frame[count])):.3g}, a factor of {max(near, 1 / near):.3g} apart."
    )
    raise MappingNeeded(f"{name}: {text}", (Question("tokens_from", text, (COLUMNS_SAY, FLOPS), ""),))


COLUMNS_SAY, FLOPS = "columns", "flops"  # the answers to what tokens follow from
_FAR_FROM_FLOPS = 3.05  # forward passes alone come to a third


def against_others(frame: pd.DataFrame, mapping: Mapping, notes: list[str], name: str) -> None:
    """Say where a column of tokens is not what other columns come to.

    Raises `MappingNeeded` where it falls short by just what a sequence has tokens, by the devices or by the passes of a step.
    """
    header = mapping.header("tokens")
    if header is None:
        return
    has = set(frame.columns).issuperset
    if has({"batch", "steps"}):
        ratio = _typical((frame["tokens"] / (frame["batch"] * frame["steps"]))[_alike(frame, mapping)])
        _ask_if_short(frame, mapping, ratio, "batch × steps", tuple(_PARTS), name)
        _say(header, ratio, "batch × steps", notes)
    elif has({"tokens", "steps", "seq_len"}):
        each = _typical(frame["tokens"] / frame["steps"].where(frame["steps"] > 0))
        _ask_if_no_sequence(frame, mapping, each, name)
    if has({"samples", "seq_len"}):
        ratio = _typical(frame["tokens"] / (frame["samples"] * frame["seq_len"]))
        words = f"{mapping.header('samples')} × {mapping.header('seq_len')}"
        _ask_if_short(frame, mapping, ratio, words, ("seq_len",), name)
        _say(header, ratio, words, notes)
    counts = [c for c in COUNTS if c in frame]
    if has({"tokens_per_param"}) and counts:  # of whichever count comes nearest
        ratios = [_typical(frame["tokens"] / (frame["tokens_per_param"] * frame[c])) for c in counts]
        ratio = min(ratios, key=lambda r: abs(np.log(r)) if np.isfinite(r) else np.inf)
        _say(header, ratio, f"{mapping.header('tokens_per_param')} × parameters", notes)
    if has({"unique_tokens", "epochs"}):
        ratio = _typical(frame["tokens"] / (frame["unique_tokens"] * frame["epochs"]))
        _say(header, ratio, "unique tokens × epochs", notes, _SHORT)  # epochs are often rounded


def _alike(frame: pd.DataFrame, mapping: Mapping) -> pd.Series:
    """Which rows (n,) have steps and tokens of one place: the last of each curve where one of the two is the whole run's."""
    whole = [(mapping.header(c) or "").endswith(WHOLE) for c in ("steps", "tokens")]
    if whole[0] == whole[1]:
        return pd.Series(True, index=frame.index)
    moving = frame["tokens" if whole[0] else "steps"]
    return ~(moving.shift(-1) > moving)


#: What tokens fall short of batch x steps by, where they were counted in sequences, on one device or in one pass.
_PARTS = {"seq_len": "the sequence length", "devices": "the devices", "data_parallel": "the devices",
          "grad_accum": "the accumulated passes"}  # fmt: skip


def _ask_if_short(
    frame: pd.DataFrame, mapping: Mapping, ratio: float, product: str, parts: tuple[str, ...], name: str
) -> None:
    """Raise `MappingNeeded` where tokens are the product over one of the parts."""
    if product == "batch × steps" and abs(ratio - 1) < _NAMED:
        _ask_if_no_sequence(frame, mapping, _typical(frame["batch"]), name)
    for column in parts:
        factor = _typical(frame[column]) if column in frame else 1.0
        if factor >= 2 and mapping.header(column) and abs(ratio * factor - 1) < _NAMED:
            _ask_factor(mapping, f"It is {product} over {_PARTS[column]}", column, factor, name)


def _ask_if_no_sequence(frame: pd.DataFrame, mapping: Mapping, each: float, name: str) -> None:
    """Raise `MappingNeeded` where the tokens of a step, `each`, are fewer than one sequence has."""
    length = _typical(frame["seq_len"]) if "seq_len" in frame else 1.0
    if each < length / _SHORT:
        _ask_factor(mapping, f"Over the steps it is {each:.4g}, less than one sequence", "seq_len", length, name)


def _ask_factor(mapping: Mapping, why: str, column: str, factor: float, name: str) -> None:
    if "tokens" in mapping.units:
        return
    text = (
        f"Does {mapping.header('tokens')!r} count all tokens? {why} ({mapping.header(column)!r}, {factor:g}): "
        f"give the factor {factor:g} if it must be multiplied by it, 1 if it stands."
    )
    guess = "1" if column == "grad_accum" else f"{factor:g}"  # steps may count passes
    raise MappingNeeded(f"{name}: {text}", (Question("units.tokens", text, (f"{factor:g}", "1"), guess),))


def _say(header: str, ratio: float, product: str, notes: list[str], far: float = _SAID) -> None:
    if np.isfinite(ratio) and not 1 / far < ratio < far:
        notes.append(
            f"The tokens are {ratio:.3g} times {product}: {header!r} is used as it stands, so check "
            "that it counts the tokens each run was trained on."
        )


def plausible_batch(each: pd.Series, notes: list[str]) -> bool:
    """Whether tokens over steps (n,) are such as a step may have; a sentence where they are not and are left out."""
    low, high = PLAUSIBLE["batch"]
    middle = _typical(each)
    if np.isfinite(middle) and not low <= middle <= high:
        notes.append(
            f"Tokens over steps come to {middle:.3g} a step, which no batch has: no batch was derived from them."
        )
        return False
    return True


def in_sequences(frame: pd.DataFrame, exact: pd.Series, mapping: Mapping, notes: list[str], name: str) -> bool:
    """Whether a step's batch is its sequences times their length, `exact` (n,), and not what a column of tokens says.

    Said where they differ. Raises `MappingNeeded` where they do by much and the tokens of each run follow from the answer.
    """
    header, other = mapping.header("batch"), mapping.header("batch_sequences")
    ratio = _typical(frame["batch"] / exact)
    if header is None or other is None or not np.isfinite(ratio) or 1 / _SAID < ratio < _SAID:
        return False
    if mapping.batch_in:
        return mapping.batch_in == "sequences"
    differ = f"{header!r} is {ratio:.3g} times {other} × {mapping.header('seq_len')}"
    if {"tokens", "steps"} <= set(frame.columns):
        borne = [abs(_typical(frame["tokens"] / (frame["steps"] * b)) - 1) < _NAMED for b in (frame["batch"], exact)]
        if borne[1] and not borne[0]:
            notes.append(f"{differ}, and tokens over steps come to the latter, which is used.")
            return True
    elif "steps" in frame and "tokens" not in frame and not 1 / _SHORT < ratio < _SHORT:
        text = f"Is a step's batch the tokens of {header!r}, or the sequences of {other!r}? {differ}."
        raise MappingNeeded(f"{name}: {text}", (Question("batch", text, ("tokens", "sequences"), ""),))
    notes.append(f"{differ}: it is used as it stands, and {other!r} may count one device's.")
    return False


def fits_the_size(frame: pd.DataFrame, mapping: Mapping, notes: list[str]) -> bool:
    """Whether FLOPs per token are such as a model of the size has; a sentence where they are not and are left out."""
    counts = [c for c in COUNTS if c in frame]
    ratios = [_typical(frame["flops_per_token"] / (6.0 * frame[c])) for c in counts]
    near = min((r for r in ratios if np.isfinite(r)), key=lambda r: abs(np.log(r)), default=np.nan)
    if not np.isfinite(near) or abs(np.log10(near)) <= AGREES or "flops_per_token" in mapping.units:
        return True
    header = mapping.header("flops_per_token") or "flops_per_token"
    notes.append(
        f"{header!r} is {near:.2g} times 6 × parameters, which no training is: the compute was not derived from it but from "
        "parameters and tokens."
    )
    return False


def _typical(values: pd.Series) -> float:
    found = values.to_numpy(dtype="float64")
    found = found[np.isfinite(found) & (found > 0)]
    return median(found) if len(found) else float("nan")
