"""Curves as they are logged: late, twice, under shared names, with seeds and with batches that warm up; each gives what clean ones do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import read_runs
from fitting import FitError
from fitting.batch import along_loss, critical_batch, curves, steps_to_target
from fitting.batch.ladder import ladder
from fitting.batch.rows import curve_rows
from tests.fitting.sequential import as_often

B_CRIT, S_MIN, FLOOR = 262_144.0, 2000.0, 2.0
BATCHES = 2.0 ** np.arange(15, 22)


def steps_at(batch, loss):
    """Steps to a loss, S_min (1 + B_crit / B) with S_min a power of what the loss is above its floor."""
    return S_MIN * ((loss - FLOOR) / 0.9) ** -2.5 * (1 + B_CRIT / batch)


def planted(seeds=(0,), noise=0.0, begin=50, end=200_000, rows=60, seed=0):
    """Curves of seven batches, each lucky by `noise` in its steps."""
    rng, out = np.random.default_rng(seed), []
    for b in BATCHES:
        for s in seeds:
            luck = np.exp(noise * rng.standard_normal())
            step = np.unique(np.geomspace(begin, end, rows).astype(int))
            loss = FLOOR + 0.9 * (step * luck / S_MIN / (1 + B_CRIT / b)) ** -0.4
            out.append(pd.DataFrame({"run": f"b{b:g}-{s}", "batch": b, "seed": s, "step": step, "loss": loss}))
    return pd.concat(out, ignore_index=True)


def found(frame, target=2.9, resamples=200):
    reached = steps_to_target(frame, target)
    return critical_batch(reached.batch, reached.steps, doubt=reached.doubt, resamples=resamples), reached


def resumed(frame):
    """The run of one batch logs its rows 20 to 24 again after a resume, worse the first time."""
    own = frame.index[frame["run"] == frame["run"].iloc[0]]
    first = frame.loc[own[:25]].copy()
    first.loc[own[20:25], "loss"] *= 1.2
    return pd.concat([first, frame.loc[own[20] :]], ignore_index=True)


TWO = planted(seeds=(0, 1))
LOGS = {
    "in no order": planted().sample(frac=1.0, random_state=1),
    "resumed": resumed(planted()),
    "one name": planted().assign(run="x").drop(columns="seed"),
    "one name, in no order": planted().assign(run="x").sample(frac=1.0, random_state=1),
    "two seeds, one name a batch": TWO.assign(run=TWO["batch"].astype(str)),
    "two seeds, one name": TWO.assign(run="x"),
    "two seeds nobody tells": TWO.assign(run=TWO["batch"].astype(str)).drop(columns="seed"),
    "begun anew": pd.concat([planted()[lambda t: t["step"] < 500].assign(loss=lambda t: t["loss"] * 1.1), planted()]).assign(
        run=lambda t: t["batch"].astype(str)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGS)
def test_however_rows_are_logged_the_batch_is_the_same(name):
    got, reached = found(LOGS[name])
    assert got.b_crit.value == pytest.approx(B_CRIT, rel=0.01)
    assert list(reached.batch) == list(BATCHES)
    assert reached.steps == pytest.approx(steps_at(BATCHES, 2.9), rel=0.01)
    assert len(set(curves(LOGS[name]).names)) >= len(BATCHES)


def test_what_was_done_to_rows_is_counted():
    assert ladder(LOGS["resumed"]).notes == ("5 rows repeat a step: the later counts.",)
    assert "14 curves" in ladder(LOGS["two seeds, one name"]).notes[0]
    assert ladder(planted()).notes == ()
    twice = pd.concat([planted(), planted().assign(loss=lambda t: t["loss"] * 1.02)]).sort_values(["run", "step"])
    told = ladder(twice.drop(columns="seed"))
    assert "their mean counts" in told.notes[0]
    once = planted().groupby("run")["loss"].apply(list)
    assert told.runs[0].loss == pytest.approx(np.array(once[told.runs[0].name]) * 1.02**0.5)


def test_seeds_of_one_batch_count_by_their_mean():
    """By the best of them, a batch with more seeds would look faster."""
    frame = planted(seeds=(0, 1, 2), noise=0.2)
    got = steps_to_target(frame, 2.9)
    for b, steps in zip(got.batch, got.steps, strict=True):
        each = [steps_to_target(own, 2.9).steps[0] for _, own in frame[frame["batch"] == b].groupby("run")]
        assert steps == pytest.approx(np.exp(np.mean(np.log(each))))


def test_a_curve_that_begins_below_the_loss_is_censored():
    late = planted(begin=2_000)
    got, reached = found(late, 3.2)
    begun = [b for b in BATCHES if steps_at(b, 3.2) < 2_000]
    assert [b for b, _ in reached.begun] == begun
    assert sum(n for _, n in reached.begun) == len(begun)
    assert (
        f"{len(begun)} curves at batch {', '.join(f'{b:g}' for b in begun)} begin at or below a loss of 3.2"
        in " ".join(reached.notes)
    )
    assert list(reached.batch) == [b for b in BATCHES if b not in begun]
    assert got.b_crit.value == pytest.approx(B_CRIT, rel=0.02)


def test_a_loss_above_every_first_loss_is_refused_with_a_loss_to_ask_for():
    late = planted(begin=2_000)
    highest = late.groupby("run")["loss"].first().max()
    with pytest.raises(
        FitError, match=rf"7 curves at batch .* begin at or below .*choose a target below {highest:.4g}"
    ):
        steps_to_target(late, 6.0)


def ramped(count, share, noise=0.0, rows=0.0, seed=0):
    """Curves by progress, of which a step at batch b makes 1 / (1 + B_crit / b), with `share` of the batch for `count` steps.

    Each batch is lucky by `noise` in its steps, each row by `rows` in its loss.
    """
    rng, out = np.random.default_rng(seed), []
    for b in BATCHES:
        step = np.unique(np.geomspace(10, 200_000, 600).astype(int)).astype(float)
        early = np.minimum(step, count)
        done = (early / (1 + B_CRIT / (share * b)) + (step - early) / (1 + B_CRIT / b)) * np.exp(
            noise * rng.standard_normal()
        )
        loss = (FLOOR + 0.9 * (done / S_MIN) ** -0.4) * np.exp(rows * rng.standard_normal(len(step)))
        batch = np.where(step <= count, share * b, b)
        out.append(pd.DataFrame({"run": f"b{b:g}", "batch": batch, "step": step, "loss": loss}))
    return pd.concat(out)


RAMPS = [(300, 0.25), (300, 0.5), (300, 0.01), (1500, 0.25), (3000, 0.1)]


@pytest.mark.parametrize(("count", "share"), RAMPS)
@pytest.mark.parametrize("target", [2.9, 2.7])
def test_a_batch_that_warms_up_is_counted_by_its_progress(count, share, target):
    """Short ramps and ones that make up most of the steps to the loss: the hyperbola is that of runs of one batch."""
    frame = ramped(count, share)
    got, reached = found(frame, target)
    fewest = steps_at(np.inf, target)
    assert reached.last == tuple(BATCHES)
    assert np.all((reached.batch >= share * BATCHES * (1 - 1e-9)) & (reached.batch <= BATCHES))
    assert got.b_crit.value == pytest.approx(B_CRIT, rel=0.03)
    assert got.s_min.value == pytest.approx(fewest, rel=0.02)
    assert got.e_min.value == pytest.approx(fewest * B_CRIT, rel=0.02)
    assert reached.steps == pytest.approx(steps_at(reached.batch, target), rel=0.03)
    assert "change their batch on the way" in " ".join(reached.notes)
    whole = curves(frame, after=0.0)
    assert set(np.unique(whole.batch)) == set(BATCHES)
    assert "rows at the last batch stay" in " ".join(whole.notes)


def sparse(change, tokens="", noise=0.0, seed=0, every=500):
    """Curves logged every 500 steps whose batch is a quarter up to the step `change`, added up step by step.

    `tokens` is "seen" for what was seen in sequences of 2,048, "means" where the batch followed from tokens, "products" for those that
    are batch times step.
    """
    rng, out = np.random.default_rng(seed), []
    for b in BATCHES:
        each = np.where(np.arange(1, 100_001) <= change, 0.25 * b, b)
        at = np.arange(every, len(each) + 1, every)
        seen, done = np.cumsum(each)[at - 1], np.cumsum(1 / (1 + B_CRIT / each))[at - 1]
        loss = FLOOR + 0.9 * (done * np.exp(noise * rng.standard_normal()) / S_MIN) ** -0.4
        frame = pd.DataFrame({"run": f"b{b:g}", "batch": each[at - 1], "step": at, "loss": loss})
        if tokens == "means":
            frame["batch"] = np.diff(seen, prepend=0.0) / every
        if tokens:
            frame["tokens"] = {"seen": seen / 2048, "means": seen, "products": frame["batch"] * at}[tokens]
        out.append(frame)
    return pd.concat(out)


def of_a_config(first=20, warm=300, share=0.25, seed=None, tokens=1.0, levels="two"):
    """Curves whose column of batches is that of the config, with tokens (in some unit) that a warm-up of `warm` steps made fewer."""
    rng, out = np.random.default_rng(seed or 0), []
    for b in BATCHES:
        each = np.full(100_000, b)
        each[:warm] = share * b if levels == "two" else np.linspace(b / warm, b, warm)
        at = np.unique(np.geomspace(first, len(each), 60).astype(int))
        done = np.cumsum(1 / (1 + B_CRIT / each))[at - 1] * (np.exp(0.05 * rng.standard_normal()) if seed else 1.0)
        loss = FLOOR + 0.9 * (done / S_MIN) ** -0.4
        seen = np.cumsum(each)[at - 1] * tokens
        out.append(pd.DataFrame({"run": f"b{b:g}", "batch": b, "step": at, "tokens": seen, "loss": loss}))
    return pd.concat(out)


def test_a_warm_up_that_tokens_alone_tell_counts():
    """A config logs one batch for the whole run, and logs that begin after the warm-up tell no more."""
    for first, warm, share, tokens, levels in (
        (20, 300, 0.25, 1.0, "two"),
        (20, 300, 0.25, 1 / 2048, "two"),
        (20, 300, 0.1, 1.0, "two"),
        (20, 1000, 0.5, 1.0, "rise"),
        (400, 300, 0.25, 1.0, "two"),
        (400, 300, 0.1, 1.0, "two"),
        (900, 800, 0.5, 1.0, "rise"),
        (20, 0, 1.0, 1.0, "none"),
    ):
        case = f"from {first}, {warm} steps, {share}, x {tokens:g}, {levels}"
        frame = of_a_config(first, warm, share, tokens=tokens, levels="two" if levels == "none" else levels)
        got, reached = found(frame)
        fewest = steps_at(np.inf, 2.9)
        late = first > warm > 0
        assert got.s_min.value == pytest.approx(fewest, rel=0.06 if late else 0.005), case
        for band, truth in ((got.s_min, fewest), (got.b_crit, B_CRIT)):
            assert 0.995 * band.low <= truth <= 1.005 * band.high, case
        said = " ".join(reached.notes)
        assert ("7 runs tell a batch that rises on the way" in said) == (warm > 0), case
        assert ("begin so late" in said) == late, case
        whole = curves(frame, after=0.0)
        assert set(np.unique(whole.batch)) == set(BATCHES), case


def test_tokens_that_are_no_batch_of_a_rise_are_said_and_do_not_count():
    frame = of_a_config(warm=0, share=1.0)
    plain = found(frame)[0].s_min.value
    rounded = frame.assign(tokens=frame["tokens"].map(lambda v: float(f"{v:.2e}")))
    coarse = frame.assign(tokens=(frame["tokens"] / 1e8).round() * 1e8)
    falling = frame.assign(tokens=frame["batch"] * np.minimum(frame["step"], 300 + frame["step"] / 4))
    fork = frame.assign(tokens=frame["tokens"] + 1e10)
    for name, own in {"rounded": rounded, "coarse": coarse, "falling": falling, "fork": fork}.items():
        got, reached = found(own)
        assert got.s_min.value == plain, name
        assert ("the column of batches counts" in " ".join(reached.notes)) == (name in ("falling", "fork")), name


def test_when_between_two_rows_a_batch_changed_is_told_by_tokens_or_left_open():
    for change in (1501, 1750, 2000, 2100):
        for tokens in ("", "seen", "means", "products"):
            case = f"{change}, {tokens or 'no tokens'}"
            reached = steps_to_target(sparse(change, tokens), 2.9)
            off = np.abs(np.log(reached.steps / steps_at(reached.batch, 2.9)))
            said = "when the batch changed is not known" in " ".join(reached.notes)
            if tokens == "seen":
                assert np.all(off < 0.002), case
                assert np.all(reached.doubt < 1e-4), case
                assert not said, case
            else:
                assert np.all(off <= 1.05 * reached.doubt + 0.002), case
                assert said == bool(np.max(reached.doubt) > 0.01), case
            got = critical_batch(reached.batch, reached.steps, doubt=reached.doubt, resamples=100)
            for band, truth in ((got.b_crit, B_CRIT), (got.s_min, steps_at(np.inf, 2.9))):
                assert 0.99 * band.low <= truth <= 1.01 * band.high, case


def test_intervals_hold_where_rows_lie_far_apart_around_the_change():
    """At either end of the rows between which the batch changed, where the doubt is the largest, and in between."""

    def held(seed):
        reached = steps_to_target(sparse((1501, 1750, 2000)[seed % 3], noise=0.03, seed=seed), 2.9)
        got = critical_batch(reached.batch, reached.steps, doubt=reached.doubt, resamples=100, seed=seed)
        asked = (got.b_crit, B_CRIT), (got.s_min, steps_at(np.inf, 2.9))
        return [band.low <= truth <= band.high for band, truth in asked]

    as_often(map(held, range(40)))


def test_a_doubt_about_steps_is_no_less_than_nothing():
    with pytest.raises(FitError, match="doubt is 0 or more"):
        critical_batch(BATCHES, steps_at(BATCHES, 2.9), doubt=-0.1)


@pytest.mark.parametrize("off", [1e-9, 1e-4, 5e-3])
def test_a_batch_worked_out_from_rounded_tokens_is_one(off):
    """The rows of a ramp whose batches differ by a rounding are one run's, not those of a run for each batch."""
    frame = ramped(300, 0.25)
    rounded = frame.assign(batch=frame["batch"] * (1 + off * np.random.default_rng(0).uniform(-1, 1, len(frame))))
    assert len(ladder(rounded).runs) == len(BATCHES)
    assert found(rounded)[0].b_crit.value == pytest.approx(B_CRIT, rel=0.03)


def test_two_ramps_count_by_what_was_seen():
    """Of two batches no critical batch follows to count progress by."""
    frame = ramped(300, 0.25)
    reached = steps_to_target(frame[frame["run"].isin(sorted(frame["run"].unique())[:2])], 2.9)
    assert all(b in BATCHES for b in reached.batch)
    assert "steps are what was seen" in " ".join(reached.notes)


def test_along_the_loss_a_ramp_is_one_run():
    """B_crit is the same at every loss: no power of it, with intervals about that, though each run counts as another batch at each."""
    law = along_loss([steps_to_target(ramped(1500, 0.25), t) for t in (2.9, 2.8, 2.7, 2.6)], resamples=0)
    assert list(law.batches) == list(BATCHES)
    assert law.slope == pytest.approx(0.0, abs=0.3)
    assert float(law.at(2.8).value) == pytest.approx(B_CRIT, rel=0.03)


def clean(seed, noise=0.05):
    return planted(noise=noise, seed=seed)


def warmed_up(seed, noise=0.05):
    """Curves by progress, with a quarter of the batch for the first 300 steps."""
    return ramped(300, 0.25, noise, seed=seed)


def warmed_up_long(seed, noise=0.05):
    """With a quarter of the batch for the first 2,000 steps, where S_min is 2,000."""
    return ramped(2000, 0.25, noise, seed=seed)


def several_rates(seed, noise=0.05):
    """Three rates a batch: the best, one that takes a half more steps and one that takes twice as many."""
    own = clean(seed, noise)
    worse = [
        own.assign(step=own["step"] * w, lr=r, run=own["run"] + f"-{r}")
        for r, w in ((1e-3, 1.5), (2e-3, 1.0), (4e-3, 2.0))
    ]
    return pd.concat(worse)


AS_LOGGED = {
    "clean": (clean, 2.9),
    "late": (lambda seed: planted(noise=0.05, begin=2_000, seed=seed), 3.0),
    "repeats": (lambda seed: resumed(clean(seed)).assign(run=lambda t: "x").drop(columns="seed"), 2.9),
    "two seeds under one name": (lambda seed: planted((0, 1), 0.05, seed=seed).assign(run=lambda t: t["batch"].astype(str)), 2.9),
    "ramps": (warmed_up, 2.9),
    "long ramps": (warmed_up_long, 2.9),
    "censored": (lambda seed: planted(noise=0.05, end=10_000, seed=seed), 2.9),
    "several rates": (several_rates, 2.9),
}  # fmt: skip
# Dear to draw often: `tests/benchmarks/batch_coverage.py` does.
BY_TOKENS = {
    "warm-up told by tokens, batch of the config": (lambda seed: of_a_config(seed=seed + 1), 2.9),
    "warm-up before the first row": (lambda seed: of_a_config(400, seed=seed + 1), 2.9),
}


@pytest.mark.parametrize("kind", AS_LOGGED)
def test_intervals_hold_for_curves_as_they_are_logged(kind):
    make, target = AS_LOGGED[kind]

    def held(seed):
        band = found(make(seed), target, resamples=100)[0].b_crit
        return band.low <= B_CRIT <= band.high

    as_often(map(held, range(40)))


def test_many_noisy_evaluations_do_not_bring_the_crossing_forward():
    """Steps a hundred apart: where a run logs more rows, the first lucky one comes earlier."""
    ratio = []
    for seed in range(20):
        rng, out = np.random.default_rng(seed), []
        for b in BATCHES:
            step = np.arange(20, 3 * steps_at(b, 2.9), 20)
            loss = FLOOR + 0.9 * (step / S_MIN / (1 + B_CRIT / b)) ** -0.4
            noisy = loss * np.exp(0.003 * rng.standard_normal(len(step)))
            out.append(pd.DataFrame({"run": f"b{b:g}", "batch": b, "step": step, "loss": noisy}))
        ratio.append(steps_to_target(pd.concat(out), 2.9).steps / steps_at(BATCHES, 2.9))
    assert np.mean(ratio, axis=0) == pytest.approx(np.ones(len(BATCHES)), abs=0.004)


def test_the_best_of_several_rates_counts_whatever_their_header():
    """Two worse rates a batch, under a name of the learning rate that the runs table does not use."""
    worse = [
        planted().assign(loss=lambda t, k=k: t["loss"] * k, run=lambda t, k=k: t["run"] + f"-{k}") for k in (1.02, 1.05)
    ]
    frame = pd.concat([planted(), *worse], ignore_index=True)
    rate = np.repeat([1e-3, 3e-4, 3e-3], len(planted()))
    right = found(frame.assign(lr=rate))[0].b_crit
    for header in ("eta", "adam_lr", "learning rate multiplier", "step_size"):
        assert found(frame.assign(**{header: rate}))[0].b_crit == right, header
    assert right.value == pytest.approx(B_CRIT, rel=0.01)


def two_settings(column, values, first=(200, 220), decays=False):
    """Five batches at two values of a setting, the second 1.4 times as slow, whose logs share no step where `first` differ."""
    out = []
    for b in (16_000, 50_000, 160_000, 500_000, 1_600_000):
        end = 2000 * (1 + 2e5 / b)
        for value, slow, begin in zip(values, (1.0, 1.4), first, strict=True):
            step = np.arange(begin, end, max(20, end // 60))
            loss = 1.5 + 1.5 * (step / slow / (1 + 2e5 / b) / 1000) ** -0.4
            own = value * (1 - 0.9 * step / end) if decays else value
            out.append(pd.DataFrame({"batch": b, column: own, "step": step, "loss": loss}))
    return pd.concat(out, ignore_index=True)


def test_rows_of_two_settings_are_two_curves_whether_or_not_their_logs_share_steps():
    settings = {"lr": (1e-3, 3e-3), "beta2": (0.95, 0.99), "optimizer": ("adam", "sgd"), "weight_decay": (0.1, 0.01)}
    for column, values in settings.items():
        for first in ((200, 220), (500, 220), (200, 200)):
            for order in ("blocks", "steps", "none", "decays"):
                if order == "decays" and column != "lr":
                    continue
                frame = two_settings(column, values, first, decays=order == "decays")
                if order == "steps":
                    frame = frame.sort_values("step", kind="stable")
                elif order == "none":
                    frame = frame.sample(frac=1.0, random_state=2)
                case = f"{column}, from {first}, in order of {order}"
                assert len(ladder(frame.assign(run="x")).runs) == 10, case
    for column, decays in (("lr", False), ("lr", True), ("beta2", False)):
        for first in ((500, 220), (200, 200)):
            frame = two_settings(column, settings[column], first, decays).rename(columns={"batch": "batch_tokens"})
            read = curve_rows(read_runs(frame))
            case = f"{column}, {decays}, from {first}"
            assert read is not None, case
            assert len(ladder(read).runs) == 10, case
            got = found(read, 3.0)[0]
            assert got.s_min.value == pytest.approx(1000, rel=0.002), case
            assert got.b_crit.value == pytest.approx(2e5, rel=0.002), case
