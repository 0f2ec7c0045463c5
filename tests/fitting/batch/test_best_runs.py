"""Which final losses count of those at one batch and amount of data: the mean of repeats, the best over what is tuned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting.batch import decayed
from fitting.batch.best_runs import best_runs
from fitting.batch.decayed import decayed_by_size

B_CRIT, FLOOR, BETA, K = 5e5, 1.8, 0.4, 2000.0
TARGET = 2.3
LEAST = (K / (TARGET - FLOOR)) ** (1 / BETA)


def planted() -> pd.DataFrame:
    b, d = (v.ravel() for v in np.meshgrid(3e4 * 3.0 ** np.arange(5), LEAST * 2.0 ** np.arange(-1, 4), indexing="ij"))
    return pd.DataFrame({"batch": b, "tokens": d, "loss": FLOOR + K * (1.0 + b / B_CRIT) ** BETA * d**-BETA})


def off(table: pd.DataFrame, by: float) -> pd.DataFrame:
    return table.assign(loss=table["loss"] * np.exp(by))


TUNED = ("lr", "eta", "adam_lr", "lr_mult", "learning rate multiplier", "step_size", "muon lr", "lr_scale", "Peak LR", "stepsize",
         "optim.lr", "learning_rate", "η")  # fmt: skip
REPEATED = ("seed", "data_seed", "Random seed", "replicate", "trial", "rep", "wall clock", "loss_std", None)


def test_repeats_count_by_their_mean_and_tuned_columns_by_the_best():
    """Three repeats whose logs are off by -.01, 0 and .01; rates at which losses are .1 and .2 higher."""
    own = planted()
    for seed in REPEATED:
        for rate in (*TUNED, None) if seed == "seed" else ("lr", None):
            parts = []
            for k, worse in enumerate((0.1, 0.0, 0.2) if rate else (0.0,)):
                for j, luck in enumerate((-0.01, 0.0, 0.01)):
                    part = off(own, worse + luck)
                    part = part if rate is None else part.assign(**{rate: 1e-3 * 2**k})
                    parts.append(part if seed is None else part.assign(**{seed: j}))
            found = best_runs(pd.concat(parts, ignore_index=True).sample(frac=1.0, random_state=0))
            case = f"{seed} and {rate}"
            assert found.rows[["batch", "tokens"]].to_numpy() == pytest.approx(own[["batch", "tokens"]].to_numpy()), (
                case
            )
            assert found.rows["loss"].to_numpy() == pytest.approx(own["loss"].to_numpy()), case
            said = [f"Of several values of {rate!r} at"] * bool(rate) + [
                "At 25 pairs of batch and data there are repeats, up to 3"
            ]
            assert [n[: len(s)] for n, s in zip(found.notes, said, strict=True)] == said, case


def test_rates_that_only_names_state_are_told_and_unknown_numbers_count_as_tuned():
    own = planted()
    named = [own.assign(run=[f"b{k}-lr{r}-s{s}" for k in range(25)], loss=own["loss"] * w * np.exp(0.01 * s - 0.01))
             for r, w in (("1e-3", 1.0), ("3e-3", 1.1)) for s in range(3)]  # fmt: skip
    found = best_runs(pd.concat(named, ignore_index=True))
    assert found.rows["loss"].to_numpy() == pytest.approx(own["loss"].to_numpy())
    assert found.notes[0].startswith("Of several learning rates that names of runs state at")
    tried = pd.concat([own.assign(beta2=0.9), off(own, 0.1).assign(beta2=0.95)], ignore_index=True)
    (one,) = decayed_by_size(tried, (TARGET,), resamples=0)
    assert one[2].found.b_crit.value == pytest.approx(B_CRIT, rel=1e-5)
    assert any("Of several values of 'beta2'" in n for n in one[2].found.notes)


def test_repeats_far_apart_are_said():
    found = best_runs(pd.concat([planted(), off(planted(), 0.2)], ignore_index=True))
    assert found.notes[1].startswith("Repeats differ by up to 22 %, at batch ")


def test_text_that_goes_with_seeds_is_no_choice():
    own = planted()
    parts = [off(own, luck).assign(seed=k, node=k % 2, shard=f"part {k}x") for k, luck in enumerate((-0.01, 0.0, 0.01))]
    found = best_runs(pd.concat(parts, ignore_index=True), ("shard",))
    assert found.rows["loss"].to_numpy() == pytest.approx(own["loss"].to_numpy())


def test_intervals_from_several_seeds_hold_the_planted_truth():
    """The lowest of five seeds of 1 % is 1.2 % below their mean: by it the least data came out an eighth too few, every time."""
    held = []
    for k in range(6):
        rng = np.random.default_rng(k)
        parts = [planted().assign(seed=s) for s in range(5)]
        frame = pd.concat(parts, ignore_index=True)
        frame = frame.assign(loss=frame["loss"] * np.exp(0.01 * rng.standard_normal(len(frame))))
        e_min = decayed(frame, TARGET, resamples=200).found.e_min
        held.append(e_min.low <= LEAST <= e_min.high)
    assert sum(held) >= 4  # of six that hold with 95 %, three or fewer are one in 500
