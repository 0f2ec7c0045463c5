"""Tables of steps to a target: a row for each batch size, with the steps that one loss took, instead of a loss of its own."""

from __future__ import annotations

from collections.abc import Mapping as Pairs
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from data.cells.values import number
from data.columns.batches import global_batch
from data.errors import DataError, ReadError, sentence
from data.frames import from_frame
from data.given import in_short
from data.mapping import Mapping
from data.plural import agreeing
from data.recognition import recognise
from data.schema import HELD_OUT
from data.states.roles import NONE_LEFT, roles
from data.steps.best_rows import STATED, best_rows, choices
from data.steps.columns import NUMBERS, Target, copies, groups, plainly, targets
from data.steps.groups import MOST_COLUMNS
from data.steps.reached import missed
from data.steps.same_rows import same_rows
from data.steps.tuned import is_tuned
from data.table import Table, without_rows

_PARTS = ("batch_sequences", "batch_device", "grad_accum", "devices", "data_parallel", "seq_len")


@dataclass(frozen=True, eq=False)
class StepsTable:
    """What a table of steps holds: `frame` with batch, steps and group (text, '' where there is one), in the file's order.

    `unit` is what a batch counts, "sequences" or "tokens". `sizes` maps a group to its number of parameters where the table
    tells one for it. `by` are the file's own columns that groups go by. `seq_len` is the tokens in a sequence, nan where the table
    does not say, or says several. `mixed` are columns in which rows of one batch and group differ. `notes` say by group what was
    chosen and left out, a sentence each.
    """

    frame: pd.DataFrame
    unit: str
    by: tuple[str, ...]
    sizes: dict[str, float]
    seq_len: float = np.nan
    notes: Pairs[str, tuple[str, ...]] = field(default_factory=dict)
    mixed: tuple[str, ...] = ()

    def counted_in(self, unit: str) -> StepsTable:
        """The same with batches in "tokens" or "sequences"; as it is where the length of a sequence is not known."""
        if unit == self.unit or not np.isfinite(self.seq_len):
            return self
        times = self.seq_len if unit == "tokens" else 1.0 / self.seq_len
        return replace(self, frame=self.frame.assign(batch=self.frame["batch"] * times), unit=unit)


def holds_steps(table: Table) -> bool:
    """Whether a column of the table is steps to a target."""
    return bool(targets(table))


def steps_table(table: Table | pd.DataFrame, by: str | Sequence[str] | None = None) -> StepsTable:
    """The steps to a target at each batch size, of a table or a data frame.

    `by` is the column, or columns, (as the file calls them) that tell groups apart; without it they go by model size or name, target
    (a loss that stands at several batches is one), data set and sequence length, where these vary, and by whatever else rows at one
    batch differ in (`data.steps.groups`). Of several columns of steps each is a target, and a group, of its own. Units are those that
    headers state. Of several learning rates, or values of whatever else is tuned (`data.steps.tuned`), at a batch the best counts.
    Rows that say no number of steps did not reach the loss, as far as they say: they are left out and counted, with those of which a
    column says so (`data.steps.reached`), and so are copies of rows (`data.steps.same_rows`) and rows held out by a column `role`.
    Raises ReadError, in one sentence.
    """
    if isinstance(table, pd.DataFrame):
        table = from_frame(table, "table")
    if not isinstance(table, Table):
        raise ReadError(f"table is a Table, as read_file gives it, or a DataFrame; it was {in_short(table)}.")
    found = targets(table)
    if not found:
        raise ReadError(
            f"{table.name} has no column of steps to a target loss (such as steps_to_target, or steps beside target_loss); "
            f"it has {', '.join(table.headers[:12])}."
        )
    if strange := next((t for t in found if t.says.unclear), None):
        raise ReadError(
            f"{table.name}: what {strange.says.unclear!r} in the header {strange.header!r} means is not known. Write a target as loss 3.2, "
            "a unit as (k) or (x1000), a learning rate as lr=3e-4, a seed as seed 0, a model size as 124M."
        )
    table, held = _without_held_out(table, [t.header for t in found])
    mapping = recognise(table)
    guesses = {k: g.header for k, g in mapping.guesses.items()}
    chosen = (
        (by,) if isinstance(by, str) else () if by is None else tuple(by) if isinstance(by, list | tuple) else (None,)
    )
    if not all(isinstance(c, str) for c in chosen):
        raise ReadError(f"by is the name of a column, or a list of them; it was {' '.join(repr(by).split()):.60}.")
    if lacks := [c for c in chosen if c not in table.headers]:
        raise ReadError(f"{table.name} has no column {lacks[0]!r}; it has {', '.join(table.headers[:12])}.")
    batch, unit, said = _batch(table, mapping, found[0].header)
    apart = groups(table, guesses, batch, chosen)
    keys = apart.by
    names = [table.text(k) for k in keys]
    bare = chosen[:1] or plainly(table, guesses)  # said by their values alone
    group = [
        ", ".join(_value(str(n.iloc[i]), "" if k in bare else k) for k, n in zip(keys, names, strict=True))
        for i in range(len(batch))
    ]
    again, twice = same_rows(table)
    told = (*held, *((twice,) if twice else ()), *apart.notes)
    parts: list[pd.DataFrame] = []
    notes: dict[str, tuple[str, ...]] = {}
    tried, short = _tuned(table, mapping), missed(table)
    several = _families(found)
    called = _labels(several)
    for key, own in several.items():
        under = ", ".join(repr(t.header) for t in own)
        frame = pd.concat([_steps(table, t, k, batch, short.why) for k, t in enumerate(own)])
        choice = pd.concat([_stated_too(tried, own, k) for k in range(len(own))])
        frame = frame.assign(group=[_called(g, called[key]) for _ in own for g in group], rate=choices(choice))
        once = ~np.tile(again, len(own))
        frame, choice = frame[once], choice[once]
        marks = [f"{t.header!r}: {note}." for t in own for note in table.numbers(t.header, "count").notes]
        stated = [
            f"{t.header!r} is read times {t.says.scale:g}, as its header says." for t in own if t.says.scale != 1.0
        ]
        if len(own) > 1:
            stated.append(f"{under} are steps to one target, {_apart_by(own)}.")
        for name, rows in frame.groupby("group", sort=False):
            kept, words = best_rows(rows, choice, under)
            parts.append(kept)
            notes[str(name)] = (*told, *said, *short.notes, *marks, *stated, *words)
    if len(several) > 1:
        each = (
            f"Each of {', '.join(repr(t.header) for own in several.values() for t in own[:1])} is a target of its own."
        )
        if any(key[0] for key in several):
            each = f"Each of {', '.join(called.values())} is a group of its own, as headers say."
        notes = {name: (each, *told) for name, told in notes.items()}
    if spare := copies(table):
        unused = f"{', '.join(map(repr, spare))} {'is' if len(spare) == 1 else 'are'} not used."
        notes = {name: (*told, unused) for name, told in notes.items()}
    sizes: dict[str, float] = {}
    count = next((c for c in ("params", "params_total", "params_nonembed") if c in guesses), None)
    frame = pd.concat(parts)
    if count is not None:
        sized = pd.Series(_numbers(table, mapping, count))
        for label in called.values():
            for name, v in sized.groupby([_called(g, label) for g in group]):
                if v.notna().all() and v.nunique() == 1:
                    sizes[str(name)] = float(v.iloc[0])
    for key, own in several.items():
        if np.isfinite(own[0].says.params):
            sizes |= {_called(g, called[key]): own[0].says.params for g in group}
    order = {str(name): k for k, name in enumerate(notes)}
    frame = (
        frame.assign(at=frame["group"].map(order)).sort_values("at", kind="stable")
        if len(several) > 1
        else frame.sort_index()
    )
    frame = frame[["batch", "steps", "group"]].reset_index(drop=True)
    return StepsTable(frame, unit, keys, sizes, _length(table, mapping), notes, apart.mixed)


def _without_held_out(table: Table, taken: Sequence[str]) -> tuple[Table, list[str]]:
    """The table without the rows that a column of roles holds out, and what to say of them; ReadError where it holds out all."""
    notes: list[str] = []
    held = roles(table, taken, None, True, notes)
    if any(NONE_LEFT in note for note in notes):
        raise ReadError(
            f"{table.name}: {notes[-1].partition(',')[0]}, and none is left. Give some of them another role."
        )
    if held is None:
        return table, notes
    out = held.role == HELD_OUT
    notes.append(f"{agreeing(int(out.sum()), 'row is', 'rows are')} held out by {held.header!r} and left out.")
    left = without_rows(table, out, np.full(int(out.sum()), "held out", dtype=object))
    return replace(left, frame=left.frame.drop(columns=held.header)), notes


def _value(text: str, header: str) -> str:
    """A value as part of a group's name, a number with its `header` where that is given: it says little by itself."""
    return f"{header} {text}" if header and text and np.isfinite(number(text)) else text or "not said"


def _families(found: Sequence[Target]) -> dict[tuple[str, str, str, str], list[Target]]:
    """Columns of steps by what tells groups apart: those at several rates or seeds of one target are together."""
    out: dict[tuple[str, str, str, str], list[Target]] = {}
    for target in found:
        out.setdefault(target.key, []).append(target)
    return out


def _labels(several: Pairs[tuple[str, str, str, str], Sequence[Target]]) -> dict[tuple[str, str, str, str], str]:
    """What each family of columns is called: its size and target as the header says them, else the header; '' for one alone."""
    if len(several) == 1:
        return dict.fromkeys(several, "")
    said = {key: ", ".join(v for v in (own[0].says.size, key[1]) if v) for key, own in several.items()}
    return {
        key: name if name and list(said.values()).count(name) == 1 else several[key][0].header
        for key, name in said.items()
    }


def _steps(table: Table, target: Target, place: int, batch: np.ndarray, why: np.ndarray) -> pd.DataFrame:
    """The rows of one column of steps, the `place`-th of its family."""
    cells = table.numbers(target.header, "count").scaled(target.says.scale)
    return pd.DataFrame({"batch": batch, "steps": cells, "missed": why}, index=_index(len(batch), place))


def _index(rows: int, place: int) -> range:
    return range(place * rows, (place + 1) * rows)


def _stated_too(tried: pd.DataFrame, own: Sequence[Target], place: int) -> pd.DataFrame:
    """What was tuned in the rows of one column of steps, with the rate that its header states where such headers do."""
    tried = tried.set_axis(_index(len(tried), place))
    if not any(t.says.rate for t in own):
        return tried
    rate = own[place].says.rate
    return tried.assign(**{STATED: number(rate) if rate and " " not in rate else rate})


def _apart_by(own: Sequence[Target]) -> str:
    rates, seeds = (len({v for v in each if v}) for each in ([t.says.rate for t in own], [t.says.seed for t in own]))
    ways = [f"{n} {what}" for n, what in ((rates, "learning rates"), (seeds, "seeds")) if n > 1]
    return f"at {' and '.join(ways)}" if ways else "repeated"


def _called(group: str, label: str) -> str:
    return f"{group}, {label}" if group and label else group or label


def _batch(table: Table, mapping: Mapping, beside: str) -> tuple[np.ndarray, str, list[str]]:
    """The batch of each row (n,), what it counts, and what to say of that."""
    said: list[str] = []
    asked = [q for q in mapping.questions if q.key in ("units.batch", "units.batch_sequences")]
    parts = pd.DataFrame({c: _numbers(table, mapping, c) for c in _PARTS if c in mapping.guesses})
    try:
        whole = global_batch(parts, mapping, table.name)
    except DataError as error:
        raise ReadError(sentence(error)) from error
    if whole is not None:
        said.append(f"The batch is {whole.how}.")
        return whole.values.to_numpy(float), "sequences", said
    unit = next((u for u, c in (("sequences", "batch_sequences"), ("tokens", "batch")) if c in mapping.guesses), None)
    if unit is None:
        raise ReadError(
            f"{table.name} has no column of batch sizes; expected one such as batch_size or batch_tokens beside {beside}."
        )
    guess = mapping.guesses["batch_sequences" if unit == "sequences" else "batch"]
    if any(q.key == f"units.{guess.column}" for q in asked):
        words = next(q.text for q in asked if q.key == f"units.{guess.column}")
        raise ReadError(f"{table.name}: {words} Say it in the header, such as '{guess.header} (M)'.")
    if guess.scale != 1.0:
        said.append(f"{guess.header!r} is read times {guess.scale:g}, as its header says.")
    if unit == "sequences" and "tok" in guess.header.lower():
        unit = "tokens"
    if unit == "tokens" and "from its values" in guess.how:
        said.append(f"{guess.header!r} is taken for tokens, as its values are large.")
    return _numbers(table, mapping, guess.column), unit, said


def _numbers(table: Table, mapping: Mapping, column: str) -> np.ndarray:
    """A recognised column (n,) in the unit of the runs table, nan where there is none."""
    guess = mapping.guesses.get(column)
    if guess is None:
        return np.full(len(table.frame), np.nan)
    return np.asarray(guess.values(table))


def _tuned(table: Table, mapping: Mapping) -> pd.DataFrame:
    """The columns of the table in which rows were tuned, numbers where they are: the one of learning rates, and others named so."""
    known = {guess.header: column for column, guess in mapping.guesses.items()}
    own = [h for h in table.headers[:MOST_COLUMNS] if known.get(h, "lr") == "lr" and (h in known or is_tuned(h))]
    return pd.DataFrame(
        {h: _numbers(table, mapping, "lr") if h in known else _values(table, h) for h in own},
        index=range(len(table.frame)),
    )


def _values(table: Table, header: str) -> np.ndarray:
    """The cells of a column (n,), numbers where they are."""
    cells = table.numbers(header)
    return cells.values if cells.share >= NUMBERS else np.asarray(table.text(header), dtype=object)


def _length(table: Table, mapping: Mapping) -> float:
    """Tokens in a sequence: as a column says, else where batches stand in both."""
    if "seq_len" in mapping.guesses:
        known = _numbers(table, mapping, "seq_len")
    elif {"batch", "batch_sequences"} <= set(mapping.guesses):
        with np.errstate(all="ignore"):
            known = np.round(_numbers(table, mapping, "batch") / _numbers(table, mapping, "batch_sequences"), 6)
    else:
        return float("nan")
    known = np.unique(known[np.isfinite(known) & (known > 0)])
    return float(known[0]) if len(known) == 1 else float("nan")
