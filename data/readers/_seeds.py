"""Losses of several seeds side by side (loss_seed0, loss_seed1): turned into one row per run and seed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.headers.names import loss_name, named
from data.readers._limits import check_shape
from data.schema import COUNTS
from data.splits.words import kind
from data.table import Table, unique, without_misfits

_WORD = r"(?:(?:random[ _-]?)?seed|replicate|replica|rep|repeat)"
_TRIAL = rf"(?:{_WORD}|trial|run|try|attempt)"
_NUMBER = r"(?P<number>[0-9]{1,10})"
#: `loss_seed0`, `val_loss (seed 1)`, `loss[seed=3]`, `loss/s1`; `seed1/loss`, `seed 2 val loss`. An s alone needs a mark before it.
_BEHIND = re.compile(
    rf"(?P<base>.*?[^ _\-/.(\[,;:@])[ _\-/.,;:@]*[(\[]?(?:{_WORD}|trial|(?<=[ _\-/.(\[,;:@])s)[ _\-=#:.]*{_NUMBER}[)\]]?",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"[(\[]?(?:{_WORD}|s(?=[0-9]))[ _\-=#:.]*{_NUMBER}[)\]]?[ _\-/.,;:@]+(?P<base>.+)", re.IGNORECASE)
#: `s0`, `trial 1`, `run 3`, `seed 2`: columns that say of nothing but seeds what they hold.
_BARE = re.compile(rf"(?P<base>{_TRIAL}|s)[ _\-=#:.]*{_NUMBER}", re.IGNORECASE)
_LOSSES = (0.5, 12.0)  # nats between which the values of such columns are losses
_ALIKE = 1.25  # how many times the least of a row's losses the largest may be
_MEAN = re.compile(r"(?:mean|avg|average)(?: of)?|(?:mean|avg|average) over seeds", re.IGNORECASE)
_COUNTED = (*COUNTS, "tokens", "flops", "tokens_per_param")
_LONGEST = 120  # signs of a header that is looked at
_CLOSE = 5e-3  # how near a column of means comes to them, both rounded


_SHORT = {"batch size": "bs", "weight decay": "wd"}  # in names, where a size would be the model's


@dataclass(frozen=True)
class Beside:
    """Columns of one setting's values, seeds as a rule: for each quantity its header for every value, the losses of them, and the
    columns of their means. `name` is the setting's column."""

    quantities: dict[str, dict[str, str]]
    losses: tuple[str, ...]
    seeds: tuple[str, ...]
    means: tuple[str, ...]
    name: str = "seed"

    def called(self, seed: str) -> str:
        """One value of the setting, as it stands behind the name of a run."""
        return f"seed {seed}" if self.name == "seed" else f"{_SHORT.get(self.name, self.name)}={seed}"


def seeded(table: Table) -> Table:
    """The table with one row per run and seed, where it has losses of several seeds side by side; else as it is.

    A column of the seeds' mean beside them is left out, for it says nothing more. Raises ReadError beyond the size that is read.
    """
    found = _found(table)
    return table if found is None else one_row_each(table, found)


def one_row_each(table: Table, found: Beside) -> Table:
    """The table with one row per run and value of the setting that its columns tell apart. Raises ReadError where it grows too large."""
    table = without_misfits(table)
    n, k = len(table.frame), len(found.seeds)
    gone = {h for by_seed in found.quantities.values() for h in by_seed.values()} | set(found.means)
    rest = [h for h in table.headers if h not in gone]
    check_shape(table.name, n * k, len(rest) + len(found.quantities) + 1)
    run = next((h for h in rest if any(c == "run" and sure >= 0.6 for c, sure in named(h))), None)
    blocks = []
    for seed in found.seeds:
        block = {h: table.frame[h].astype(object) for h in rest}
        if run is not None:
            block[run] = pd.Series(
                [f"{name}, {found.called(seed)}" if name else "" for name in table.text(run)], dtype=object
            )
        block[found.name] = pd.Series([seed] * n, dtype=object)
        for base, by_seed in found.quantities.items():
            block[base] = (
                table.frame[by_seed[seed]].astype(object) if seed in by_seed else pd.Series([None] * n, dtype=object)
            )
        blocks.append(pd.DataFrame(block))
    rows = np.arange(n * k).reshape(k, n).T.ravel()  # the seeds of a run one below the other
    frame = pd.concat(blocks, ignore_index=True).iloc[rows].reset_index(drop=True)
    lines = np.repeat(table.lines, k)
    losses = found.losses
    written = np.zeros(len(frame), dtype=bool)
    for h in losses:
        written |= np.array([c is not None and c == c and str(c).strip() != "" for c in frame[h]])
    empty = int((~written).sum())
    frame, lines = frame[written].reset_index(drop=True), lines[written]
    frame.columns = unique([str(c) for c in frame.columns])
    shown = ", ".join(list(found.quantities[losses[0]].values())[:3]) + (", ..." if k > 3 else "")
    what = "Losses" if loss_name(losses[0]) is not None else "Values"
    of = "seeds" if found.name == "seed" else f"values of {found.name}"
    note = f"{what} of {k} {of} side by side ({shown}) were read as one run {'a seed' if found.name == 'seed' else 'each'}."
    note += f" {empty} empty cell{' is no run' if empty == 1 else 's are no runs'}." if empty else ""
    note += f" {', '.join(map(repr, found.means))} holds their mean and was left out." if found.means else ""
    return replace(table, frame=frame, lines=lines, notes=(*table.notes, note))


def _found(table: Table) -> Beside | None:
    """The columns of seeds; None where there are none, or where the table has a column of seeds already."""
    if any(c == "seed" and sure >= 0.9 for h in table.headers for c, sure in named(h)):
        return None
    quantities: dict[str, dict[str, str]] = {}
    for header in table.headers:
        short = header.strip() if len(header) <= _LONGEST and re.search(r"[0-9]", header) else ""
        match = _BEHIND.fullmatch(short) or _BEFORE.fullmatch(short)
        if match is None:
            continue
        base, seed = match["base"].strip(), str(int(match["number"]))
        if seed in quantities.setdefault(base, {}):
            return None
        quantities[base][seed] = header
    if not quantities and (bare := _bare(table)):
        quantities["loss"] = bare
    losses = {b: s for b, s in quantities.items() if len(s) > 1 and _is_loss(table, b, s)}
    if not losses and not any(loss_name(h) is not None for h in table.headers):
        losses = {b: s for b, s in quantities.items() if len(s) > 1 and _is_split(table, b, s)}
    seeds = tuple(dict.fromkeys(seed for by_seed in losses.values() for seed in by_seed))
    quantities = {b: s for b, s in quantities.items() if b in losses or (len(s) > 1 and set(s) <= set(seeds))}
    if not losses or any(b in table.headers or b.lower() in ("seed", "run") for b in quantities):
        return None
    means = tuple(h for h in table.headers if any(_is_mean(table, h, b, s) for b, s in losses.items()))
    return Beside(quantities, tuple(losses), seeds, means)


def _bare(table: Table) -> dict[str, str]:
    """The header of each seed where columns are called by their seeds alone and hold losses; {} where there are none.

    They do where no column is named like a loss, beside a count of parameters, tokens or FLOPs, and a row's values are alike.
    """
    found = {h: m for h in table.headers if len(h) <= _LONGEST and (m := _BARE.fullmatch(h.strip()))}
    seeds = {str(int(m["number"])): h for h, m in found.items()}
    words = {m["base"].lower() for m in found.values()}
    counted = any(named(h) and named(h)[0][0] in _COUNTED for h in table.headers if h not in found)
    if not 1 < len(found) == len(seeds) or len(words) > 1 or not counted or any(map(loss_name, table.headers)):
        return {}
    values = np.array([table.numbers(h).values for h in found])
    whole = values[:, np.isfinite(values).all(axis=0)]
    if not whole.size or not ((whole >= _LOSSES[0]) & (whole <= _LOSSES[1])).all():
        return {}
    return seeds if bool((whole.max(axis=0) <= _ALIKE * whole.min(axis=0)).all()) and (whole % 1 != 0).any() else {}


def _is_loss(table: Table, base: str, by_seed: dict[str, str]) -> bool:
    return loss_name(base) is not None and all(table.numbers(h).share >= 0.5 for h in by_seed.values())


def _is_split(table: Table, base: str, by_seed: dict[str, str]) -> bool:
    """Whether columns are named after a split alone (val_seed0): which of them hold the loss is then asked, seeds apart."""
    return kind(base) in ("train", "val", "eval", "held-out", "test") and all(
        table.numbers(h).share >= 0.5 for h in by_seed.values()
    )


def _is_mean(table: Table, header: str, base: str, by_seed: dict[str, str]) -> bool:
    """Whether a column is by its name and its values the mean of the seeds."""
    words = " ".join(re.findall(r"[A-Za-z0-9]+", header)).lower()
    own = " ".join(re.findall(r"[A-Za-z0-9]+", base)).lower()
    if (
        header in by_seed.values()
        or not words.replace(own, "").strip()
        or not _MEAN.fullmatch(words.replace(own, "").strip())
    ):
        return False
    columns = np.array([table.numbers(h).values for h in by_seed.values()])
    said = table.numbers(header).values
    both = np.isfinite(said) & np.isfinite(columns).all(axis=0)
    return bool(both.any()) and bool(np.allclose(said[both], columns[:, both].mean(axis=0), rtol=_CLOSE))
