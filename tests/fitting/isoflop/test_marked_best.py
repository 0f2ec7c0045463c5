"""Each budget's best run in bold: the best size is the planted one, and not what is left when the best are set aside."""

from __future__ import annotations

import numpy as np
import pytest

from data import read_runs
from fitting.isoflop import profiles

BEST = 3e8
FLOPS = (1e19, 3e19, 1e20)


def losses(flops: float, sizes: np.ndarray) -> np.ndarray:
    """A valley whose bottom lies at 300 M parameters for the largest budget and grows with the root of compute."""
    bottom = BEST * np.sqrt(flops / FLOPS[-1])
    return 3.0 * (flops / 1e20) ** -0.05 * (1 + 0.02 * np.log(sizes / bottom) ** 2)


def sweep(mark: str, decimal: str = ".") -> str:
    """The sweep as a Markdown table with each budget's best loss in the form of `mark`."""
    lines = ["| params | tokens | flops | **Loss** |", "|---|---|---|---|"]
    for flops in FLOPS:
        sizes = BEST * np.sqrt(flops / FLOPS[-1]) * np.array([0.35, 0.6, 1.0, 1.8, 3.0])
        found = losses(flops, sizes)
        for n, loss in zip(sizes, found, strict=True):
            text = f"{loss:.4f}"
            text = mark.format(text) if loss == found.min() else text
            lines.append(f"| {n:.6g} | {flops / (6 * n):.6g} | {flops:g} | {text} |")
    return "\n".join(lines).replace(".", decimal)


@pytest.mark.parametrize("mark", ["{}", "**{}**", "`{}`", r"\textbf{{{}}}", "{} ✅", "{}*", "**{}** ± 0.01"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_the_planted_best_size_comes_back(tmp_path, mark, decimal):
    path = tmp_path / "sweep.txt"
    path.write_text(sweep(mark, decimal), encoding="utf-8")
    runs = read_runs(path)
    assert len(runs) == 15
    found = profiles(runs, resamples=20)
    assert found.params(FLOPS[-1]).value == pytest.approx(BEST, rel=0.02)
