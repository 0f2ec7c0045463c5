"""Accelerators people train on, with the dense bf16 peak their makers state."""

from __future__ import annotations

# FLOP/s, dense (sheets that print a figure with sparsity print twice this); source: each maker's data sheet.
PEAKS: dict[str, float] = {
    "H100": 989e12,
    "H200": 989e12,
    "B200": 2250e12,
    "A100": 312e12,
    "MI300X": 1307e12,
}
OTHER = "Other"
