"""Losses of several seeds in columns side by side: one run a seed, of which the noise can be estimated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]

LOSSES = ((3.10, 3.13, 3.07), (2.90, 2.92, 2.87), (2.70, 2.73, 2.66))


def table(header: str, seeds: tuple[int, ...] = (0, 1, 2), more: str = "", mean: bool = False) -> str:
    heads = [header.format(k) for k in seeds] + (["loss_mean"] if mean else [])
    lines = [
        ",".join(
            [f"r{i}", f"{i}e8", f"{i}e9", *more, *(f"{v}" for v in row), *([f"{sum(row) / 3:.4f}"] if mean else [])]
        )
        for i, row in enumerate(LOSSES, start=1)
    ]
    return ",".join(["run", "params", "tokens", *more, *heads]) + "\n" + "\n".join(lines) + "\n"


HEADERS = (
    "loss_seed{}", "loss_seed_{}", "loss_s{}", "val_loss (seed {})", "loss seed={}", "loss/seed{}", "seed{}/loss", "seed_{}_val_loss",
    "Loss (s{})", "loss[seed={}]", "eval loss rep {}", "lossSeed{}", "val_loss_replicate{}", "s{}_loss",
)  # fmt: skip


@pytest.mark.parametrize(("header", "seeds"), side_by_side(HEADERS, [(0, 1, 2), (1337, 42, 7)]))
def test_each_seed_is_a_run(read: Read, header: str, seeds: tuple[int, ...]) -> None:
    runs = read(table(header, seeds))
    assert runs.kept["loss"].tolist() == [v for row in LOSSES for v in row]
    assert runs.kept["seed"].tolist() == [str(s) for s in seeds] * 3
    assert runs.kept["params"].tolist() == [1e8] * 3 + [2e8] * 3 + [3e8] * 3
    assert runs.kept["run"].tolist() == [f"r{i}, seed {s}" for i in (1, 2, 3) for s in seeds]
    assert any("read as one run a seed" in note for note in runs.notes)
    assert not runs.questions


def test_units_stay_and_a_missing_seed_is_no_run(read: Read) -> None:
    text = "run,params,tokens,ppl_seed0,ppl_seed1\na,1e8,1e9,20,21\nb,2e8,2e9,18,\n"
    runs = read(text)
    assert runs.kept["loss"].tolist() == pytest.approx([2.9957323, 3.0445224, 2.8903718])
    assert any("1 empty cell is no run" in note for note in runs.notes)


def test_the_mean_beside_them_is_left_out(read: Read) -> None:
    runs = read(table("loss_seed{}", mean=True))
    assert len(runs) == 9
    assert any("'loss_mean' holds their mean" in note for note in runs.notes)
    with pytest.raises(MappingNeeded):
        read(table("loss_seed{}", mean=True).replace("3.1000", "2.5000").replace("2.8967", "2.1"))


def test_training_and_held_out_losses_of_each_seed(read: Read) -> None:
    head = ",".join(f"{s}_loss_seed{k}" for s in ("train", "val") for k in (0, 1))
    runs = read(f"run,params,tokens,{head}\na,1e8,1e9,3.0,3.1,3.2,3.3\nb,2e8,2e9,2.8,2.9,3.0,3.1\n")
    assert runs.kept["loss"].tolist() == [3.2, 3.3, 3.0, 3.1]


@pytest.mark.parametrize("names", [True, False])
def test_curves_of_seeds(read: Read, names: bool) -> None:
    rows = "".join(
        f"{n}{s},{s}e6,{4 - s / 1000},{4.1 - s / 1000}\n"
        for n in (("a,", "b,") if names else ("",))
        for s in range(100, 900, 100)
    )
    runs = read(("run," if names else "") + "step,tokens,loss_seed1,loss_seed2\n" + rows)
    assert runs.kept["loss"].tolist() == pytest.approx([3.2, 3.3] * (2 if names else 1))
    assert runs.kept["tokens"].tolist() == [8e8] * (4 if names else 2)


@pytest.mark.parametrize("header", ["loss_{}", "loss_domain_{}", "loss_run{}", "loss_step{}", "losses{}"])
def test_other_numbers_are_no_seeds(read: Read, header: str) -> None:
    with pytest.raises(MappingNeeded) as caught:
        read(table(header, (1, 2, 3)))
    assert "columns.loss" in {q.key for q in caught.value.questions}


def test_a_column_of_seeds_stays_what_it_is(read: Read) -> None:
    text = "run,seed,params,tokens,loss_seed0,loss_seed1\na,0,1e8,1e9,3.1,3.2\nb,1,2e8,2e9,2.9,3.0\n"
    with pytest.raises(MappingNeeded):
        read(text)


# Columns called by their split alone ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "train"),
    side_by_side(
        ["val", "validation", "validate", "Validation", "eval", "test", "held-out", "dev", "valid"],
        ["train", "training", "train_loss", "loss", "Train"],
    ),
)
def test_a_split_alone_is_its_loss_beside_the_training_loss(read: Read, held: str, train: str) -> None:
    runs = read(f"run,params,tokens,{train},{held}\na,1e8,1e9,3.0,3.11\nb,2e8,2e9,2.8,2.91\n")
    assert runs.kept["loss"].tolist() == [3.11, 2.91]


def test_a_split_alone_that_is_no_loss(read: Read) -> None:
    runs = read("run,params,tokens,loss,val\na,1e8,1e9,3.0,0.31\nb,2e8,2e9,2.8,0.42\n")  # an accuracy
    assert runs.kept["loss"].tolist() == [3.0, 2.8]
    counts = read("run,params,tokens,loss,test\na,1e8,1e9,3.0,3\nb,2e8,2e9,2.8,4\n")
    assert counts.kept["loss"].tolist() == [3.0, 2.8]
    for text in (
        "run,params,tokens,val\na,1e8,1e9,3.11\nb,2e8,2e9,2.9\n",
        "run,params,tokens,train,val,test\na,1e8,1e9,3,3.1,3.2\nb,2e8,2e9,2.8,2.9,3.1\n",
    ):
        with pytest.raises(MappingNeeded) as caught:
            read(text)
        assert [(q.key, q.guess) for q in caught.value.questions] == [("columns.loss", "val")]


def test_columns_called_by_their_seeds_alone_are_all_read(read: Read) -> None:
    for names in ("s{}", "trial{}", "run {}", "seed {}", "Seed_{}", "loss trial{}"):
        head = ",".join(names.format(k) for k in (0, 1, 2))
        runs = read(f"N,D,{head}\n25e6,5e8,4.1,4.12,4.09\n124e6,2e9,3.4,3.41,3.39\n354e6,7e9,3.0,3.02,2.99\n")
        assert runs.kept["loss"].tolist() == [4.1, 4.12, 4.09, 3.4, 3.41, 3.39, 3.0, 3.02, 2.99], names
        assert runs.kept["params"].tolist() == [25e6] * 3 + [124e6] * 3 + [354e6] * 3, names


def test_numbered_columns_that_are_not_alike_are_no_seeds(read: Read) -> None:
    for body in (
        "25e6,5e8,4.1,2.1\n124e6,2e9,3.4,1.9\n",
        "25e6,5e8,4,4\n124e6,2e9,3,3\n",
        "25e6,5e8,400.1,410.2\n124e6,2e9,1,2\n",
    ):
        with pytest.raises(MappingNeeded):
            read("N,D,run 1,run 2\n" + body)


def test_runs_before_a_slash_in_a_chart_are_one_run_each(read: Read) -> None:
    rows = "100,4.1,3.9,3.7\n200,3.9,3.7,3.5\n300,3.8,3.6,3.4\n"
    names = [
        ("25M-lr3e-4-0", "77M-lr3e-4-0", "124M-lr1e-4-0"),
        ("25M-a", "77M-a", "1.3B-b"),
        ("run-0", "run-1", "run-2"),
    ]
    names += [("lr1e-3,bs64", "lr3e-4,bs64", "lr1e-4,bs64")]
    metrics = ("val_loss", "val/loss", "loss")  # of which one has the sign that may stand before it
    for (runs, metric), between in side_by_side([(n, m) for n in names for m in metrics], ("/", ".", ": ")):
        head = ",".join(f'"{r}{between}{metric}"' for r in runs)
        found = read(f"Step,{head}\n{rows}")
        assert sorted(found.kept["run"]) == sorted(runs), (runs, between, metric)
        assert sorted(found.kept["loss"]) == [3.4, 3.6, 3.8], (runs, between, metric)
    for others in (
        ("c4", "pile", "wikitext103"),
        ("alpha", "beta", "gamma"),
        ("train", "val", "test2"),
        ("layer1", "layer2", "layer3"),
    ):
        head = ",".join(f"{o}/val_loss" for o in others)
        with pytest.raises(MappingNeeded):
            read(f"Step,{head}\n{rows}")
