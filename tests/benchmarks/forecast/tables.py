"""Public sweeps as arrays of size, data and loss, and the cuts that leave their largest runs out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data import Runs
from data.flops import six_nd

# Cuts at these percentiles of 6ND; at least so many runs and sizes below, and two runs this far beyond.
PERCENTILES = (35, 50, 65, 80)
LEAST_RUNS, LEAST_SIZES, BEYOND = 12, 4, 1.5
# Cuts by tokens per parameter: the percentiles between which runs are seen.
MIXTURES = ((30, 70), (20, 80), (0, 60), (40, 100))


@dataclass(frozen=True)
class Sweep:
    """One table: `source` is whose runs they are, `main` whether it is one of the eight that rules are compared on."""

    name: str
    source: str
    params: np.ndarray
    tokens: np.ndarray
    loss: np.ndarray
    main: bool = True

    def runs(self, keep: np.ndarray) -> Runs:
        """Some of the runs as a runs table."""
        n, d, loss = self.params[keep], self.tokens[keep], self.loss[keep]
        names = [f"run-{i}" for i in range(len(n))]
        frame = pd.DataFrame({"run": names, "params": n, "tokens": d, "loss": loss, "flops": six_nd(n, d)})
        return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name=self.name)


@dataclass(frozen=True)
class Cut:
    """One cut: which runs are seen (n,) and asked about (n,), and how far each lies beyond the largest seen (n,)."""

    percentile: int
    seen: np.ndarray
    asked: np.ndarray
    beyond: np.ndarray


def cuts(sweep: Sweep) -> Iterator[Cut]:
    """The cuts of a sweep that leave enough to fit and enough to forecast."""
    flops = six_nd(sweep.params, sweep.tokens)
    for percentile in PERCENTILES:
        seen = flops <= np.quantile(flops, percentile / 100)
        beyond = flops / flops[seen].max()
        asked = beyond > BEYOND
        sizes = len(np.unique(np.round(np.log(sweep.params[seen]), 2)))
        if seen.sum() >= LEAST_RUNS and sizes >= LEAST_SIZES and asked.sum() >= 2:
            yield Cut(percentile, seen, asked, beyond)


def odd_cuts(sweep: Sweep) -> Iterator[Cut]:
    """Cuts by mixture instead: parts of the runs in order of tokens per parameter are seen, the rest asked about.

    `percentile` is the lowest of those seen; `beyond` is measured in compute as ever.
    """
    mixed, flops = sweep.tokens / sweep.params, six_nd(sweep.params, sweep.tokens)
    for first, last in MIXTURES:
        low, high = np.quantile(mixed, (first / 100, last / 100))
        seen = (mixed >= low) & (mixed <= high)
        sizes = len(np.unique(np.round(np.log(sweep.params[seen]), 2)))
        if seen.sum() >= LEAST_RUNS and sizes >= LEAST_SIZES and (~seen).sum() >= 2:
            yield Cut(first, seen, ~seen, flops / flops[seen].max())


def sweeps(folder: Path) -> list[Sweep]:
    """Every sweep of N, D and loss in the folder of public runs; the eight main ones first."""
    found: list[Sweep] = []

    def add(name: str, source: str, frame: pd.DataFrame, loss: str, size: str = "params", main: bool = True) -> None:
        kept = frame[np.isfinite(frame[loss]) & (frame[loss] > 0)]
        found.append(Sweep(name, source, *(kept[c].to_numpy(float) for c in (size, "tokens", loss)), main))

    def best(frame: pd.DataFrame, size: str, loss: str) -> pd.DataFrame:
        return frame.loc[frame.groupby([size, "tokens"])[loss].idxmin()]

    add(
        "Chinchilla, digitised",
        "Chinchilla",
        pd.read_csv(folder / "epoch_chinchilla.csv").nsmallest(240, "loss"),
        "loss",
    )
    porian = pd.read_csv(folder / "porian_isoflops.csv")
    porian = porian[(porian["split"] == "val") & (porian["param_count"] == "standard")]
    for number, experiment in (
        ("4", "cosine"),
        ("3", "short warm-up"),
        ("2", "long warm-up"),
        ("5", "tuned, no decay"),
    ):
        for corpus in ("RefinedWeb", "OpenWebText2"):
            rows = porian[porian["experiment"].str.startswith(f"{number} ") & (porian["dataset"] == corpus)]
            add(f"Porian, {experiment}, {corpus}", "Porian", rows, "loss", main=number == "4")
    misfitting = best(pd.read_csv(folder / "misfitting_final.csv"), "params", "loss")
    add("(Mis)Fitting, best rate", "(Mis)Fitting", misfitting, "loss")
    add("(Mis)Fitting, without embeddings", "(Mis)Fitting", misfitting, "loss", "params_nonembedding", main=False)
    add("Marin", "Marin", pd.read_csv(folder / "marin_delphi_ladder.csv"), "loss")
    gadre = pd.read_csv(folder / "gadre_overtraining.csv")
    for corpus in ("c4_original", "rpj", "rw_original"):
        for loss in ("loss_openlm", "loss_c4_val"):
            name = f"Gadre, {corpus}" + (", on C4" if loss == "loss_c4_val" else "")
            add(name, "Gadre", gadre[gadre["dataset"] == corpus], loss, main=loss == "loss_openlm")
    repeats = pd.read_csv(folder / "datablations_fit182.csv")
    add("Muennighoff, one epoch", "Muennighoff", repeats[repeats["epochs"] <= 1], "loss", main=False)
    probe = pd.read_csv(folder / "probe_synthetic_grid.csv")
    add("Probe grid, a made language", "Probe grid", probe, "loss", main=False)
    farseer = pd.read_csv(folder / "scalebench" / "farseer.csv").rename(columns={"N": "params", "D": "tokens"})
    add("Farseer", "Farseer", farseer, "loss", main=False)
    experts = best(pd.read_csv(folder / "steplaw_moe.csv"), "params_active", "loss_smoothed")
    add("Step Law, experts", "Step Law", experts, "loss_smoothed", "params_active", main=False)
    return sorted(found, key=lambda s: not s.main)
