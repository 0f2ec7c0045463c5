"""Probes as runs: what their folders hold, by the known meaning of our own columns, so that nothing is guessed and nothing asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.cells.values import Numbers
from data.draft import ordered
from data.errors import DataError
from data.flops import six_nd
from data.plural import agreeing
from data.probe import trunks
from data.probe.corpus import corpora
from data.probe.found import Probe, probes_of, run_folders, states
from data.probe.spec import Spec
from data.rows.history import distinct
from data.schema import COLUMNS, NEEDED, NothingKept, Provenance, Runs
from data.states.checks import reasons as judged
from data.states.recognise import STATE

#: What a column of a run's log is called in a table of runs; others keep their names.
LOGGED = {"step": "steps", "batch": "batch_sequences", "loss_se": "loss_error"}
#: The counts of parameters that fits can use, and which they use where nobody chooses: budgets of a sweep are 6 times it times tokens.
COUNTED = ("params_nonembed", "params_total")
MOST_SAID = 300  # signs of what a run says of its end
_OF_SPEC, _OF_FOLDER, _OF_LOG = "from the run's spec", "from the run's folder", "logged by the run"
_TEXT = (
    "run",
    "group",
    "flops_convention",
    "seed",
    "schedule",
    "dataset",
    "state",
    "device",
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


@np.errstate(all="ignore")  # what overflows is set aside as not finite
def as_runs(found: Sequence[Probe], name: str, *, count: str = COUNTED[0], keep: Collection[str] = ()) -> Runs:
    """The same of probes that were found."""
    names = distinct([one.name for one in found])
    reasons = _once_each(found, names, [_reason(one, keep) for one in found])
    whole = [not why for why in reasons]
    reasons = [why or trunk for why, trunk in zip(reasons, trunks.undecayed(found, keep), strict=True)]
    undecayed = trunks.said(sum(was and bool(why) for was, why in zip(whole, reasons, strict=True)))
    about = pd.DataFrame([_about(one, called) for one, called in zip(found, names, strict=True)])
    number, rows = _rows(found)
    curves = _joined(about, number, rows, count)
    last = np.full(len(found), -1)
    last[number] = np.arange(len(number))  # of several rows of a run the last is written last
    ends = _joined(about, np.arange(len(found)), _ends(rows, last), count).assign(lr=_peaks(found))
    reasons = [why or judged for why, judged in zip(reasons, _judged(ends, found), strict=True)]
    fitted = np.array([not why for why in reasons], dtype=bool)
    aside = ends[~fitted].assign(reason=pd.Series([why for why in reasons if why], dtype="str").to_numpy())
    kept = _without_empty(ends[fitted]).reset_index(drop=True)
    curves = curves[fitted[number]].reset_index(drop=True)
    odd = _odd(curves)
    notes = (*undecayed, *_notes(found, names, fitted, curves["run"][odd]))
    history = _without_empty(curves[~odd]).reset_index(drop=True)
    runs = Runs(kept, aside.astype({"reason": "str"}).reset_index(drop=True), name, _sources(kept), notes, history)
    if not fitted.any():
        why = next((r for r, one in zip(reasons, found, strict=True) if one.status.state == "done"), "")
        said = (
            f"No run of {name} can be used. {why[:1].upper()}{why[1:].rstrip('.')}."
            if why
            else f"No run of {name} is done: {standing(found)}."
        )
        raise NothingKept(said, replace(runs, history=None))
    return runs


def standing(found: Iterable[Probe]) -> str:
    """How runs stand, in words: 12 done, 2 running, 1 failed."""
    counted = states(found)
    order = ("done", "running", "queued", "lost", "failed", "diverged", "cancelled")
    return ", ".join(f"{counted[state]:,} {state}" for state in order if counted[state])


def _reason(one: Probe, keep: Collection[str]) -> str:
    """Why a run is set aside, whatever it measured; '' for one that is kept."""
    if one.fault:
        return one.fault
    if one.status.state != "done" and (one.status.state not in keep or not one.rows):
        said = one.status.sentence if one.status.state in ("failed", "diverged") else ""
        said = " ".join(said.split())[:MOST_SAID].rstrip(".")
        return f"{STATE}{one.status.state}" + (f" ({said})" if said else "")
    return one.wrong or ("" if one.log.rows and "loss" in one.log.rows[-1] else "no loss was measured")


def _once_each(found: Sequence[Probe], names: Sequence[str], why: Sequence[str]) -> list[str]:
    """The same reasons, and that of a run whose folder was copied: of several the one counts that has its run's name."""
    first: dict[str, int] = {}
    out = list(why)
    good = [(i, one.what.key) for i, one in enumerate(found) if not why[i] and one.what is not None]
    for i, key in sorted(good, key=lambda at: (found[at[0]].folder.path.name != at[1], at[0])):
        if (k := first.setdefault(key, i)) != i:
            out[i] = (
                f"identical copy of {names[k]}: {found[i].folder.path} is of the same run as {found[k].folder.path}"
            )
    return out


def _judged(ends: pd.DataFrame, found: Sequence[Probe]) -> list[str]:
    """Why the last rows (n,) are no runs by the rules of every table; '' where they are.

    That a loss is above that of guessing is none of them here: a run says itself whether it diverged, and one that has gone through a
    little text many times may know that alone.
    """
    read, cells = {}, {}
    for name in ("loss", "tokens"):
        written = [one.log.rows[-1].get(name) if one.log.rows else None for one in found]
        bad = np.array([x is not None and not _is_number(x) for x in written], dtype=bool)
        values = ends[name].to_numpy() if name in ends else np.full(len(ends), np.nan)
        read[name] = Numbers(values, np.array([x is None for x in written], dtype=bool), bad)
        cells[name] = pd.Series(written, dtype=object)
    columns = [c for c in NEEDED if c in ends]
    return [str(why) for why in judged(ends[columns], read, cells)]


def _odd(curves: pd.DataFrame) -> np.ndarray:
    """Which rows (m,) of curves hold a loss or tokens that no run has; a row without a loss is none of them."""
    why = judged(curves[[c for c in ("loss", "tokens") if c in curves]], {}, {})
    return np.array([bool(said) and not said.startswith("no ") for said in why], dtype=bool)


def _notes(found: Sequence[Probe], names: Sequence[str], fitted: np.ndarray, odd: pd.Series) -> tuple[str, ...]:
    """What was passed over in the logs of the runs that are kept, a sentence each."""
    said = [
        f"{name}: {one.notice}" for one, name, kept in zip(found, names, fitted, strict=True) if kept and one.notice
    ]
    rows = odd.value_counts(sort=False)
    more = [
        f"{run}: {agreeing(n, 'row', 'rows')} of its log left out, as no run has such a loss or tokens."
        for run, n in rows.items()
    ]
    return (*said, *more)


def _about(one: Probe, called: str) -> dict[str, Any]:
    """What is the same all along a run."""
    about: dict[str, Any] = {"run": called, "group": one.sweep, "state": one.status.state}
    if device := one.status.device.partition(":")[0]:
        about["device"] = device
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
    logs = [() if one.wrong else one.log.rows for one in found]
    number = np.repeat(np.arange(len(found)), [len(rows) for rows in logs])
    listed = [{_called(k, row): float(v) for k, v in row.items() if _is_number(v)} for rows in logs for row in rows]
    return number, pd.DataFrame(listed, index=range(len(listed)), dtype="float64")


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _called(name: str, row: Mapping[str, Any]) -> str:
    """What a column of a log is called in a table. FLOPs there are 6ND, so those that were logged say how they are counted."""
    return f"flops_{row.get('flops_convention', 'logged')}" if name == "flops" else LOGGED.get(name, name)


def _ends(rows: pd.DataFrame, last: np.ndarray) -> pd.DataFrame:
    """The rows at these places (n,); empty for -1."""
    return rows.reindex(np.where(last < 0, len(rows), last)).reset_index(drop=True)


def _joined(about: pd.DataFrame, number: np.ndarray, rows: pd.DataFrame, count: str) -> pd.DataFrame:
    """What is the same along the runs beside what was logged, with what follows from both."""
    frame = about.take(number).reset_index(drop=True)
    frame = pd.concat([frame, rows[[c for c in rows if c not in frame]].set_axis(frame.index)], axis=1)
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
    text = [c for c in (*about, "flops_convention") if c in frame and (c in _TEXT or c.startswith("pool_"))]
    own = {c: frame[c].fillna("").astype("str") for c in text}
    numbers = {c: frame[c].astype("float64") for c in frame.columns[frame.dtypes != "float64"] if c not in own}
    return ordered(frame.assign(**own, **numbers))


def _peaks(found: Sequence[Probe]) -> np.ndarray:
    """The peak of each run's learning rate (n,)."""
    return np.array([one.what.rate if one.what else np.nan for one in found])


def _without_empty(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without columns of which nothing is known."""
    known = frame.notna().any().to_numpy()
    return frame.loc[:, known | (frame.columns == "loss")] if len(frame) else frame


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
