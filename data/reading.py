"""From the bytes of an upload to runs, with what was recognised on the way; trouble is part of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Pairs
from dataclasses import dataclass, replace
from typing import Any

from data.convert import to_runs
from data.errors import DataError
from data.mapping import Mapping
from data.own_columns import read_columns
from data.readers import oriented
from data.recognition import recognise
from data.schema import FITTED, HELD_OUT, NothingKept, Runs
from data.table import Table

#: What `data.recognise` can be told; "orientation" goes to the reader.
ANSWERS = (
    "columns", "loss_unit", "bytes_per_token", "count", "units", "rows", "history", "states", "batch", "devices", "split",
    "epochs", "unknown_states", "tokens_from",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Reading:
    """What came of reading a set of runs: the runs, or the trouble in their place.

    `runs` are those that fits use: after the person's exclusions, without those held out. `whole` has the latter too, `every`
    also what was excluded. For an upload, `table` is the file as it is and `mapping` what its columns were taken for
    (`guessed`: what they would be taken for had nobody answered); they are None for bundled sets and for files that are no table.
    """

    runs: Runs | None
    trouble: Exception | None = None
    every: Runs | None = None
    whole: Runs | None = None
    table: Table | None = None
    mapping: Mapping | None = None
    guessed: Mapping | None = None

    def marked(self, roles: Pairs[str, str], excluded: Iterable[str]) -> Reading:
        """The reading with the roles that a person gave to runs, and without those that the person excluded."""
        if self.runs is None:
            return self
        every, names = self.runs, set(self.runs.kept["run"])
        for role in (HELD_OUT, FITTED):
            if mine := [run for run, given in roles.items() if given == role and run in names]:
                every = every.hold_out(mine, role == HELD_OUT)
        gone = sorted(set(excluded) & names)
        whole = every.exclude(gone) if gone else every
        return replace(self, every=every, whole=whole, runs=whole.fitted)


def read_upload(table: Table, answers: Pairs[str, Any]) -> Reading:
    """The table's runs under these answers. Trouble comes back in the reading, also trouble that nobody foresaw.

    What another try may mend is raised: want of memory, and a disk that refuses.
    """
    guessed, mapping = None, None
    try:
        table = oriented(table, answers.get("orientation"), answers.get("columns"))
        guessed = recognise(table)
        mapping = recognise(table, **{key: answers[key] for key in ANSWERS if key in answers})
        return Reading(to_runs(table, mapping), table=table, mapping=mapping, guessed=guessed)
    except NothingKept as error:
        return Reading(error.runs, error, table=table, mapping=mapping, guessed=guessed)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        return Reading(None, error, table=table, mapping=mapping, guessed=guessed)


def read_own(table: Table, columns: Sequence[str]) -> Reading:
    """The table's runs for a law of these columns, which have their names and no mapping. Trouble comes back in the reading."""
    try:
        return Reading(read_columns(table, columns))
    except NothingKept as error:
        return Reading(error.runs, error)
    except DataError as error:
        return Reading(None, error)
