"""The same run in several files: its rows agree in what each of them measured, so that it is counted once."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from data.cells.decimals import counts_agree, tolerances
from data.filenames.columns import OF_FILE
from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.losses.recognise import PLAIN
from data.rows.filling import filled
from data.schema import Provenance, Runs, stack

MOST = 200  # rows under one name that are compared with each other
_COUNTS = ("params", "params_total", "params_nonembed", "params_active", "tokens", "flops")
_SETTINGS = (
    "dataset",
    "schedule",
    "lr",
    "batch",
    "batch_sequences",
    "weight_decay",
    "width",
    "layers",
    "heads",
    "steps",
)
_SIX_DIGITS = 6e-6  # half of the last of six digits, over the number at its smallest
#: Words of a file's name that say what it holds and not of which run: `progress.csv`, `wandb-summary.json`.
_ROLES = re.compile(
    r"all|config|csv|curves?|data|dev|epoch|eval|evaluation|events|final|hist|history|json|last|logs?|loss(?:es)?|metrics?|outputs?"
    r"|progress|report|results?|run|scalars|state|stats|steps|summary|table|test|train|trainer|training|trial|val|valid|validation|wandb"
)
_SPLIT_WORDS = {
    "train": frozenset(("train", "training")),
    "held out": frozenset(("val", "valid", "validation", "eval", "evaluation", "dev", "test", "heldout")),
}
_SEED = re.compile(r"(?<![a-z])seed[-_ =]*([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Part:
    """The runs of one file: what it is called, the folder that it lies in and its name there without the ending."""

    file: str
    runs: Runs
    folder: str = ""
    stem: str = ""


@dataclass(frozen=True, eq=False)
class _Row:
    """A kept run: its part and place there, the keys under which another file may hold it, its values, its curve's losses."""

    part: int
    at: int
    keys: tuple[tuple[Any, ...], ...]
    values: dict[str, Any]
    loss: float
    tolerance: float
    split: str  # "train", "held out", "plain" for a bare `loss`, or ""
    measured: frozenset[str]
    curve: np.ndarray
    seed: str
    place: str  # the folder, of a run that is named after its file or folder

    @property
    def plain_row(self) -> bool:
        return not len(self.curve)


def counted_once(parts: Sequence[Part]) -> tuple[list[Runs], tuple[str, ...]]:
    """The runs of each part with those set aside that a fuller row of another file stands for, and notes on them.

    Rows of two files are one run under one name that a person gave, or in one folder whose files have names that say nothing
    of runs, where the values that both measured agree up to rounding; so are a held-out and a training loss of one name, and
    a row and the curve that it is a checkpoint of, or the curve of a training loss whose file's name has its N and D. What the
    fuller one lacks is taken from the other.
    """
    rows = [row for i, part in enumerate(parts) for row in _rows(i, part)]
    by_key: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        for key in row.keys:
            by_key[key].append(i)
    shared = {key: found for key, found in by_key.items() if len({rows[i].part for i in found}) > 1}
    for key in [k for k in shared if k[0] == "counts"]:
        if max(Counter(rows[i].part for i in shared[key]).values()) > 1:  # of which of them?
            del shared[key]
    crowded = [key for key, found in shared.items() if len(found) > MOST]
    apart = _repeats(rows, shared)
    group = list(range(len(rows)))
    members = {i: [i] for i in group}
    told: dict[str, tuple[_Row, _Row]] = {}
    for key, found in shared.items():
        for n, i in enumerate(found if key not in crowded else ()):
            for j in found[:n]:
                a, b = group[j], group[i]
                if a == b or {rows[k].part for k in members[a]} & {rows[k].part for k in members[b]}:
                    continue
                if all(_one(rows[k], rows[m], key, apart) for k in members[a] for m in members[b]):
                    members[a] += members.pop(b)
                    for k in members[a]:
                        group[k] = a
    for key, found in shared.items():
        left = [i for i in found if len(members[group[i]]) == 1]
        other = next((i for i in left if _are_told_apart(rows[left[0]], rows[i])), None)
        if key[0] == "name" and other is not None:
            told[str(key[1])] = rows[left[0]], rows[other]
    frames = [part.runs for part in parts]
    gone: dict[int, dict[int, str]] = defaultdict(dict)
    once = 0
    for together in members.values():
        if len(together) < 2:
            continue
        once += 1
        two = any(_two_losses(rows[i], rows[j]) for n, i in enumerate(together) for j in together[:n])
        best = max(together, key=lambda i: (two and rows[i].split == "held out", *_fullness(rows[i]), -i))
        kept = rows[best]
        others = [rows[i] for i in together if i != best]
        lent = [(parts[row.part].runs.kept.iloc[row.at], _lent(row)) for row in others]
        frames[kept.part] = filled(frames[kept.part], kept.at, kept.measured, lent)
        for row in others:
            gone[row.part][row.at] = _reason(row, kept, parts[kept.part].file)
    out = [_without(runs, gone[i]) if i in gone else runs for i, runs in enumerate(frames)]
    notes = []
    if once:
        several = f"{once:,} runs stand" if once > 1 else "1 run stands"
        notes.append(
            f"{several} in several files and {'are' if once > 1 else 'is'} counted once: the fuller row of each is kept."
        )
    if told:
        name, (first, second) = next(iter(told.items()))
        many = f"{len(told):,} names stand" if len(told) > 1 else f"{name} stands"
        notes.append(
            f"{many} in several files over values that do not agree and are kept as runs of their own ({name}: "
            f"{_told(first, parts)}; {_told(second, parts)})."
        )
    if crowded:
        notes.append(
            f"{len(crowded):,} names stand over more than {MOST} rows of several files, which were not compared."
        )
    return out, tuple(notes)


def evaluated(parts: Sequence[Part], place: tuple[str, str]) -> str:
    """The file that holds the held-out loss of the one run in a folder, for another file of it at this place; '' for none."""
    folder, stem = place
    if not folder or not _is_role(stem):
        return ""
    beside = (p for p in parts if p.folder == folder and _is_role(p.stem) and len(p.runs) == 1)
    losses = ((p, s.header) for p in beside for s in p.runs.sources if s.column == "loss")
    return next((p.file for p, header in losses if _split_of(header) == "held out"), "")


def _rows(i: int, part: Part) -> Iterator[_Row]:
    """The kept runs of a part."""
    kept, sources = part.runs.kept, {s.column: s for s in part.runs.sources}
    if not len(kept):
        return
    losses = kept["loss"].to_numpy(dtype=float)
    history = part.runs.history
    allowed = tolerances(
        losses, losses if history is None else np.append(losses, history["loss"].to_numpy(dtype=float))
    )
    curves = {} if history is None else {n: g["loss"].to_numpy() for n, g in history.groupby("run", sort=False)}
    names = kept["run"].astype(str).tolist()
    own = set(names)
    by = sources.get("run")
    measured = frozenset(c for c, s in sources.items() if _is_measured(s))
    found = sources.get("loss")
    split = _split_of(found.header) if found is not None else ""
    split = _split_in(part.stem) or split if split == "plain" else split
    seed = m[1] if (m := _SEED.search(part.file)) else ""
    columns = [c for c in part.runs.columns if c in (*_COUNTS, *_SETTINGS, "seed")]
    records = kept[columns].to_dict("records") if columns else [{}] * len(kept)
    for at, (name, values) in enumerate(zip(names, records, strict=True)):
        keys: list[tuple[Any, ...]] = []
        of_file = by is not None and not by.header and len(kept) == 1 and "named after the file" in by.how
        if of_file and not _is_role(part.stem):
            keys.append(("name", name.rsplit("/", 1)[-1]))
        elif of_file and part.folder:
            keys.append(("name", PurePath(part.folder).name))
        elif by is not None and by.header:
            keys.append(("name", _base(name, own)))
        elif allowed[at] <= _SIX_DIGITS * abs(losses[at]):
            keys.append(("values", losses[at], *(values.get(c) for c in _COUNTS[:1]), values.get("tokens")))
        if len(kept) == 1 and part.folder and _is_role(part.stem):
            keys.append(("folder", part.folder))
        size, told = values.get("params"), _tokens_in_name(part, kept.iloc[at], sources) if of_file else None
        if told is not None and name in curves and split in ("train", "plain") and not _is_missing(size):
            keys.append(("counts", float(size), told))
        elif split == "held out" and name not in curves and {"params", "tokens"} <= measured and not _is_missing(size):
            keys.append(("counts", float(size), float(values["tokens"])))
        mine = {c for c in measured if not _is_missing(values.get(c))}
        said = "" if _is_missing(values.get("seed")) else str(values.get("seed"))
        curve = np.asarray(curves.get(name, ()), dtype=float)
        place = part.folder if of_file else ""
        yield _Row(
            part=i,
            at=at,
            keys=tuple(keys),
            values=values,
            loss=float(losses[at]),
            tolerance=float(allowed[at]),
            split=split,
            measured=frozenset(mine),
            curve=curve,
            seed=said or seed,
            place=place,
        )


def _tokens_in_name(part: Part, row: pd.Series, sources: dict[str, Provenance]) -> float | None:
    """The tokens of the whole run that the name of a curve's file says beside its size; None where it does not say both."""
    size = sources.get("params")
    if size is None or OF_FILE not in size.header:
        return None
    tokens = sources.get("tokens")
    own = tokens is not None and OF_FILE in tokens.header
    told = row["tokens"] if own else row.get(f"tokens {OF_FILE}")
    return None if _is_missing(told) else float(told)


def _is_measured(source: Provenance) -> bool:
    return bool(source.header) and not source.how.startswith(("from the file's name", "from the names"))


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or value != value


def _split_of(header: str) -> str:
    name = loss_name(header)
    if name is None:
        return ""
    if name.split in ("validation", "test"):
        return "held out"
    return "train" if name.split == "train" else "plain" if take_apart(header).words in PLAIN else ""


def _lent(row: _Row) -> frozenset[str]:
    """The measured columns of a row that may better another's; the last point of a curve may lie short of the run's end."""
    by_name = not row.plain_row and any(key[0] == "counts" for key in row.keys)
    return row.measured - {"tokens", "flops"} if by_name else row.measured


def _split_in(stem: str) -> str:
    """Whether a file's name says that its losses are those of training, or held out: train.csv, val.csv; '' for neither or both."""
    words = set(re.findall(r"[a-z]+", stem.lower()))
    said = [split for split, names in _SPLIT_WORDS.items() if words & names]
    return said[0] if len(said) == 1 else ""


def _is_role(stem: str) -> bool:
    words = re.findall(r"[a-z]+", stem.lower())
    return bool(words) and all(_ROLES.fullmatch(w) for w in words)


def _base(name: str, own: set[str]) -> str:
    """The name as the file has it: the second `a` of a file is called `a (2)`."""
    m = re.fullmatch(r"(.+) \([0-9]+\)", name)
    return m[1] if m and m[1] in own else name


def _one(a: _Row, b: _Row, key: tuple[Any, ...], apart: set[tuple[int, int, str]]) -> bool:
    """Whether two rows of different files under one key are one run."""
    if key[0] == "counts":
        return not (a.seed and b.seed and a.seed != b.seed) and a.plain_row != b.plain_row and _two_losses(a, b)
    if not _same_settings(a, b):
        return False
    if _two_losses(a, b):
        return True
    if not _same_loss(a, b):
        return False
    if max(a.tolerance, b.tolerance) <= _SIX_DIGITS * abs(a.loss):
        return True
    if _in_two_places(a, b):
        return False
    both = a.measured & b.measured & set(_SETTINGS) if a.plain_row and b.plain_row else set()
    return (a.part, b.part, key[0]) not in apart and all(_alike(a.values[c], b.values[c]) for c in both)


def _are_told_apart(a: _Row, b: _Row) -> bool:
    """Whether the rows stand in two files under one name that a person gave to both."""
    return a.part != b.part and not _in_two_places(a, b)


def _in_two_places(a: _Row, b: _Row) -> bool:
    """Whether the names of both are those of files or folders that lie in different folders, which may tell them apart."""
    return bool(a.place and b.place and a.place != b.place)


def _alike(x: Any, y: Any) -> bool:
    if isinstance(x, str) or isinstance(y, str):
        return str(x) == str(y)
    return counts_agree(float(x), float(y))


def _same_settings(a: _Row, b: _Row) -> bool:
    """Whether nothing says that these are two runs: their seeds and what both counted agree."""
    if a.seed and b.seed and a.seed != b.seed:
        return False
    both = a.measured & b.measured & set(_COUNTS)
    return all(counts_agree(float(a.values[c]), float(b.values[c])) for c in both)


def _same_loss(a: _Row, b: _Row) -> bool:
    """Whether the losses agree up to rounding; a row may be any checkpoint of the other's curve."""
    allowed = max(a.tolerance, b.tolerance)
    if abs(a.loss - b.loss) <= allowed:
        return True
    curve, row = (a, b) if a.plain_row is False else (b, a)
    if not row.plain_row or curve.plain_row:
        return False
    allowed = allowed if allowed <= _SIX_DIGITS * abs(row.loss) else 1e-9
    return bool((np.abs(curve.curve - row.loss) <= allowed).any())


def _two_losses(a: _Row, b: _Row) -> bool:
    """Whether one is the held-out loss of a run and the other its training loss, a curve of a bare `loss` among them."""
    for held, other in ((a, b), (b, a)):
        curve = other.split == "plain" and held.plain_row and not other.plain_row and not _same_loss(a, b)
        if held.split == "held out" and (other.split == "train" or curve):
            return True
    return False


def _repeats(rows: Sequence[_Row], shared: dict[tuple[Any, ...], list[int]]) -> set[tuple[int, int, str]]:
    """Pairs of parts in which some name stands over two losses of the same settings: repeats of one experiment.

    Where their other losses agree, they do so by rounding.
    """
    out: set[tuple[int, int, str]] = set()
    for key, found in shared.items():
        for n, i in enumerate(found if len(found) <= MOST else ()):
            for j in found[:n]:
                a, b = rows[j], rows[i]
                one = a.part == b.part or _two_losses(a, b) or _same_loss(a, b)
                if not one and _same_settings(a, b):
                    out |= {(a.part, b.part, key[0]), (b.part, a.part, key[0])}
    return out


def _fullness(row: _Row) -> tuple[float, ...]:
    """What the rows of one run are ranked by: a held-out loss, counts, a curve, digits of the loss, columns."""
    counts = sum(not _is_missing(row.values.get(c)) for c in ("params", "tokens", "flops"))
    known = sum(not _is_missing(v) for v in row.values.values())
    return row.split != "train", counts, not row.plain_row, -row.tolerance, known


def _reason(row: _Row, kept: _Row, file: str) -> str:
    if _two_losses(row, kept):
        return f"training loss of a run whose held-out loss stands in {file}"
    return f"identical copy of a row in {file}"


def _told(row: _Row, parts: Sequence[Part]) -> str:
    counts = [f"{row.values[c]:.4g} {c}" for c in ("params", "tokens") if not _is_missing(row.values.get(c))]
    return f"{', '.join([f'loss {row.loss:.4f}', *counts])} in {parts[row.part].file}"


def _without(runs: Runs, gone: dict[int, str]) -> Runs:
    """The runs with the rows at these places set aside, each for its reason."""
    at = sorted(gone)
    aside = runs.kept.iloc[at].assign(reason=[gone[i] for i in at])
    names = set(aside["run"])
    history = runs.history
    if history is not None:
        history = history[~history["run"].isin(names)].reset_index(drop=True)
        history = history if len(history) else None
    kept = runs.kept.drop(index=runs.kept.index[at]).reset_index(drop=True)
    return replace(runs, kept=kept, set_aside=stack([runs.set_aside, aside]), history=history)
