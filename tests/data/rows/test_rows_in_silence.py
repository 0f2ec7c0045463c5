"""Rows that are runs or checkpoints, where a table once was read wrong without a word: right, asked or said."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence

import pytest

from data import MappingNeeded, Runs
from data.filenames.steps import model_of
from tests.data.cases import side_by_side

Read = Callable[..., Runs]
Row = Sequence[object]
SIZES = {"44M": 43877306, "77M": 79287116, "210M": 207551714}


def table(header: str, rows: Sequence[Row]) -> str:
    return header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def loss(n: float, d: float) -> str:
    return f"{1.69 + 406 / n**0.34 + 411 / d**0.28:.4f}"


def told(runs: Runs) -> bool:
    """Whether a person is told that the rows may be something else."""
    return any(q.key == "rows" for q in runs.questions)


def outcome(read: Read, text: str, **answers: object) -> tuple[int | str, bool]:
    """How many runs were read, "asked" for none yet; and whether a person is told that the rows may be something else."""
    try:
        runs = read(text, **answers)
    except MappingNeeded as e:
        return "asked" if [q.key for q in e.questions] == ["rows"] else str(e), True
    return len(runs), told(runs)


def test_the_order_of_lines_alone_decides_nothing_in_silence(read: Read) -> None:
    """Each label and counter meets one of the numbers of rows, in every order; each label and each counter meets all numbers."""
    rng = random.Random(0)
    numbers = itertools.cycle(((3, False), (5, True), (12, False)))
    for label in ("", "model", "name", "config", "run", "exp"):
        for counter in ("step", "tokens", *(("iter", "tokens_seen") if label in ("", "name") else ())):
            rows_each, even = next(numbers)
            rows = []
            for name, n in SIZES.items():
                steps = (
                    [1000 * (i + 1) for i in range(rows_each)]
                    if even
                    else sorted(rng.sample(range(500, 9000), rows_each))
                )
                for s in steps:
                    d = s * 524288
                    rows.append(([name] if label else []) + [n, s if counter in ("step", "iter") else d, loss(n, d)])
            at = bool(label) + 1
            orders = {
                "rising": rows,
                "falling": rows[::-1],
                "along": sorted(rows, key=lambda r: r[at]),
                "none": rng.sample(rows, len(rows)),
            }
            header = f"{label + ',' if label else ''}params,{counter},val_loss"
            got = {order: outcome(read, table(header, own)) for order, own in orders.items()}
            silent = {many for many, said in got.values() if not said}
            assert len(silent) < 2, (label, counter, rows_each, even, got)
            if label in ("model", "name", "config", "exp") and counter in ("step", "iter"):
                assert got["rising"] == (3, False), (label, counter, got)
                assert got["none"] == ("asked", True), (label, counter, got)
            if label == "run" and counter in ("step", "iter"):
                assert set(got.values()) == {(3, False)}, (counter, got)


def test_an_answer_makes_the_same_runs_of_rows_in_any_order(read: Read) -> None:
    rows = [
        [name, n, s, loss(n, s * 524288), 524288] for name, n in SIZES.items() for s in (1870, 1760, 6230, 8400, 9610)
    ]
    header = "Model,parameters,step,val_loss,tokens_per_step"
    for own in (rows, rows[::-1], random.Random(1).sample(rows, len(rows))):
        runs = read(table(header, own), rows="checkpoints")
        assert sorted(zip(runs.kept["run"], runs.kept["steps"], strict=True)) == [
            ("210M", 9610),
            ("44M", 9610),
            ("77M", 9610),
        ]
        assert len(read(table(header, own), rows="runs")) == 15


def test_rows_in_no_order_with_rates_of_their_own_are_runs(read: Read) -> None:
    rows = [
        ("c0", 24694387, 9000, 1179648000, 4.1084, 0.001), ("c1", 24694387, 5000, 655360000, 4.3199, 0.0006),
        ("c2", 24694387, 8000, 1048576000, 4.1481, 0.0006), ("c3", 24694387, 29000, 3801088000, 3.7782, 0.0006),
        ("c4", 78180531, 25000, 3276800000, 3.4168, 0.0003), ("c5", 78180531, 7000, 917504000, 3.7971, 0.0006),
        ("c6", 78180531, 2000, 262144000, 4.33, 0.0006), ("c7", 78180531, 28000, 3670016000, 3.3891, 0.001),
    ]  # fmt: skip
    for counter, names in (("iter", ("config", "run")), ("step", ("name", "experiment"))):
        for name in names:
            runs = read(table(f"{name},params,{counter},tokens,val_loss,lr", rows))
            assert runs.kept["run"].tolist() == [r[0] for r in rows], (name, counter)
            assert runs.history is None
        without = [r[1:] for r in rows]
        assert outcome(read, table(f"params,{counter},tokens,val_loss,lr", without)) == (8, True)
        assert outcome(read, table(f"params,{counter},tokens,val_loss,lr", sorted(without))) == ("asked", True)
    decaying = [
        (n, s, s * 131072, loss(n, s * 131072), 1e-3 * (1 - s / 50000))
        for n in SIZES.values()
        for s in (2000, 7000, 25000)
    ]
    assert outcome(read, table("params,step,tokens,val_loss,lr", decaying)) == (3, False)  # the rate of a schedule


def test_plans_that_differ_from_row_to_row_are_of_different_runs(read: Read) -> None:
    rows = [
        ("sweep0", 25465950, 348651520, 4.5888, 2660), ("sweep0", 25465950, 760217600, 4.2462, 5800),
        ("sweep0", 25465950, 882114560, 4.1831, 6730), ("sweep1", 77123456, 400000000, 4.3, 3052),
        ("sweep1", 77123456, 700000000, 4.0, 5341), ("sweep1", 77123456, 1200000000, 3.8, 9155),
    ]  # fmt: skip
    for name, own in side_by_side(("run", "config", "name", "id"), (rows, rows[::-1])):
        assert outcome(read, table(f"{name},N,tokens_seen,val_loss,total_steps", own)) == (6, True), name
    even = [(name, n, d, y, 1000 * (i % 3 + 1)) for i, (name, n, d, y, _) in enumerate(rows)]
    assert outcome(read, table("run,N,tokens_seen,val_loss,total_steps", even)) == ("asked", True)  # or a counter
    same = [(*r[:4], 6730 if r[0] == "sweep0" else 9155) for r in rows]
    assert outcome(read, table("run,N,tokens_seen,val_loss,total_steps", same)) == (2, False)


PLACES = {
    "checkpoint": ("step_183", "step_457", "final"), "ckpt": ("step-183", "step-457", "step-915"),
    "% of training": ("25 %", "50 %", "100 %"), "training progress": ("0.25", "0.5", "1.0"), "percent of run": ("25", "50", "100"),
}  # fmt: skip


def test_a_column_that_says_how_far_a_run_had_come_makes_checkpoints(read: Read) -> None:
    steps = (183, 457, 915)
    for i, (header, places) in enumerate(PLACES.items()):
        for j, names in enumerate((("run0", "run1"), ("25M", "78M"))):
            column = ("config", "name", "experiment", "model")[(i + 2 * j) % 4]
            rows = [
                (name, n, place, s * 131072, loss(n, s * 131072))
                for name, n in zip(names, (24540000, 78540000), strict=True)
                for place, s in zip(places, steps, strict=True)
            ]
            own = (rows, random.Random(2).sample(rows, 6))[(i // 2 + j) % 2]
            text = table(f"{column},params,{header},tokens,val_loss", own)
            runs = read(text)
            assert told(runs), (header, names, column)
            assert sorted(runs.kept["run"]) == sorted(names), (header, column)
            apart = read(text, rows="runs")
            assert len(apart) + len(apart.set_aside) == 6, (header, column)  # unfinished ones set aside
    backwards = [("a", 2e7, p, d, 4.0) for p, d in zip(PLACES["checkpoint"], (3e8, 2e8, 1e8), strict=True)]
    assert outcome(read, table("name,params,checkpoint,tokens,val_loss", backwards)) == ("asked", True)


def test_a_name_that_repeats_over_rising_tokens_is_asked_about(read: Read) -> None:
    rows = [("run1", 24540000, 0.0599, 5.8), ("run2", 78540000, 0.0239, 6.1), ("run1", 24540000, 0.0239, 6.4743),
            ("run2", 78540000, 0.1199, 4.9), ("run1", 24540000, 0.1199, 5.3), ("run2", 78540000, 0.0599, 5.4)]  # fmt: skip
    for name in ("config", "name", "experiment", "exp"):
        assert outcome(read, table(f"{name},params,tokens (B),val_loss", rows)) == ("asked", True), name


STEPPED = (
    "checkpoint-{}", "step_{}", "ckpt_{}.pt", "iter_{:07d}", "checkpoint_step_{}.pt", "model_step_{}.safetensors", "step={}.ckpt",
    "epoch_1_step_{}", "global_step{}", "pytorch_model-step-{}.bin", "model-iter{}.pth", "ckpt-step{}", "checkpoint_{}_steps", "{} steps",
    "checkpoint {}", "checkpoints/step_{}", "iter_{:07d}.pt",
    "checkpoint-{}/", "step_{}/model.safetensors",
)  # fmt: skip


def test_checkpoints_named_by_their_step_are_of_one_run_of_each_setting(read: Read) -> None:
    for form in STEPPED:
        assert model_of(form.format(1000)) == "", form
        sizes = [12144000, 110144000]
        rows = [
            (form.format(s), s, n, s * 262144, loss(n, s * 262144)) for n in sizes for s in (1000, 2000, 3000, 10000)
        ]
        every = form in STEPPED[:2]
        if not every and STEPPED.index(form) % 3:
            continue  # what it says of its model was asked above
        for column in ("checkpoint", "name") if every else ("checkpoint",):
            for own in (rows, sorted(rows), rows[:4]) if every else (rows,):
                runs = read(table(f"{column},step,params,tokens,val_loss", own))
                assert len(runs) == len({r[2] for r in own}), (form, column)
                assert set(runs.kept["tokens"]) == {2621440000}, form
                assert [q.key for q in runs.questions] == ["rows"], form
    numbered = [(f"{s}.pt", 1e8, s * 262144, loss(1e8, s * 262144)) for s in (1000, 2000, 10000)]
    assert outcome(read, table("checkpoint,params,tokens,val_loss", numbered)) == (1, True)
    for form in (
        "{}_step_{}.pt",
        "{}-checkpoint-{}",
        "{}/checkpoint-{}/model.safetensors",
        "{}/iter_{}",
        "{}_ckpt_{}.safetensors",
    ):
        rows = [
            (form.format(name, s), s, n, s * 262144, loss(n, s * 262144))
            for name, n in (("12m", 12144000), ("110m", 110144000))
            for s in (1000, 2000, 4000)
        ]
        assert read(table("checkpoint,step,params,tokens,val_loss", rows)).kept["run"].tolist() == ["12m", "110m"], form


def test_steps_in_the_order_of_a_listing_of_files_are_a_curve(read: Read) -> None:
    rows = [(s, 110144000, s * 262144, loss(1e8, s * 262144)) for s in (1000, 10000, 2000, 3000)]
    assert outcome(read, table("step,params,tokens,val_loss", rows)) == (1, True)
    assert outcome(read, table("file,step,params,tokens,val_loss", [(f"m/{r[0]}", *r) for r in rows])) == (1, True)
    assert outcome(read, table("step,params,tokens,val_loss", [rows[i] for i in (2, 1, 0, 3)])) == ("asked", True)
    two = [(n, *r[:1], *r[2:]) for n in (11014400, 110144000) for r in rows]
    assert outcome(read, table("params,step,tokens,val_loss", two)) == (2, True)


@pytest.mark.parametrize("column", ["config", "configuration", "config_name"])
def test_a_column_of_configurations_names_runs_where_nothing_else_does(read: Read, column: str) -> None:
    beside = read(f"model,{column},params,tokens,val_loss\na,x,1e8,2e9,3.2\nb,x,2e8,4e9,3.0\nc,x,4e8,8e9,2.8\n")
    assert beside.kept["run"].tolist() == ["a", "b", "c"]
    alone = read(f"{column},params,tokens,val_loss\nx,1e8,2e9,3.2\ny,2e8,4e9,3.0\nz,4e8,8e9,2.8\n")
    assert alone.kept["run"].tolist() == ["x", "y", "z"]


def test_epochs_counted_from_the_first_are_of_one_training(read: Read) -> None:
    losses = [2.40, 2.24, 2.15, 2.12]
    for first in (0, 1):
        for k, beside in enumerate(("", "tokens_seen", "train_loss", "params")):
            n = 2 + (k + 2 * first) % 3
            rows = [[first + i, *(f"{i + 1}e9" for _ in [beside] if beside), losses[i]] for i in range(n)]
            if beside == "params":
                rows = [[first + i, size, losses[i]] for size in (44000000, 77000000) for i in range(n)]
            header = f"epoch,{beside + ',' if beside else ''}val_loss"
            if beside == "train_loss":
                rows = [[epoch, value, value] for epoch, _, value in rows]
            runs = read(table(header, rows))
            case = header, first, n
            assert runs.kept["loss"].tolist() == [losses[n - 1]] * (1 + (beside == "params")), case
            assert [q.guess for q in runs.questions if q.key == "rows"] == ["checkpoints"], case
    for epochs in ((1, 2, 4), (2, 3, 4), (3, 1, 2)):  # lengths of runs, as likely
        own, told = outcome(read, table("epoch,val_loss", list(zip(epochs, losses, strict=False))))
        assert told or own == 1, (epochs, own)


def test_a_step_that_is_no_plain_number_ends_no_curve(read: Read) -> None:
    """The number in front of a last step is its place; a word or a bound is none, and its row no run of its own."""
    at = [(100, "100000000", 5.0), (500, "500000000", 4.0), (1000, "1000000000", 3.7), (1500, "1500000000", 3.5)]
    names = ("", "a", "b")
    for i, (cell, tokens, said) in enumerate(
        (
            ("3000+", "", (1.5e9, 3.5)),
            (">3000", "", (1.5e9, 3.5)),
            (">3000 (final)", "", (1.5e9, 3.5)),
            ("3000+", "3000000000", (3e9, 3.2)),
            ("3000 (final)", "3000000000", (3e9, 3.2)),
            ("3000 - final", "", (3e9, 3.2)),
            ("last", "3000000000", (3e9, 3.2)),
            ("last", "", (1.5e9, 3.5)),
            ("baseline", "", (1.5e9, 3.5)),
        )
    ):
        named = (names[:1], names[1:])[i % 2]
        rows = [[*([n] if n else []), *row] for n in named for row in [*at, (cell, tokens, 3.2)]]
        header = f"{'run,' if named[0] else ''}step,tokens,loss"
        runs = read(table(header, rows))
        got = runs.kept[["tokens", "loss"]].values.tolist()
        assert got == [pytest.approx(said)] * len(named), (cell, tokens, named)
        assert any(cell in note for note in runs.notes), (cell, tokens, named)


def test_no_tokens_follow_from_a_bound_on_steps(read: Read) -> None:
    sizes = ("10M", "20M", "40M", "80M", "90M")
    written = [("tokens,", [f"{n}M," for n in (20, 30, 40, 50, 60)]), ("", [""] * 5)]
    for i, cell in enumerate(("3,000+", "3k+", ">3000", "≥ 3000", "3000 +", "> 3000 (final)")):
        header, tokens = written[i % 2]
        steps = ("2000", f'"{cell}"', "4000", "5000", "6000")
        told = [t if i != 1 or not t else "—," for i, t in enumerate(tokens)]
        rows = "".join(f"r{i},{sizes[i]},10000,{steps[i]},{told[i]}{5 - i / 4}\n" for i in range(5))
        runs = read(f"run,params,batch tokens,steps,{header}loss\n{rows}")
        assert runs.kept["tokens"].tolist() == [2e7, 4e7, 5e7, 6e7], (cell, header)
        assert runs.reasons == {"no tokens": 1}, (cell, header)
        assert any(cell in n for n in runs.notes), (cell, header)
    bound = read("run,params,tokens,loss\na,10M,20M,5.1\nb,20M,30M+,4.6\nc,40M,40M,4.3\n")
    assert bound.reasons == {"tokens is a bound and not a number ('30M+')": 1}


def test_trainings_side_by_side_are_told_apart_by_their_text(read: Read) -> None:
    def curve(steps: Sequence[int], text: str, gain: float) -> list[tuple[int, str, str]]:
        return [(s, text, f"{5 - i / 20 - gain:.3f}") for i, s in enumerate(steps)]

    resumed = [*range(1000, 7000, 1000), 5000, 6000, 7000, 8000, 9000]
    labels = itertools.cycle(("optimizer", "mixer", "norm", "activation", "kind"))
    for steps in (range(1000, 4000, 1000), range(1000, 21000, 1000), resumed):
        one, two = curve(steps, "adamw", 0.0), curve(steps, "muon", 0.2)
        mixed = [row for pair in zip(one, two, strict=True) for row in pair]
        for order in (mixed, [*one, *two]):
            ways: list[tuple[str, str, list[int]]] = [
                ("step", "", []),
                ("step", "params,", [124000000]),
                ("tokens_seen", "", []),
            ]
            for counter, beside, cells in ways:  # the label is of no weight but for "kind", which meets every way
                label = next(labels)
                at = [(text, *cells, s if counter == "step" else f"{s}e5", v) for s, text, v in order]
                own = table(f"{label},{beside}{counter},val_loss", at)
                case = label, beside, counter, len(steps), order is mixed
                if counter == "tokens_seen" and len(steps) < 5:  # as under one setting: people write both
                    assert outcome(read, own) == (len(at), True), case
                    continue
                runs = read(own)
                assert runs.kept["run"].tolist() == ["adamw", "muon"], case
                assert runs.kept["loss"].tolist() == [float(one[-1][2]), float(two[-1][2])], case
                told = any(q.key == "rows" for q in runs.questions)
                assert told == (label == "kind"), case
    answered = read(table("kind,step,val_loss", [(text, s, v) for s, text, v in mixed]), rows="checkpoints")
    assert answered.kept["run"].tolist() == ["adamw", "muon"]
    few = table("optimizer,step,val_loss", [(text, s, v) for s, text, v in mixed[:4]])
    assert outcome(read, few) == (4, True)
    assert outcome(read, few, rows="checkpoints")[0] == 2


def test_words_under_a_header_of_a_quantity_name_runs(read: Read) -> None:
    ends = [("dense", 6100, 1.6227), ("MoE", 6100, 1.7496), ("MoE first", 7000, 1.6191), ("MoE end", 12200, 1.4925)]
    ends = [*ends, ("dense control", 12200, 1.5043)]
    for label in ("held-out tokens", "tokens of", "at step", "variant"):
        rows = [(name, step, step * 32768, v) for name, step, v in ends]
        runs = read(table(f"{label},step,tokens,val_loss", rows))
        assert runs.kept[["run", "loss"]].values.tolist() == [[name, v] for name, _, v in ends], label
        both = [(text, s, v - gain) for s, v in zip((100, 200, 300), (5.0, 4.0, 3.5), strict=True)
                for text, gain in (("dense", 0.0), ("MoE", 0.25))]  # fmt: skip
        runs = read(table(f"{label},step,val_loss", both))
        assert runs.kept[["run", "loss"]].values.tolist() == [["dense", 3.5], ["MoE", 3.25]], label
    counted = [(f"{s} of 500", s, 5 - s / 1000) for s in range(100, 600, 100)]
    assert len(read(table("steps done,step,val_loss", counted)).kept) == 1


def test_many_places_of_every_size_are_asked_about_where_no_name_tells(read: Read) -> None:
    """Sweeps have up to eleven lengths of a size, mostly in ratios; a log has more of them, at regular intervals."""
    for counter, many, ratio, want in (
        ("tokens", 6, 0.0, (18, False)), ("tokens", 10, 2.0, (30, False)), ("tokens", 10, 0.0, ("asked", True)),
        ("tokens", 40, 0.0, ("asked", True)), ("flops", 20, 0.0, ("asked", True)), ("steps", 20, 0.0, ("asked", True)),
        ("tokens", 24, 1.3, ("asked", True)),
    ):  # fmt: skip
        rows = []
        for n in SIZES.values():
            for i in range(1, many + 1):
                d = 2e8 * (ratio**i if ratio else i)
                at = {"tokens": f"{d:.0f}", "flops": f"{6 * n * d:.6g}", "steps": f"{d / 2e5:.0f}"}[counter]
                rows.append((n, at, 3e-4, loss(n, d)))
        own = rows if many > 10 else random.Random(3).sample(rows, len(rows))
        text = table(f"params,{counter},lr,val_loss", own)
        assert outcome(read, text) == want, (counter, many, ratio)
        if many == 20:
            assert len(read(text, rows="runs")) == len(rows)
            ends = sorted(read(text, rows="checkpoints").kept["loss"])
            assert ends == sorted(float(r[3]) for r in rows[many - 1 :: many]), (counter, many)
    sweep = [(n, i * 2e8, lr, loss(n * (1 + lr), i * 2e8)) for n in SIZES.values() for lr in (1e-3, 3e-4)
             for i in range(1, 21)]  # fmt: skip
    text = table("params,tokens,lr,val_loss", sweep)
    assert outcome(read, text) == ("asked", True)
    assert len(read(text, rows="checkpoints")) == 6  # a curve for each size and rate


def test_a_grid_of_a_column_a_size_may_hold_curves(read: Read) -> None:
    """Rows that are steps, or many places of tokens, are the checkpoints of the model above each column."""
    for corner, many, want in (
        ("tokens / params", 4, (12, False)), ("tokens / params", 20, ("asked", True)), ("step / params", 4, ("asked", True)),
        ("step / params", 20, ("asked", True)), ("step \\ size", 12, ("asked", True)), ("tokens (M) / params", 12, ("asked", True)),
        ("epoch / params", 4, (3, True)), ("params / tokens", 20, ("asked", True)), ("params / step", 4, ("asked", True)),
    ):  # fmt: skip
        unit = 1000 if "step" in corner else 1 if "epoch" in corner else 500 if "(M)" in corner else 500_000_000
        cells = [[loss(n, 5e8 * i) for n in SIZES.values()] for i in range(1, many + 1)]
        rows = [[unit * i, *row] for i, row in enumerate(cells, start=1)]
        text = table(",".join([corner, *SIZES]), rows)
        if corner.startswith("params"):
            sides = zip(SIZES, zip(*cells, strict=True), strict=True)
            text = table(",".join([corner, *(str(r[0]) for r in rows)]), [[size, *own] for size, own in sides])
        assert outcome(read, text) == want, (corner, many)
        if want[0] == "asked" and many < 20:
            runs = read(text, rows="runs")
            assert len(set(runs.kept["run"])) == 3 * many, corner
            ends = read(text, rows="checkpoints").kept
            assert sorted(ends["loss"]) == sorted(map(float, cells[-1])), corner
            assert len(ends) == 3, corner


def test_names_of_checkpoints_that_share_a_size_are_asked_about(read: Read) -> None:
    """A column called checkpoint over names that say no step: runs where each has a size of its own, else asked."""
    sizes, at = (44_000_000, 210_000_000), (1e9, 2e9, 4e9)
    models = [f"gpt-{s}-{w}" for s in ("small", "large") for w in ("early", "mid", "late")]
    for header, own_names in (
        ("ckpt name", ("abcdef", models, "xyzxyz")), ("checkpoint", (models,)), ("ckpt", ("xyzxyz",)), ("Checkpoint name", ("abcdef",)),
    ):  # fmt: skip
        for names in own_names:
            rows = [(names[3 * j + i], n, int(d), loss(n, d)) for j, n in enumerate(sizes) for i, d in enumerate(at)]
            text = table(f"{header},params,tokens,val_loss", rows)
            assert outcome(read, text) == ("asked", True), (header, names)
        if names == "xyzxyz":
            assert len(read(text, rows="runs")) == 6
            assert read(text, rows="checkpoints").kept["tokens"].tolist() == [4e9, 4e9]
        own = [(c, n, 20 * n, loss(n, 20 * n)) for c, n in zip("abc", SIZES.values(), strict=True)]
        runs = read(table(f"{header},params,tokens,val_loss", own))
        assert (runs.kept["run"].tolist(), runs.questions) == (["a", "b", "c"], ()), header
        same = [(c, n, 10**9, loss(n, 1e9)) for c, n in zip("abcd", (*sizes, *sizes), strict=True)]
        assert outcome(read, table(f"{header},params,tokens,val_loss", same)) == (4, False), header


EXPERTS = {"experts": (8, 16, 32), "top_k": (1, 2, 4), "tokens": (1e10, 2e10, 4e10), "step": (1000, 2000, 4000)}


def test_experts_tell_runs_of_one_name_apart(read: Read) -> None:
    """Mixtures that share a name and differ in their experts are runs, whatever their tokens and the words of the loss's header."""
    ways = (
        ("run", "experts", "tokens", "validation loss on the fixed held-out set"), ("run", "top_k", "step", "val_loss"),
        ("model", "experts", "step", "validation loss on the fixed held-out set"), ("model", "top_k", "tokens", "val_loss"),
        ("name", "experts", "tokens", "val_loss"), ("name", "top_k", "step", "validation loss on the fixed held-out set"),
    )  # fmt: skip
    for label, column, counter, header in ways:
        rows = [
            (name, c, 10**8, int(p), 3.5 - i / 10)
            for name in ("MoE", "upcycled")
            for i, (c, p) in enumerate(zip(EXPERTS[column], EXPERTS[counter], strict=True))
        ]
        runs = read(table(f"{label},{column},params,{counter},{header}", rows))
        assert len(runs) == 6, (label, column, counter, header)
