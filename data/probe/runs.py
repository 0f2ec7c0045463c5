"""Probes as runs: what their folders hold, by the known meaning of our own columns, so that nothing is guessed and nothing asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.draft import ordered
from data.errors import DataError
from data.flops import six_nd
from data.probe.corpus import corpora
from data.probe.found import Probe, probes_of, run_folders, states
from data.probe.spec import Spec
from data.rows.history import distinct
from data.schema import COLUMNS, NothingKept, Provenance, Runs
from data.states.recognise import STATE

#: What a column of a run's log is called in a table of runs; others keep their names.
LOGGED = {"step": "steps", "batch": "batch_sequences", "loss_se": "loss_error"}
#: The counts of parameters that fits can use, and which they use where nobody chooses: budgets of a sweep are 6 times it times tokens.
COUNTED = ("params_nonembed", "params_total")
_OF_SPEC, _OF_FOLDER, _OF_LOG = "from the run's spec", "from the run's folder", "logged by the run"
_TEXT = (
    "run",
    "group",
    "flops_convention",
    "seed",
    "schedule",
    "dataset",
    "state",
    "optimizer",
    "parametrisation",
    "activation",
)


def holds_probes(path: Path) -> bool:
    """Whether a path is a folder of probes: of one run, of a sweep, or of sweeps."""
    return path.is_dir() and bool(run_folders(path))


def read_probes(paths: Iterable[Path], name: str, *, count: str | None = None, keep: Collection[str] = ()) -> Runs:
    """The runs in folders of probes: those done are kept, those in other states set aside with the state as their reason.

    `count` is the count of parameters that fits use, one of `COUNTED`; `keep` are states that are kept all the same, where a loss was
    measured. Raises NothingKept where no run is done, and DataError where there is none.
    """
    if count is not None and count not in COUNTED:
        raise DataError(f"Probes count their parameters as {' or '.join(COUNTED)}; {count!r} was asked for.")
    each = {one.folder.path.resolve(): one for path in reversed([*paths]) for one in probes_of(path)[::-1]}
    found = [*each.values()][::-1]  # a run that two sweeps share is one run, of the first of them
    if not found:
        raise DataError(f"{name} holds no probes.")
    return as_runs(found, name, count=count or COUNTED[0], keep=keep)


def as_runs(found: Sequence[Probe], name: str, *, count: str = COUNTED[0], keep: Collection[str] = ()) -> Runs:
    """The same of probes that were found."""
    names = distinct([one.name for one in found])
    reasons = [_reason(one, keep) for one in found]
    about = pd.DataFrame([_about(one, called) for one, called in zip(found, names, strict=True)])
    number, rows = _rows(found)
    curves = _joined(about, number, rows, count)
    last = np.full(len(found), -1)
    last[number] = np.arange(len(number))  # of several rows of a run the last is written last
    ends = _joined(about, np.arange(len(found)), _ends(rows, last), count).assign(lr=_peaks(found))
    fitted = np.array([not why for why in reasons], dtype=bool)
    aside = ends[~fitted].assign(reason=pd.Series([why for why in reasons if why], dtype="str").to_numpy())
    kept = _without_empty(ends[fitted]).reset_index(drop=True)
    history = _without_empty(curves[fitted[number]]).reset_index(drop=True)
    runs = Runs(kept, aside.astype({"reason": "str"}).reset_index(drop=True), name, _sources(kept), history=history)
    if not fitted.any():
        raise NothingKept(f"No run of {name} is done: {standing(found)}.", replace(runs, history=None))
    return runs


def standing(found: Iterable[Probe]) -> str:
    """How runs stand, in words: 12 done, 2 running, 1 failed."""
    counted = states(found)
    order = ("done", "running", "queued", "lost", "failed", "diverged", "cancelled")
    return ", ".join(f"{counted[state]:,} {state}" for state in order if counted[state])


def _reason(one: Probe, keep: Collection[str]) -> str:
    """Why a run is set aside; '' for one that is kept."""
    if one.fault:
        return one.fault
    if one.status.state != "done" and (one.status.state not in keep or not one.rows):
        said = one.status.sentence if one.status.state in ("failed", "diverged") else ""
        return f"{STATE}{one.status.state}" + (f" ({said.rstrip('.')})" if said else "")
    return "" if one.rows and "loss" in one.rows[-1] else "no loss was measured"


def _about(one: Probe, called: str) -> dict[str, Any]:
    """What is the same all along a run."""
    about: dict[str, Any] = {"run": called, "group": one.sweep, "state": one.status.state}
    if one.what is None:
        return about
    what = _whole(one.what)
    counts, shape = what.counts, what.shape
    return about | {
        "params_total": counts.total if what.vocab else np.nan,
        "params_nonembed": counts.nonembed,
        "unique_tokens": what.unique_tokens or np.nan,
        "seq_len": what.seq_len,
        "weight_decay": what.weight_decay,
        "seed": str(what.seed),
        "schedule": what.schedule,
        "dataset": " + ".join(pool.corpus for pool in what.pools if pool.share > 0) or what.corpus,
        "layers": what.depth,
        "width": what.width,
        "heads": shape.heads,
        "head_dim": shape.head_dim,
        "ffn": shape.ffn,
        "vocab": what.vocab or np.nan,
        "optimizer": what.optimiser,
        "parametrisation": what.parametrisation,
        "base_width": (what.base_width or what.width) if what.parametrisation != "standard" else np.nan,
        "activation": what.activation,
        **{f"pool_{i}": pool.corpus for i, pool in enumerate(what.pools)},
        **{f"share_pool_{i}": pool.share for i, pool in enumerate(what.pools)},
    }


def _whole(what: Spec) -> Spec:
    """The spec with its vocabulary, which may be left to the corpus."""
    try:
        return what if what.vocab else what.with_(vocab=max(text.vocab for text in corpora(what)))
    except DataError:
        return what


def _rows(found: Sequence[Probe]) -> tuple[np.ndarray, pd.DataFrame]:
    """The numbers of every row of every log (m,), with the place (m,) of its run."""
    logs = [one.rows for one in found]
    number = np.repeat(np.arange(len(found)), [len(rows) for rows in logs])
    listed = [
        {_called(k, row): float(v) for k, v in row.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        for rows in logs
        for row in rows
    ]
    return number, pd.DataFrame(listed, index=range(len(listed)), dtype="float64")


def _called(name: str, row: Mapping[str, Any]) -> str:
    """What a column of a log is called in a table. FLOPs there are 6ND, so those that were logged say how they are counted."""
    return f"flops_{row.get('flops_convention', 'logged')}" if name == "flops" else LOGGED.get(name, name)


def _ends(rows: pd.DataFrame, last: np.ndarray) -> pd.DataFrame:
    """The rows at these places (n,); empty for -1."""
    return rows.reindex(np.where(last < 0, len(rows), last)).reset_index(drop=True)


def _joined(about: pd.DataFrame, number: np.ndarray, rows: pd.DataFrame, count: str) -> pd.DataFrame:
    """What is the same along the runs beside what was logged, with what follows from both."""
    frame = about.take(number).reset_index(drop=True)
    own = {c: rows[c].to_numpy() for c in rows if c not in frame}
    frame = pd.concat([frame, pd.DataFrame(own, index=frame.index)], axis=1)
    if count in frame:
        frame["params"] = frame[count]
    if {"batch_sequences", "seq_len"} <= set(frame):
        frame["batch"] = frame["batch_sequences"] * frame["seq_len"]
    if {"params_nonembed", "tokens"} <= set(frame):
        frame["flops"] = six_nd(frame["params_nonembed"], frame["tokens"])
        frame["flops_convention"] = "6ND"
    if "unique_tokens" in frame:
        repeated = frame["unique_tokens"].notna().any() and "tokens" in frame
        frame["unique_tokens"] = frame[["unique_tokens", "tokens"]].min(axis=1) if repeated else np.nan
    text = {c: "str" for c in frame if c in _TEXT or c.startswith("pool_")}
    filled = frame.fillna(dict.fromkeys(text, "")).astype(text)
    numbers = [c for c in filled if c not in text]
    return ordered(filled.astype(dict.fromkeys(numbers, "float64")))


def _peaks(found: Sequence[Probe]) -> np.ndarray:
    """The peak of each run's learning rate (n,)."""
    return np.array([one.what.rate if one.what else np.nan for one in found])


def _without_empty(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without columns of which nothing is known."""
    return frame[[c for c in frame if c == "loss" or not len(frame) or frame[c].notna().any()]]


def _sources(kept: pd.DataFrame) -> tuple[Provenance, ...]:
    whole = {"params", "params_total"} <= set(kept) and (kept["params"] == kept["params_total"]).all()
    said = {
        "params": "all parameters" if whole else "parameters without embeddings",
        "batch": "sequences times their length",
        "flops": "6 times parameters without embeddings times tokens",
    }
    said["flops_convention"] = said["flops"]
    back = {new: old for old, new in LOGGED.items()}
    how = dict.fromkeys(("run", "group", "state"), _OF_FOLDER)
    how |= dict.fromkeys(("steps", "tokens", "batch_sequences", "loss", "loss_error"), _OF_LOG)
    return tuple(
        Provenance(c, "", said[c]) if c in said else Provenance(c, back.get(c, c), how.get(c, _OF_SPEC))
        for c in kept
        if c in COLUMNS
    )
