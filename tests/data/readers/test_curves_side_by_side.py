"""Curves side by side: one run's losses in each column beside a counter, under its size, its name or what else tells it apart."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import MappingNeeded, Runs, read_runs

Read = Callable[..., Runs]
LOSSES = ((6.5, 6.3, 6.1), (5.5, 5.2, 5.0), (4.9, 4.6, 4.4), (4.5, 4.2, 4.0), (4.3, 3.9, 3.7))
STEPS = (100, 200, 300, 400, 500)
TOKENS = ("1e9", "2e9", "3e9", "4e9", "5e9")


def curves(header: str, places: tuple[object, ...] = STEPS, losses: tuple[tuple[float, ...], ...] = LOSSES) -> str:
    width = header.count(",")
    rows = [",".join(map(str, (place, *row[:width]))) for place, row in zip(places, losses, strict=True)]
    return "\n".join([header, *rows]) + "\n"


def ends(runs: Runs, *columns: str) -> list[list[object]]:
    return runs.kept[list(columns)].to_numpy(dtype=object).tolist()


def asked(read: Read, text: str, **answers: object) -> list[str]:
    with pytest.raises(MappingNeeded) as e:
        read(text, **answers)
    return [q.key for q in e.value.questions]


def test_each_column_under_a_models_size_is_its_curve(read: Read) -> None:
    truth = [["20M", 20e6, 500, 4.3], ["50M", 50e6, 500, 3.9], ["125M", 125e6, 500, 3.7]]
    runs = read(curves("step,20M,50M,125M"))
    assert ends(runs, "run", "params", "steps", "loss") == truth
    assert runs.history is not None
    assert len(runs.history) == 15
    assert [(q.key, q.needed) for q in runs.questions] == [("columns.params", False)]
    for header in (
        "Step,20M,50M,125M", "iter,20M,50M,125M", "step,gpt-20M,gpt-50M,gpt-125M", "step,20M_loss,50M_loss,125M_loss",
        "step,20M (val loss),50M (val loss),125M (val loss)", "step,20M val,50M val,125M val",
        "step,loss (20M),loss (50M),loss (125M)", "step,gpt-20M/val_loss,gpt-50M/val_loss,gpt-125M/val_loss",
        "global_step,loss_20M,loss_50M,loss_125M",
    ):  # fmt: skip
        assert ends(read(curves(header)), "params", "steps", "loss") == [row[1:] for row in truth], header
    for header in ("tokens_seen,20M,50M,125M", "tokens,gpt-20M,gpt-50M,gpt-125M"):
        assert ends(read(curves(header, TOKENS)), "params", "tokens", "loss") == [
            [n, 5e9, v] for _, n, _, v in truth
        ], header


def test_names_without_sizes_are_runs_whose_sizes_are_lacking(read: Read) -> None:
    for header, announced in (
        ("step,AdamW,Muon", False), ("step,AdamW_loss,Muon_loss", False), ("step,baseline,ours", True), ("step,small,large", True),
        ("step,run-0,run-1", True), ("step,lr1e-3,lr3e-4", False),
        ("step,LR=1e-3,LR=3e-4", False), ("step,width=256,width=512", False), ("epoch,small,large", True),
        ("step,seed0,seed1", False), ("wall time,AdamW,Muon", False),
    ):  # fmt: skip
        runs = read(curves(header))
        assert runs.kept["loss"].tolist() == [4.3, 3.9], header
        assert runs.history is not None
        assert len(runs.history) == 10, header
        assert any("one run's losses" in note for note in runs.notes), header
        assert [q.key for q in runs.questions] == (["columns.run"] if announced else []), header
    assert any("no sizes" in note for note in read(curves("step,AdamW,Muon")).notes)
    assert read(curves("step,S,M,L")).kept["loss"].tolist() == [4.3, 3.9, 3.7]


def test_what_else_is_logged_along_a_run_is_no_other_run(read: Read) -> None:
    for header in ("step,train_loss,val_loss", "step,val_loss,accuracy", "step,loss,grad_norm", "step,train,val"):
        assert len(read(curves(header))) == 1, header
    for header in (
        "step,c4,pile", "step,c4_loss,pile_loss", "step,en,de", "step,layer0,layer1", "step,grad_norm,entropy",
    ):  # fmt: skip
        assert "columns.loss" in asked(read, curves(header)), header
    rising = tuple((0.1 * i, 0.12 * i, 0.13 * i) for i in range(1, 6))
    unlike = tuple((5.0 / i, 50.0 / i, 4.0 / i) for i in range(1, 6))
    for losses in (rising, unlike):
        assert "columns.loss" in asked(read, curves("step,foo,bar", losses=losses))


def test_a_charts_minima_and_maxima_are_no_runs(read: Read) -> None:
    for run in ("run-a - val/loss", "gpt-20M"):
        header = f'"Step","{run}","{run}__MIN","{run}__MAX"\n'
        runs = read(
            header + "".join(f"{s},{v},{v - 0.1:.1f},{v + 0.1:.1f}\n" for s, (v, *_) in zip(STEPS, LOSSES, strict=True))
        )
        assert runs.kept["loss"].tolist() == [4.3], run
    frame = pd.DataFrame({"Step": STEPS, "a - val/loss": [r[0] for r in LOSSES], "a - val/loss__MIN": [1.0] * 5})
    assert read_runs(frame).kept["loss"].tolist() == [4.3]


def test_runs_logged_at_places_of_their_own_and_one_that_diverged(read: Read) -> None:
    sparse = "step,AdamW,Muon\n100,5.1,\n150,,4.9\n200,4.1,\n250,,3.9\n300,3.8,\n350,,3.7\n"
    assert ends(read(sparse), "run", "steps", "loss") == [["AdamW", 300, 3.8], ["Muon", 350, 3.7]]
    diverged = read("step,20M,50M\n100,5.1,5.0\n200,4.1,4.9\n300,3.8,nan\n400,3.7,nan\n")
    assert diverged.kept["run"].tolist() == ["20M"]
    assert diverged.set_aside["run"].tolist() == ["50M"]


def test_a_grid_of_tokens_stays_one(read: Read) -> None:
    assert len(read(curves("tokens,20M,50M,125M", TOKENS))) == 15
    log = tuple((7 - 0.1 * i, 6.8 - 0.1 * i, 6.6 - 0.1 * i) for i in range(20))
    assert len(read(curves("tokens,20M,50M,125M", tuple(f"{i}e9" for i in range(1, 21)), log))) == 3


def test_a_person_may_say_that_one_column_is_the_loss(read: Read) -> None:
    runs = read(curves("step,foo,bar"), columns={"loss": "bar"})
    assert ends(runs, "steps", "loss") == [[500, 3.9]]
    assert asked(read, curves("step,foo,bar"), columns={"run": None}) == ["columns.loss"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 900), min_size=2, max_size=6, unique=True),
    form=st.sampled_from(("{}M", "gpt-{}M", "{}M-cosine", "val_loss_{}M", "{}M loss")),
    counter=st.sampled_from(("step", "Step", "iteration", "global_step")),
    rows=st.integers(3, 12),
)
def test_every_size_and_its_last_loss_are_read(
    read: Read, sizes: list[int], form: str, counter: str, rows: int
) -> None:
    table = [[100 * (i + 1), *(f"{2 + 3 / (i + 1) + j / 100:.4f}" for j in range(len(sizes)))] for i in range(rows)]
    text = "\n".join(",".join(map(str, row)) for row in [[counter, *map(form.format, sizes)], *table])
    runs = read(text)
    truth = [[1e6 * n, 100.0 * rows, float(f"{2 + 3 / rows + j / 100:.4f}")] for j, n in enumerate(sizes)]
    assert ends(runs, "params", "steps", "loss") == truth
