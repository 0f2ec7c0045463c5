"""Which column of a file is which column of the runs table: what was guessed, how surely, and what is left to ask."""

from __future__ import annotations

from collections.abc import Mapping as Pairs
from dataclasses import dataclass, field

import numpy as np

from data.cells.values import Numbers
from data.errors import MappingNeeded, Question
from data.headers.logs import raised
from data.losses.units import in_nats
from data.splits.tables import Split
from data.table import Table
from data.units.factors import DIMENSION


@dataclass(frozen=True)
class Guess:
    """One column of the runs table and the file's column it is taken from. `scale` is the factor of the file's unit.

    `base` is that of the logarithm that the file holds, 0 where it holds none.
    `doubts` are cells that may mean two numbers, by position, each with what is to be said of it: they are not read.
    """

    column: str
    header: str
    how: str
    confidence: float
    scale: float = 1.0
    base: float = 0.0
    doubts: Pairs[int, str] = field(default_factory=dict)

    def numbers(self, table: Table) -> Numbers:
        """The file's column as numbers, in the file's own unit."""
        return table.numbers(self.header, DIMENSION.get(self.column, ""))

    def values(self, table: Table) -> np.ndarray:
        """The column (n,) in the unit of the runs table, NaN where a cell is in doubt."""
        found = self.numbers(table)
        values = raised(found.values, self.base) * self.scale if self.base else found.scaled(self.scale)
        if self.doubts:
            values = values.copy()
            values[list(self.doubts)] = np.nan
        return values

    @property
    def rounded(self) -> bool:
        """Whether the values are written the short way (1.0M), and so rounded."""
        return "values such as" in self.how


@dataclass(frozen=True)
class Place:
    """Where along its run a loss was measured: a `value` that its header names, or what stands under `header` (`column`).

    `kind` is "tokens", "steps", "samples", "epochs" or "share", the part of the run. `scale` is the factor of the column's unit,
    `sure` whether the number of a header means that, `whole` the header of the steps of the whole run, '' where none says them.
    """

    kind: str
    header: str
    value: float = np.nan
    column: bool = False
    scale: float = 1.0
    sure: bool = True
    whole: str = ""

    def values(self, table: Table) -> np.ndarray:
        """The place of each row (n,), NaN where none is written."""
        if not self.column:
            return np.full(len(table.frame), self.value)
        return table.numbers(self.header, DIMENSION.get(self.kind, "")).scaled(self.scale)


@dataclass(frozen=True)
class Mapping:
    """What `recognise` found: `guesses` by canonical column, `questions` left open, and the answers already given.

    `loss_unit` is a key of `data.losses.units.UNITS`; `count` names the parameter count that fits use. `rows` ("runs",
    "checkpoints" or "") says what rows under one name are, `history` which loss of a run's checkpoints is its own,
    `states` the run states that are kept all the same, `batch` what a batch size counts, `devices` how many there were,
    `split` which rows' losses count, `epochs` whether the row of epoch 0 stands "after" the first epoch or "before" any,
    `unknown_states` whether runs in states that are not known are "kept" or "set aside",
    `tokens_from` whether tokens that no column says follow from the "columns" of batch and steps or from "flops",
    `units` the columns whose factor a person gave, `batch_in` whether a step's batch is the one stated in "tokens" or the one
    in "sequences". `row_units` are the units of each row's loss (n,) where a column says so and they differ, `row_bytes` how
    many bytes, characters or words each row's tokens have. `place` is where the losses were measured, None for the ends of runs.
    """

    guesses: Pairs[str, Guess]
    questions: tuple[Question, ...] = ()
    loss_unit: str = "nats"
    bytes_per_token: float | None = None
    count: str = "params"
    notes: tuple[str, ...] = ()
    rows: str = ""
    history: str = "last"
    states: tuple[str, ...] = ()
    batch: str = ""
    devices: float | None = None
    split: Split | None = None
    epochs: str = ""
    unknown_states: str = ""
    tokens_from: str = ""
    units: frozenset[str] = frozenset()
    batch_in: str = ""
    row_units: tuple[str, ...] = ()
    row_bytes: tuple[float, ...] = ()
    place: Place | None = None

    @property
    def per_token(self) -> float | np.ndarray | None:
        """How many bytes, characters or words a token has: of all rows, or of each (n,)."""
        return np.array(self.row_bytes) if self.row_bytes else self.bytes_per_token

    def in_nats(self, losses: np.ndarray) -> np.ndarray:
        """Losses (n,), one a row of the file, in nats per token."""
        return in_nats(losses, self.row_units or self.loss_unit, self.per_token)

    @property
    def needed(self) -> tuple[Question, ...]:
        """The questions that must be answered before the rows can be read."""
        return tuple(q for q in self.questions if q.needed)

    def header(self, column: str) -> str | None:
        """The file's header for a canonical column, or None."""
        guess = self.guesses.get(column)
        return guess.header if guess else None

    def require(self, name: str) -> None:
        """Raise `MappingNeeded` when something is left open."""
        if self.needed:
            raise MappingNeeded(f"{name}: " + " ".join(q.text for q in self.needed), self.needed)
