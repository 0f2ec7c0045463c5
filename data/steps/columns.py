"""The columns of a table of steps: which are steps to a target and of which loss, and which tell groups apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.headers.names import loss_name
from data.schema import COLUMNS
from data.steps.groups import MOST_COLUMNS, Apart, tell_apart
from data.steps.headings import Heading, heading
from data.steps.reached import is_flag
from data.table import Table

NUMBERS = 0.9  # the share of cells that are numbers from which a column is of these
TEXTS = frozenset(c for c, column in COLUMNS.items() if column.kind == "text")

_STEPS = re.compile(
    r"^(?:k|thousand_|m|million_)?(?:train(?:ing)?_)?(?:k_?)?(?:steps?|iterations?|iters?|updates?)_(?:to|till|until)_"
)
_STEPS_OR_SEEN = re.compile(r"^(?:\w+_)?(?:to|till|until)_|^(?:best_)?(?:steps?|tokens?)(?:_|$)")
_TARGET = re.compile(
    r"^(?:target|goal)(?:_|$)|^(?:(?:\w+_)?loss_)?(?:target|goal|threshold)(?:_value)?$|^threshold_(?:\w+_)?loss$"
)
_TARGET_LOSS = re.compile(
    r"^(?:(?:target|goal|threshold)(?:_\w*loss)?|(?:\w*loss_)?(?:target|goal|threshold)|loss_to_reach)(?:_value)?$"
)
_BARE_STEPS = re.compile(
    r"^(?:k|m)?(?:thousand_|million_)?(?:(?:num(?:ber_of)?|n|total|train(?:ing)?|optimi[sz]er|opt|gradient|grad)_)*"
    r"(?:steps?|iterations?|iters?|updates?)(?:_(?:k|m|thousands?|millions?|needed|required|taken|x1000))?$"
)
_BATCH = re.compile(r"(?:^|_)(?:\w*batch(?:size)?|bs|bsz|gbs)(?:_|$)")
_LOSS_WORDS = re.compile(r"loss|perplexity|ppl|nll|bpb|bpc|bits_per|cross_?entropy|(?:^|_)(?:ce|xent)(?:_|$)")
_DOUBT = re.compile(r"_(?:std|stddev|sd|se|sem|stderr|err|error|ci|low|high|lower|upper|min|max|var|iqr)(?:_|$)")
_MEAN = re.compile(r"(?:^|_)(?:mean|avg|average|median|geomean|gmean)(?:_|$)")
_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")


@dataclass(frozen=True)
class Target:
    """A column of steps to a target: its `header`, and what that `says`."""

    header: str
    says: Heading

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a group's columns share: those that differ in the rate or the seed that they state are of one group."""
        own = "" if self.says.rate or self.says.seed else self.header
        return self.says.size.lower(), self.says.aim, self.says.rest, own


def targets(table: Table) -> list[Target]:
    """The columns of steps to a target, in the file's order; those that state the doubt about others, or `copies`, aside."""
    found = _all(table)
    again = set(copies(table))
    return [Target(h, heading(h)) for h in found if h not in again]


def one_loss(table: Table) -> float:
    """The one loss that all steps of a table are to, where a column of it stands beside them; nan where none does, or several."""
    goals = [h for h in table.headers if _TARGET_LOSS.match(_plain(h)) and "loss" in _plain(h)]
    known = np.unique(table.numbers(goals[0]).values) if len(goals) == 1 else np.empty(0)
    return float(known[0]) if len(known) == 1 and len(_all(table)) == 1 else float("nan")


def copies(table: Table) -> list[str]:
    """Columns of steps whose name continues that of another and names no other target or size, steps_to_target_wandb, and the
    means of columns for each seed."""
    found = _all(table)
    says = {h: heading(h) for h in found}
    return [h for h in found if any(_copies(h, o, says[h], says[o]) for o in found)]


def _copies(one: str, other: str, says: Heading, others: Heading) -> bool:
    if (says.aim, says.size) != (others.aim, others.size):
        return False
    mean = bool(_MEAN.search(_plain(one))) and not says.seed and bool(others.seed)
    another = (others.rate or others.seed) and (says.rate, says.seed) != (others.rate, others.seed)
    return mean or (not another and _plain(one).startswith(f"{_plain(other)}_"))


def _all(table: Table) -> list[str]:
    named = [h for h in table.headers if _STEPS.match(_plain(h)) and not _DOUBT.search(_plain(h))]
    return named or _beside_target(table)


def _beside_target(table: Table) -> list[str]:
    """The one column of steps beside a batch and the loss that they are steps to, where no loss was measured; else none."""
    plain = {h: _plain(h) for h in table.headers}
    goals = [h for h in table.headers if _TARGET_LOSS.match(plain[h])]
    found = [h for h in table.headers if _BARE_STEPS.match(plain[h])]
    others = [h for h in table.headers if h not in goals and not _TARGET.match(plain[h]) and not is_flag(h)]
    measured = any(_LOSS_WORDS.search(plain[h]) or loss_name(h) is not None for h in others)
    if len(found) != 1 or not goals or measured or not any(_BATCH.search(p) for p in plain.values()):
        return []
    return found if any(_positive(table, h) for h in goals) else []


def _positive(table: Table, header: str) -> bool:
    """Whether a column holds numbers that a loss can be."""
    cells = table.numbers(header)
    known = cells.values[np.isfinite(cells.values)]
    return bool(cells.share >= NUMBERS and len(known) and (known > 0).all())


def groups(table: Table, guesses: Mapping[str, str], batch: np.ndarray, by: Sequence[str] = ()) -> Apart:
    """The columns whose values tell groups apart: model name or size, target, data set and sequence length where they vary, and
    those in which rows at one `batch` (n,) differ; with `by` these alone, and what else differs."""
    keys = tuple(by) or plainly(table, guesses)
    kinds = {header: column for column, header in guesses.items()}
    steps = _all(table)
    rows = pd.DataFrame({"\0batch": batch})
    for header in table.headers[:MOST_COLUMNS]:
        if header in keys or not (
            is_flag(header)
            or header in steps
            or _counted(kinds.get(header, ""))
            or _STEPS_OR_SEEN.match(_plain(header))
        ):
            cells = table.text(header).reset_index(drop=True)
            found = table.numbers(header)
            number = header not in keys and kinds.get(header) not in TEXTS and bool(found.share >= NUMBERS)
            rows[header] = found.values if number else cells
    apart = tell_apart(rows, ["\0batch", *keys], kinds, split=not by, what="Rows")
    return Apart((*keys, *apart.by), apart.mixed, apart.notes)


def _counted(column: str) -> bool:
    return column in ("batch", "batch_sequences", "batch_device", "steps", "tokens")


def plainly(table: Table, guesses: Mapping[str, str]) -> tuple[str, ...]:
    """Model name or size, target, data set and sequence length, where they vary. A loss that stands at several batches is a target."""
    model = next((guesses[c] for c in ("family", "params", "params_total", "params_nonembed") if c in guesses), None)
    goals = [h for h in table.headers if _TARGET.match(_plain(h)) and not is_flag(h)] or _losses(table, guesses)
    keys = [k for k in (model, *goals[:1]) if k is not None and table.text(k).nunique() > 1]
    if len(keys) == 2 and _settles(table, keys[:1], keys[1]) and _settles(table, keys[1:], keys[0]):
        keys = keys[:1]  # each model has a target of its own
    for column in ("dataset", "seq_len"):
        header = guesses.get(column)
        several = header is not None and 1 < table.text(header).nunique() <= len(table.frame) / 3
        if header is not None and several and header not in keys and not _settles(table, keys, header):
            keys.append(header)
    return tuple(keys)


def _losses(table: Table, guesses: Mapping[str, str]) -> list[str]:
    """The columns of a loss whose values come back from row to row: the loss reached, where what runs came to would differ."""
    kinds = {header: column for column, header in guesses.items()}
    named = [h for h in table.headers if kinds.get(h) == "loss" or loss_name(h) is not None]
    return [h for h in named if not _DOUBT.search(_plain(h)) and table.text(h).nunique() <= len(table.frame) / 3]


def _settles(table: Table, keys: list[str], header: str) -> bool:
    """Whether rows alike in the keys are alike in this column too."""
    if not keys:
        return False
    together = pd.Series("\x1f", index=table.frame.index).str.cat(
        [table.text(k).set_axis(table.frame.index) for k in keys]
    )
    return bool(table.text(header).set_axis(together.index).groupby(together).nunique().max() == 1)


def _plain(header: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", _BRACKETS.sub(" ", header).lower()).strip("_.")
