"""Columns that follow from others: batch, tokens and training compute, with a word on how each was got."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.flops import six_nd
from data.headers import header as take_apart
from data.mapping import Mapping
from data.schema import COUNTS, Source

_AGREES = 6e-3  # how near logged FLOPs come to 6 N D to be called 6ND: both may be rounded to three digits


def derive(frame: pd.DataFrame, mapping: Mapping, notes: list[str]) -> list[Source]:
    """Write the columns that follow from others into the frame; returns how each was got."""
    sources = []

    def add(column: str, values: np.ndarray | pd.Series, how: str) -> None:
        frame[column] = values
        sources.append(Source(column, "", how))

    has = frame.columns.__contains__
    with np.errstate(all="ignore"):
        if not has("batch") and has("batch_sequences") and has("seq_len"):
            add("batch", frame["batch_sequences"] * frame["seq_len"], "sequences per step times sequence length")
        elif has("batch") and has("batch_sequences") and has("seq_len"):
            exact = frame["batch_sequences"] * frame["seq_len"]
            rounded = ((frame["batch"] / exact - 1).abs() < 0.06) & (frame["batch"] != exact)
            if rounded.any() and mapping.guesses["batch"].rounded:
                frame["batch"] = frame["batch"].where(~rounded, exact)
                sources.append(
                    Source("batch", "", "sequences per step times sequence length, which is rounded in the file")
                )
        if not has("tokens"):
            if has("batch") and has("steps"):
                add("tokens", frame["batch"] * frame["steps"], "tokens per step times steps")
            elif has("flops") and has("params"):
                add("tokens", frame["flops"] / (6.0 * frame["params"]), "FLOPs over 6 times parameters")
                notes.append("There is no column of tokens: they were taken as FLOPs / (6 × parameters).")
        if not has("batch") and has("tokens") and has("steps"):
            add("batch", frame["tokens"] / frame["steps"].where(frame["steps"] > 0), "tokens over steps")
        sources += _compute(frame, mapping, notes)
    return sources


def _compute(frame: pd.DataFrame, mapping: Mapping, notes: list[str]) -> list[Source]:
    """The training compute and the convention it is counted in, row by row where some rows lack it."""
    has = frame.columns.__contains__
    both = has("params") and has("tokens")
    if not has("flops"):
        if has("flops_per_token") and has("tokens"):
            frame["flops"] = frame["flops_per_token"] * frame["tokens"]
            frame["flops_convention"] = "as logged"
            return [Source("flops", mapping.header("flops_per_token") or "", "FLOPs per token times tokens")]
        if both:
            frame["flops"] = six_nd(frame["params"], frame["tokens"])
            frame["flops_convention"] = "6ND"
            return [Source("flops", "", "6 times parameters times tokens")]
        return []
    convention = "as logged"
    if both:
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
            notes.append(f"{int(filled.sum())} rows have no FLOPs: there they are 6 × parameters × tokens.")
    else:
        frame["flops_convention"] = convention
    return [Source("flops_convention", header, f"compared with 6 times parameters times tokens: {convention}")]
