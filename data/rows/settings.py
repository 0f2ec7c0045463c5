"""Settings of a run that its file writes in some of its rows alone, as trackers log a configuration once."""

from __future__ import annotations

import pandas as pd

from data.mapping import Mapping
from data.schema import COUNTS
from data.table import Table

#: What a step's batch is the product of.
FACTORS = (
    "batch_device", "batch_sequences", "grad_accum", "devices", "data_parallel", "tensor_parallel", "pipeline_parallel",
    "context_parallel", "seq_len",
)  # fmt: skip
_COUNTED = "steps"  # along which the rows of one name must differ to be checkpoints


def within_runs(frame: pd.DataFrame, table: Table, mapping: Mapping) -> None:
    """Fill the factors of the batch that rows of a run leave blank, where all that the run's other rows say agree.

    Rows are of one run by its name, where they stand at different steps and have one size.
    """
    header = mapping.header("run")
    blank = [c for c in FACTORS if c in frame and frame[c].isna().any() and frame[c].notna().any()]
    if header is None or not blank or _COUNTED not in frame:
        return
    names = table.names(header).to_numpy()
    runs = frame.groupby(names, sort=False)
    alike = (runs[_COUNTED].transform("nunique") == runs[_COUNTED].transform("size")) & (names != "")
    for count in (c for c in COUNTS if c in frame):
        alike &= runs[count].transform("nunique") <= 1
    for column in blank:
        agreed = runs[column].transform("first").where(alike & (runs[column].transform("nunique") == 1))
        frame[column] = frame[column].fillna(agreed)
