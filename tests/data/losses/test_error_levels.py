"""Errors stated as half of a confidence interval or as several deviations become one standard error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from data import Runs
from data.losses.confidence import half_width

Read = Callable[..., Runs]
#: A header and the deviations of a normal distribution that its ± holds.
STATED = {
    "test ppl (mean ± 95% CI)": 1.959964, "loss (mean ± 90% CI)": 1.644854, "val_loss ± 99 % CI": 2.575829, "loss ± ci95": 1.959964,
    "loss (mean ± CI)": 1.959964, "val_loss ± 2σ": 2.0, "val_loss ±95%": 1.959964, "val loss ± 95 percent confidence": 1.959964,
    "val_loss ± std": 1.0, "loss (mean ± sem)": 1.0, "val_loss": 1.0, "loss civ5": 1.0, "ppl 95": 1.0,
}  # fmt: skip


def test_a_header_says_how_many_deviations_its_error_holds() -> None:
    for header, deviations in STATED.items():
        factor, why = half_width(header)
        assert factor == pytest.approx(deviations, rel=1e-6), header
        assert bool(why) == (deviations != 1.0), header


def test_half_of_an_interval_is_divided_and_said(read: Read) -> None:
    ppl = read("model,params,tokens,test ppl (mean ± 95% CI)\na,1e8,2e9,30.1 ± 0.5\nb,2e8,4e9,25.1 ± 0.4\n")
    assert np.allclose(ppl.kept["loss_error"], [0.5 / 30.1 / 1.959964, 0.4 / 25.1 / 1.959964])
    assert any("95 % interval" in note for note in ppl.notes)
    for header in ("val_loss ± 95% CI", "± 95% CI", "val_loss 95% CI half-width", "val_loss (± 95% CI)"):
        runs = read(f"model,params,tokens,val_loss,{header}\na,1e8,2e9,3.1,0.05\nb,2e8,4e9,2.1,0.04\n")
        assert np.allclose(runs.kept["loss_error"], [0.05 / 1.959964, 0.04 / 1.959964]), header
        assert "divided by 1.96" in next(s.how for s in runs.sources if s.column == "loss_error"), header
    plain = read("model,params,tokens,val_loss,val_loss std\na,1e8,2e9,3.1,0.05\nb,2e8,4e9,2.1,0.04\n")
    assert plain.kept["loss_error"].tolist() == [0.05, 0.04]
    percent = read("model,params,tokens,val_loss,val_loss error (%)\na,1e8,2e9,3.1,0.05\nb,2e8,4e9,2.1,0.04\n")
    assert "loss_error" not in percent.kept
