"""Writes the probe_ tables from the folders of the sweeps that made them.

`isoflop probe data/published/sweeps/NAME.json --out FOLDER/NAME` trains each sweep; `python data/published/make_probe_tables.py
FOLDER` then writes the tables of those that are there, of finished runs alone; a run of a table whose folder is not there stays in it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from data import read_runs
from data.schema import Runs

HERE = Path(__file__).parent
ABOUT = ("params_nonembed", "params_total", "tokens", "batch", "seq_len", "lr", "seed", "width")
NORMS = ("grad_sq_small", "grad_sq_big", "batch_small", "batch_big")
NOISE = tuple(f"{what}_{geometry}" for geometry in ("euclidean", "adam", "sign") for what in ("noise", "signal"))
CALLED = {"run": "run_id", "params_nonembed": "params_nonembedding", "batch": "batch_tokens"}
DIGITS = {"loss": 5, "val_loss": 5, "lr": 9, "grad_sq_small": 7, "grad_sq_big": 7}

#: An optimiser that has hardly begun follows no law of size and data: of the three runs of fewer steps the loss is up to .2 higher.
LEAST_STEPS = {"probe_isoflop": 500}

#: Each table's sweeps, and its columns: of the last row of a run, or of every row.
FINALS = {
    "probe_isoflop": (("isoflop", "isoflop_large"), (*ABOUT, "loss")),
    "probe_width_ladder": (
        ("width_ladder", "width_ladder_256", "width_ladder_256_mup"),
        (*ABOUT, "parametrisation", "loss"),
    ),
    "probe_rate_ladder": (("rate_ladder", "rate_ladder_high"), (*ABOUT, "loss")),
    "probe_python_source": (("python_source",), (*ABOUT, "loss")),
}
CURVES = {
    "probe_batch_ladder": (("batch_ladder",), (*ABOUT, "steps", "loss", *NORMS)),
    "probe_noise_scale": (("noise_ladder",), (*ABOUT, "steps", "loss", *NOISE)),
}


def found(folder: Path, sweeps: Sequence[str]) -> list[Runs]:
    """The finished runs of those of the sweeps that are there."""
    return [read_runs(folder / name) for name in sweeps if (folder / name).is_dir()]


def write(name: str, frames: Sequence[pd.DataFrame], columns: Sequence[str], order: Sequence[str]) -> None:
    """One table: the columns by the names that tables of other projects have, numbers with the digits that they bear."""
    whole = pd.concat(frames)
    frame = whole[["run", *(c for c in columns if c in whole)]].rename(columns=CALLED)
    if (before := HERE / f"{name}.csv").is_file():
        held = pd.read_csv(before)
        frame = pd.concat([held[~held["run_id"].isin(frame["run_id"])], frame])
    frame = frame.sort_values([CALLED.get(column, column) for column in order])
    for column in frame.select_dtypes("number"):
        if digits := DIGITS.get(str(column)):
            frame[column] = frame[column].round(digits)
        if (frame[column] == frame[column].round()).all():
            frame[column] = frame[column].astype("int64")
    for column in NOISE:  # of very different magnitudes
        if column in frame:
            frame[column] = frame[column].map("{:.5g}".format).astype(float)
    frame.to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")


def main() -> None:
    """Writes the tables whose sweeps are in the folder named on the command line."""
    folder = Path(sys.argv[1])
    for name, (sweeps, columns) in FINALS.items():
        if runs := found(folder, sweeps):
            order = [c for c in ("parametrisation", "width", "tokens", "lr", "seed") if c in columns]
            least = LEAST_STEPS.get(name, 0)
            write(name, [r.kept[r.kept["steps"] >= least] for r in runs], columns, order)
    for name, (sweeps, columns) in CURVES.items():
        if runs := found(folder, sweeps):
            rows = [r.history for r in runs if r.history is not None]
            write(name, [frame[frame["steps"] > 0] for frame in rows], columns, ["batch", "lr", "seed", "run", "steps"])


if __name__ == "__main__":
    main()
