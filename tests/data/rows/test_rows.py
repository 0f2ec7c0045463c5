"""What rows are: checkpoints of a run or runs of their own; what a file's name says; which loss of a curve is the run's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import DataError, MappingNeeded, Runs, read_runs
from data.filenames.columns import facts, run_names
from tests.data.cases import side_by_side

Read = Callable[..., Runs]

MODELS = {"tiny": 1e7, "small": 5e7, "base": 1e8, "large": 5e8}


def summary(
    columns: str, row: Callable[[str, float, float], str], lengths: tuple[float, ...] = (1e9, 2e9, 3e9, 4e9)
) -> str:
    lines = [f"{row(m, n, d)},{4 - i / 10 - d / 1e11}" for i, (m, n) in enumerate(MODELS.items()) for d in lengths]
    return f"{columns},loss\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(("counter", "constant"), side_by_side(
    [
        ("tokens_seen", lambda k: k * 1e6), ("step", lambda k: k * 100), ("_step", lambda k: k), ("epoch", lambda k: k),
        ("consumed_samples", lambda k: k * 64), ("elapsed time (s)", lambda k: k * 30), ("Relative Time (Process)", lambda k: k * 30.5),
        ("FLOPs so far", lambda k: k * 1e15), ("iteration", lambda k: k * 1000), ("tokens processed (M)", lambda k: k * 3),
    ],
    ["", "1e8", "1e8,cosine"],
))  # fmt: skip
def test_a_column_that_counts_progress_makes_one_curve(
    read: Read, counter: tuple[str, Callable[[int], float]], constant: str
) -> None:
    header, values = counter
    beside = {"": "", "1e8": "params,", "1e8,cosine": "params,schedule,"}[constant]
    rows = "".join(f"{constant + ',' if constant else ''}{values(k):g},{5 - k / 50:.4f}\n" for k in range(1, 86))
    runs = read(f"{beside}{header},loss\n{rows}", "curve.csv")
    assert runs.kept["run"].tolist() == ["curve"]
    assert runs.kept["loss"].tolist() == [3.3]
    assert runs.history is not None
    assert len(runs.history) == 85


def test_twelve_curves_are_twelve_runs_named_and_sized_by_their_files(tmp_path: Path) -> None:
    for n in (1.2e7, 5e7, 2e8):
        for d in (3e8, 1e9, 3e9, 1e10):
            rows = "".join(f"{d * k / 85:.0f},{2 + 8 / k**0.5:.5f}\n" for k in range(1, 86))
            (tmp_path / f"curve_N{n:g}_D{d:g}.csv").write_text(f"tokens_seen,loss\n{rows}")
    runs = read_runs(tmp_path)
    assert len(runs) == 12
    assert sorted(runs.kept["params"].unique()) == [1.2e7, 5e7, 2e8]
    assert sorted(runs.kept["tokens"].unique()) == pytest.approx([3e8, 1e9, 3e9, 1e10], rel=1e-6)
    assert runs.history is not None
    assert len(runs.history) == 12 * 85
    assert [q.key for q in runs.questions] == ["columns.params"]  # offered as a guess, and said so
    assert "12 files" in runs.questions[0].text
    assert sum("rows are its history" in n for n in runs.notes) == 1  # one note with a count, not twelve


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ("run,params,tokens,FLOPs (P)", lambda m, n, d: f"{m},{n},{d},{6 * n * d / 1e15}"),
        ("name,params,tokens", lambda m, n, d: f"{m},{n},{d}"),
        ("model,params,step,tokens", lambda m, n, d: f"{m},{n},{d / 1e6},{d}"),
        ("params,step,tokens", lambda m, n, d: f"{n},{d / 1e6},{d}"),
        ("model,params,checkpoint,tokens", lambda m, n, d: f"{m},{n},step{d / 1e6:.0f},{d}"),
        ("model,params,train steps,total_steps,tokens", lambda m, n, d: f"{m},{n},{d / 1e6},4000,{d}"),
        ("name,N,step", lambda m, n, d: f"{n / 1e6:.0f}M,{n},{d / 1e6}"),
    ],
)
def test_four_models_with_four_checkpoints_each_are_four_runs(
    read: Read, columns: str, row: Callable[[str, float, float], str]
) -> None:
    runs = read(summary(columns, row))
    assert len(runs) == 4
    assert runs.kept["params"].tolist() == list(MODELS.values())
    assert runs.history is not None
    assert len(runs.history) == 16


def test_a_grid_of_sizes_and_data_stays_sixteen_runs(read: Read) -> None:
    runs = read(summary("params,tokens", lambda m, n, d: f"{n},{d}"))
    assert len(runs) == 16
    assert runs.history is None
    sized = read(summary("name,params,tokens", lambda m, n, d: f"{n / 1e6:.0f}M,{n},{d}"))
    assert len(sized) == 16
    rated = read(summary("model,params,tokens,lr", lambda m, n, d: f"{m},{n},{d},{1e-3 / (d / 1e9)}"))
    assert len(rated) == 16  # a setting that varies from row to row


def test_a_model_at_four_lengths_is_asked_about(read: Read) -> None:
    text = summary("model,params,tokens,FLOPs (P)", lambda m, n, d: f"{m},{n},{d},{6 * n * d / 1e15}")
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert [q.key for q in caught.value.questions] == ["rows"]
    assert len(read(text, rows="checkpoints")) == 4
    assert len(read(text, rows="runs")) == 16
    with pytest.raises(DataError, match="rows is one of"):
        read(text, rows="both")


def test_a_model_at_two_lengths_is_two_runs_and_a_person_may_say_otherwise(read: Read) -> None:
    text = summary("model,params,tokens", lambda m, n, d: f"{m},{n},{d}", (1e9, 4e9))
    runs = read(text)
    assert len(runs) == 8
    assert [(q.key, q.guess, q.needed) for q in runs.questions] == [("rows", "runs", False)]
    assert len(read(text, rows="checkpoints")) == 4


@pytest.mark.parametrize(("n", "kept"), [(6, 6), (30, 1)])
def test_rows_along_a_plain_column_of_tokens(read: Read, n: int, kept: int) -> None:
    """Few are runs, many at regular intervals a log; between the two a person is asked."""
    text = "params,tokens,loss\n" + "".join(f"1e8,{k}e9,{4 - k / 50}\n" for k in range(1, n + 1))
    assert len(read(text)) == kept
    with pytest.raises(MappingNeeded, match="checkpoints of one run"):
        read("params,tokens,loss\n" + "".join(f"1e8,{k}e9,{4 - k / 50}\n" for k in range(1, 15)))


def test_rows_that_share_a_name_and_rise_are_its_curve(read: Read) -> None:
    """A resumed run logs some steps twice; the later row counts, and how many there were is said."""
    text = "run,step,loss\n" + "".join(
        f"r{r},{s},{4 - s / 1000 - r / 100}\n" for r in range(40) for s in [0, 100, 200, 200, 300, 400, 300, 400, 500]
    )
    runs = read(text)
    assert len(runs) == 40
    assert runs.kept["run"].tolist() == [f"r{r}" for r in range(40)]
    assert runs.kept["steps"].tolist() == [500] * 40
    assert runs.history is not None
    assert len(runs.history) == 40 * 6
    assert "120 rows repeat a place along their run; the later row of each counts." in runs.notes


def test_seeds_tell_curves_under_one_name_apart(read: Read) -> None:
    text = "name,seed,params,step,loss\n" + "".join(
        f"wide,{seed},1e8,{s},{4 - s / 1000 - seed / 100}\n" for seed in (0, 1, 2) for s in (100, 200, 300, 400)
    )
    runs = read(text)
    assert runs.kept["run"].tolist() == ["wide, seed 0", "wide, seed 1", "wide, seed 2"]
    assert runs.kept["loss"].tolist() == pytest.approx([3.6, 3.59, 3.58])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(5, 30), st.integers(0, 10), st.randoms(use_true_random=False))
def test_any_log_of_named_runs_comes_out_as_its_runs(n: int, length: int, repeats: int, random: object) -> None:
    import pandas as pd

    rng = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    rows = [(f"run-{r}", 10 * (s + 1), 5 - s / 100 + r) for r in range(n) for s in range(length)]
    rows += [rows[i] for i in rng.integers(0, len(rows), min(repeats, len(rows) // 3))]  # what a resume logs again
    order = rng.permutation(len(rows))
    frame = pd.DataFrame([rows[i] for i in order], columns=["run", "step", "loss"])
    runs = read_runs(frame)
    assert sorted(runs.kept["run"]) == sorted(f"run-{r}" for r in range(n))
    ends = dict(zip(runs.kept["run"], runs.kept["loss"], strict=True))
    assert ends == pytest.approx({f"run-{r}": 5 - (length - 1) / 100 + r for r in range(n)})


# Which loss of a curve is the run's ----------------------------------------------------------------------------------

CURVE = "run,params,step,loss,accuracy\n" + "".join(
    f"a,1e8,{s},{loss},{acc}\n" for s, loss, acc in ((1, 4.0, 0.1), (2, 3.0, 0.3), (3, 3.2, 0.4), (4, 3.1, 0.2))
)


@pytest.mark.parametrize(
    ("history", "loss", "step"),
    [("last", 3.1, 4), ("least", 3.0, 2), ("mean of last 2", 3.15, 4), ("mean of last 99", 3.325, 4),
     ("highest accuracy", 3.2, 3), ("lowest loss", 3.0, 2), ("lowest accuracy", 4.0, 1)],
)  # fmt: skip
def test_which_loss_of_a_history_is_a_choice_that_is_shown(read: Read, history: str, loss: float, step: int) -> None:
    runs = read(CURVE, history=history)
    assert runs.kept["loss"].tolist() == pytest.approx([loss])
    assert runs.kept["steps"].tolist() == [step]
    words = {"last": "the last of each is the run", "least": "the least loss"}.get(history, history.split()[0])
    assert any(words in n for n in runs.notes)


def test_choices_that_mean_nothing_are_refused(read: Read) -> None:
    for history, says in (
        ("some", "history is"),
        ("mean of last 0", "history is"),
        ("highest beauty", "no column 'beauty'"),
    ):
        with pytest.raises(DataError, match=says):
            read(CURVE, history=history)


# What a file's name says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("curve_N1.2e7_D3e8", {"params": 1.2e7, "tokens": 3e8}),
        ("gpt-125M-bs256", {"params": 125e6, "batch_sequences": 256}),
        ("llama_1.3B_lr3e-4_seed1", {"params": 1.3e9, "lr": 3e-4, "seed": 1}),
        ("125M-20B-tokens", {"params": 125e6, "tokens": 20e9}),
        ("run_N=1e8_D=2e9_C1.2e18", {"params": 1e8, "tokens": 2e9, "flops": 1.2e18}),
        ("7b_100BT", {"params": 7e9, "tokens": 100e9}),
        ("sweep/seq2048/70M", {"seq_len": 2048, "params": 70e6}),
        ("70M-vs-160M", {}),  # two sizes: which one is meant is not said
        ("runs", {}), ("2024-05-01", {}), ("v1.2", {}), ("metrics_final", {}), ("exp12_lrfinder", {}), ("gpt3", {}), ("abc123m", {}),
        ("w512-d8", {}),
    ],
)  # fmt: skip
def test_what_names_say(path: str, said: dict[str, float]) -> None:
    assert {c: v for c, (v, _) in facts(path.split("/")).items()} == pytest.approx(said)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_any_name_can_be_looked_into(parts: list[str]) -> None:
    assert all(np.isfinite(v) for v, _ in facts(parts).values())


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ((("runs", "a"), ("runs", "b")), ["a", "b"]),
        ((("runs", "a", "stats"), ("runs", "b", "stats")), ["a", "b"]),
        ((("runs", "a", "x", "stats"), ("runs", "b", "x", "stats")), ["a/x", "b/x"]),
        ((("r", "a", "stats"), ("r", "a", "curve"), ("r", "b", "stats")), ["a/stats", "curve", "b/stats"]),
        ((("one",),), ["one"]),
    ],
)
def test_a_name_that_every_file_shares_gives_way_to_its_folders(
    paths: tuple[tuple[str, ...], ...], names: list[str]
) -> None:
    assert run_names(paths) == names


def test_one_file_of_several_with_one_row_is_a_run_of_its_folders_name(tmp_path: Path) -> None:
    for name in ("gpt-125M-bs256", "gpt-350M-bs256", "gpt-1.3B-bs512"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stats.json").write_text(json.dumps({"tokens": 2e9, "val_loss": 3.1, "seq_len": 1024}))
    runs = read_runs(tmp_path)
    assert sorted(runs.kept["run"]) == ["gpt-1.3B-bs512", "gpt-125M-bs256", "gpt-350M-bs256"]
    assert sorted(runs.kept["params"]) == [125e6, 350e6, 1.3e9]
    assert sorted(runs.kept["batch"]) == [256 * 1024, 256 * 1024, 512 * 1024]


def test_a_column_outweighs_the_files_name(read: Read) -> None:
    runs = read("params,tokens,loss\n3e8,1e9,3\n4e8,2e9,2.9\n", "gpt-125M.csv")
    assert runs.kept["params"].tolist() == [3e8, 4e8]
    assert not runs.questions


def test_the_size_in_run_names_is_offered(read: Read) -> None:
    runs = read("run,tokens,val_loss\n23M-cosine,1e9,4\n60M-cosine,2e9,3.5\n1.2B-wsd,3e9,3\n")
    assert runs.kept["params"].tolist() == [23e6, 60e6, 1.2e9]
    assert [q.key for q in runs.questions] == ["columns.params"]


def test_tokens_of_the_whole_run_in_a_files_name_are_those_of_its_end(read: Read) -> None:
    runs = read("step,loss\n" + "".join(f"{s},{5 - s / 1000}\n" for s in range(100, 1100, 100)), "N1e8_D2e9.csv")
    assert runs.kept["tokens"].tolist() == [2e9]
    assert runs.history is not None
    assert runs.history["tokens"].tolist() == pytest.approx([2e9 * s / 1000 for s in range(100, 1100, 100)])
    assert runs.history["batch"].tolist() == pytest.approx([2e6] * 10)
