"""Counts that a file writes as -1 or 0 where nobody set them: global_batch_size = -1, max_steps = -1 say nothing."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from data.headers.names import named
from data.table import Table

#: Columns of which a zero is a count nobody set as well: no step has no sequences, no run no devices.
_NEVER_ZERO = frozenset((
    "batch", "batch_sequences", "batch_device", "grad_accum", "seq_len", "total_steps", "devices", "data_parallel",
    "tensor_parallel", "pipeline_parallel", "context_parallel",
))  # fmt: skip
#: Of these a zero may be the truth: the first row of a curve, no warm-up.
_UNSET = _NEVER_ZERO | {
    "steps",
    "samples",
    "epochs",
    "warmup_steps",
    "unique_tokens",
    "unique_samples",
    "vocab",
    "experts",
    "top_k",
}
#: Of these only where every row says so: else a row with -1 is set aside with that reason.
_THROUGHOUT = frozenset(
    ("params", "params_total", "params_nonembed", "params_active", "tokens", "flops", "tokens_per_param")
)
_MINUS_ONE = frozenset((-1, "-1", "-1.0"))
_NEVER_SAID = _MINUS_ONE | {0, "0", "0.0"}


def without_unset(table: Table) -> Table:
    """The table whose counts of -1, and of 0 where none can be, are blank, with a note on each column."""
    frame, notes = table.frame, list(table.notes)
    for header in table.headers:
        column = next((c for c, sure in named(header) if sure >= 0.6), "")
        if column not in _UNSET and column not in _THROUGHOUT:
            continue
        cells = table.raw(header)
        none = _NEVER_SAID if column in _NEVER_ZERO else _MINUS_ONE
        if isinstance(cells, np.ndarray):
            unset = np.fromiter((_plain(c) in none for c in cells), dtype=bool, count=len(cells))
        elif pd.api.types.is_bool_dtype(cells.dtype):
            continue
        else:
            plain = cells.str.strip() if isinstance(cells.dtype, pd.StringDtype) else cells
            unset = plain.isin(tuple(none)).to_numpy(dtype=bool)
        many = int(unset.sum())
        if not many or (column in _THROUGHOUT and many < len(cells)):
            continue
        said = str(table.cells(header)[unset][0]).strip()[:8]
        rows = "every row" if many == len(cells) else "1 row" if many == 1 else f"{many:,} rows"
        notes.append(f"{header!r} is {said} in {rows}, which no count is: nothing was read there.")
        blank = table.column(header).astype(object).where(~unset, None)
        frame = frame.assign(**{header: blank})
    return table if frame is table.frame else replace(table, frame=frame, notes=tuple(notes))


def _plain(cell: Any) -> Any:
    """A cell of text without the spaces around it, any other as it is; None for what is no single value."""
    return cell.strip() if isinstance(cell, str) else cell if isinstance(cell, Hashable) else None
