"""The size of a data set beside the part of it that was used, or the times that it was gone through."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from data import read_runs
from data.errors import NO_COLUMN, MappingNeeded
from data.schema import Runs
from tests.data.cases import side_by_side

ROWS = ((25e6, 0.01, 4.1), (25e6, 0.02, 3.9), (124e6, 0.1, 3.4), (354e6, 0.5, 3.0))
WHOLE = 52_740_000_000
RIGHT = [WHOLE * f for _, f, _ in ROWS]


def _read(tmp_path: Path, text: str, **answers: object) -> Runs:
    (tmp_path / "t.csv").write_text(text)
    return read_runs(tmp_path / "t.csv", **answers)  # type: ignore[arg-type]


def _table(size: str, part: str, whole: str = str(WHOLE), percent: bool = False, sign: str = "") -> str:
    rows = [f"{n:.0f},{f * 100 if percent else f:g}{sign},{whole},{loss}" for n, f, loss in ROWS]
    return "\n".join([f"params,{part},{size},val loss", *rows])


def test_a_corpus_beside_a_fraction_of_it_is_multiplied_by_it_and_that_is_said(tmp_path: Path) -> None:
    sizes = [("corpus size", str(WHOLE)), ("corpus tokens", str(WHOLE)), ("dataset tokens (B)", "52.74")]
    sizes += [("dataset size (tokens)", "52.74B"), ("corpus size (tokens)", str(WHOLE)), ("tokens in corpus", "52.74B")]
    parts = [
        ("fraction", False, ""),
        ("subset (%)", True, ""),
        ("data fraction", False, ""),
        ("data used (%)", True, ""),
    ]
    parts += [("frac", False, ""), ("% of data", True, ""), ("fraction of data", True, "%"), ("data_pct", True, "")]
    for (size, whole), (part, percent, sign) in side_by_side(sizes, parts):
        runs = _read(tmp_path, _table(size, part, whole, percent, sign))
        assert runs.kept["tokens"].tolist() == pytest.approx(RIGHT), (size, part)
        assert any(size in n and part in n for n in runs.notes), (size, part)


def test_what_is_the_part_already_is_not_multiplied_again(tmp_path: Path) -> None:
    rows = [f"{n:.0f},{f * 100:g},{WHOLE * f:.0f},{loss}" for n, f, loss in ROWS]
    runs = _read(tmp_path, "\n".join(["params,subset (%),dataset size (tokens),val loss", *rows]))
    assert runs.kept["tokens"].tolist() == pytest.approx(RIGHT)
    rows = [f"{n:.0f},{f},{WHOLE},{6 * n * WHOLE:.6g},{loss}" for n, f, loss in ROWS]
    runs = _read(tmp_path, "\n".join(["params,fraction of data,corpus size (tokens),flops,val loss", *rows]))
    assert set(runs.kept["tokens"]) == {WHOLE}


def test_plain_tokens_that_do_not_vary_are_asked_about_beside_a_fraction_that_does(tmp_path: Path) -> None:
    text = _table("tokens", "data fraction")
    with pytest.raises(MappingNeeded) as asked:
        _read(tmp_path, text)
    assert [q.key for q in asked.value.questions] == ["columns.unique_tokens"]
    yes = _read(tmp_path, text, columns={"unique_tokens": "tokens"})
    assert yes.kept["tokens"].tolist() == pytest.approx(RIGHT)
    no = _read(tmp_path, text, columns={"unique_tokens": NO_COLUMN})
    assert set(no.kept["tokens"]) == {WHOLE}


def test_a_data_set_is_seen_as_often_as_its_epochs_say_under_any_of_their_names(tmp_path: Path) -> None:
    sizes = [
        "Dataset (tokens)",
        "dataset size (tokens)",
        "dataset tokens",
        "corpus size (tokens)",
        "Training data (tokens)",
    ]
    for size, epochs in side_by_side(sizes, ("ep", "epochs", "n_epochs", "num_epochs", "passes")):
        text = f"params,{size},{epochs},val loss\n25e6,131072000,8,4.1\n25e6,104857600,1,5.2\n124e6,720896000,4,3.4\n"
        runs = _read(tmp_path, text)
        assert runs.kept["tokens"].tolist() == [1048576000, 104857600, 2883584000], (size, epochs)


def test_a_cell_that_is_no_number_leaves_the_others_in_per_cent(tmp_path: Path) -> None:
    text = _table("dataset tokens (B)", "subset (%)", "52.74", percent=True)
    runs = _read(tmp_path, text + "\n124000000,subset (%),52.74,3.2\n")
    assert runs.kept["tokens"].dropna().tolist() == pytest.approx(RIGHT)


def test_epochs_over_the_same_data_are_asked_about_without_names_of_runs(tmp_path: Path) -> None:
    for header, rows in (
        ("params,tokens,epochs,lr,val_loss", ("50M,1B,2,1e-3,3.91", "50M,1B,8,1e-3,3.4", "125M,1B,2,1e-3,3.22", "125M,1B,8,1e-3,3.0")),
        ("params,tokens,epochs,val_loss", ("50M,1B,1,3.91", "50M,1B,2,3.69", "50M,1B,4,3.52")),
        ("params,tokens,num_epochs,val_loss", ("50M,1B,1,3.91", "50M,1B,4,3.52")),
    ):  # fmt: skip
        (tmp_path / "t.csv").write_text("\n".join([header, *rows]))
        with pytest.raises(MappingNeeded) as asked:
            read_runs(tmp_path / "t.csv")
        assert [q.key for q in asked.value.questions] == ["columns.unique_tokens"], header
        runs = read_runs(tmp_path / "t.csv", columns={"unique_tokens": "tokens"})
        assert runs.kept["tokens"].tolist() == [1e9 * float(row.split(",")[2]) for row in rows]
    (tmp_path / "t.csv").write_text("params,tokens,epoch,val_loss\n50M,1B,1,3.91\n50M,1B,2,3.69\n50M,1B,3,3.52\n")
    assert len(read_runs(tmp_path / "t.csv").kept) == 1  # a log


def test_epochs_under_other_names_and_over_several_amounts_of_data_are_asked_about(tmp_path: Path) -> None:
    names = (
        "epochs",
        "repeats",
        "passes",
        "max_epochs",
        "Number of epochs",
        "num_train_epochs",
        "n_epochs",
        "epoch",
        "repetitions",
    )
    one, two = (("1B", 1), ("1B", 2), ("1B", 4)), (("1B", 2), ("1B", 4), ("4B", 2), ("4B", 4))
    uneven = (("1B", 1), ("1B", 2), ("1B", 4), ("4B", 1), ("4B", 4))
    cases = [(name, rows) for name in names for rows in ((one, two, uneven) if name == "epochs" else (one, two))]
    for (name, rows), run, meant in side_by_side(cases, ("", "run,"), ("tokens", NO_COLUMN)):
        lines = [f"{'r' + str(i) + ',' if run else ''}50M,{d},{e},{3.9 - i / 10:.1f}" for i, (d, e) in enumerate(rows)]
        (tmp_path / "t.csv").write_text("\n".join([f"{run}params,tokens,{name},val_loss", *lines]))
        with pytest.raises(MappingNeeded) as asked:
            read_runs(tmp_path / "t.csv")
        assert [q.key for q in asked.value.questions] == ["columns.unique_tokens"], (name, rows, run)
        said = read_runs(tmp_path / "t.csv", columns={"unique_tokens": meant})
        seen = [float(d[0]) * 1e9 * (e if meant == "tokens" else 1) for d, e in rows]
        assert said.kept["tokens"].tolist() == seen, (name, rows, meant)
    seeds = "params,tokens,repeats,val_loss\n50M,1B,3,3.9\n125M,2B,3,3.6\n350M,4B,1,3.3\n"
    (tmp_path / "t.csv").write_text(seeds)
    assert read_runs(tmp_path / "t.csv").kept["tokens"].tolist() == [1e9, 2e9, 4e9]  # how often it was measured
    seen = "params,tokens,epochs,flops,val_loss\n50M,1B,2,3e17,3.9\n50M,1B,4,3e17,4.0\n50M,4B,2,1.2e18,3.5\n50M,4B,4,1.2e18,3.6\n"
    (tmp_path / "t.csv").write_text(seen)
    assert read_runs(tmp_path / "t.csv").kept["tokens"].tolist() == [1e9, 1e9, 4e9, 4e9]  # borne out by FLOPs


def test_unique_data_beside_the_data_of_training_are_two_things(read: Callable[..., Runs]) -> None:
    rows = (("125M", 0.5, 2.5, 5, 3.4), ("350M", 1.4, 7, 5, 3.0), ("760M", 5, 15, 3, 2.8))
    uniques = (
        "Unique data (B)",
        "Unique data",
        "Unique (B)",
        "Pool size (B)",
        "Pool size",
        "data pool",
        "Unique tokens",
        "Dataset size (unique)",
    )
    others = ("Data (B)", "Dataset size", "Training data", "data", "Tokens (B)", "D")
    for (unique, epochs), seen in side_by_side(list(product(uniques, ("", "epochs,"))), others):
        cells = "".join(
            f"r,{n},{u}{'' if '(B)' in unique else 'B'},{d}{'' if '(B)' in seen else 'B'},{f'{e},' if epochs else ''}{x}\n"
            for n, u, d, e, x in rows
        )
        runs = read(f"run,params,{unique},{seen},{epochs}loss\n{cells}", rows="runs")
        case = (unique, seen, epochs)
        assert runs.kept["tokens"].tolist() == [2.5e9, 7e9, 15e9], case
        assert runs.kept["unique_tokens"].tolist() == [0.5e9, 1.4e9, 5e9], case
    for unique, cells in (
        ("pool size", ("1000", "2000")),
        ("unique data", ("0.1", "0.2")),
        ("Unique data (GB)", ("10", "20")),
    ):
        other = read(f"run,params,{unique},tokens,loss\na,125M,{cells[0]},2.5B,3.4\nb,350M,{cells[1]},7B,3.0\n")
        assert other.kept["tokens"].tolist() == [2.5e9, 7e9], unique
        assert "unique_tokens" not in other.kept, unique  # documents, a share, bytes


def test_sizes_of_data_without_a_word_for_tokens_are_asked_about_where_they_are_none(tmp_path: Path) -> None:
    few, words = ("200000", "~200k", "50000"), ("full", "~200k", "~200k")
    for header in ("Data Size", "Dataset size", "corpus_size", "train set size"):
        for cells in (words, ("full", "10B", "20B"), ("All data", "10B", "20B"))[: 3 if header == "Data Size" else 1]:
            rows = "".join(
                f"r{i},{c},{x}\n" for i, (c, x) in enumerate(zip(cells, ("2.48", "1.90", "2.70"), strict=True))
            )
            text = f"Run,{header},Val Loss\n{rows}"
            with pytest.raises(MappingNeeded) as asked:
                _read(tmp_path, text)
            assert [q.key for q in asked.value.questions] == ["columns.tokens"], (header, cells)
            if cells == words and header != "Data Size":
                continue
            none = _read(tmp_path, text, columns={"tokens": None})
            assert none.kept["loss"].tolist() == [2.48, 1.90, 2.70], (header, cells)
            told = _read(tmp_path, text, columns={"tokens": header})
            assert len(told.kept) == 2, (header, cells)
        small = _read(tmp_path, f"Run,{header},Val Loss\n" + "".join(f"r{i},{c},2.{i}\n" for i, c in enumerate(few)))
        assert [q.key for q in small.questions if "No word says tokens" in q.text] == ["columns.tokens"], header
    for header in ("Data Size", "Training data"):
        with pytest.raises(MappingNeeded):  # fewer than the parameters
            _read(tmp_path, f"Run,params,{header},Val Loss\na,100M,5000000,3.1\nb,100M,9000000,3.0\n")
        for columns, rows in (
            (f"params,{header}", ("100M,2B", "200M,4B")),
            (f"params,{header} (tokens)", ("100M,200000", "200M,400000")),
            (f"params,flops,{header}", ("100M,3e15,5000000", "200M,1.2e16,10000000")),
        ):
            text = f"Run,{columns},Val Loss\n" + "".join(f"r{i},{r},3.{i}\n" for i, r in enumerate(rows))
            assert len(_read(tmp_path, text).kept["tokens"].dropna()) == 2, columns


def test_tokens_of_pretraining_are_the_data_where_no_other_tokens_stand_beside_them(tmp_path: Path) -> None:
    rows = "100M,{}3.4\n460M,{}3.2\n900M,{}3.0\n"
    for header, cells in (
        ("Pretrain tokens", ("2B,", "4B,", "6B,")), ("Pretraining tokens", ("2B,", "4B,", "6B,")),
        ("Pre-training tokens", ("2B,", "4B,", "6B,")), ("Pretrain Tokens (B)", ("2,", "4,", "6,")),
        ("pretrain_tokens", ("2e9,", "4e9,", "6e9,")), ("Tokens (pretraining)", ("2B,", "4B,", "6B,")),
    ):  # fmt: skip
        runs = _read(tmp_path, f"params,{header},loss\n{rows.format(*cells)}")
        assert runs.kept["tokens"].tolist() == [2e9, 4e9, 6e9], header
    both = ("2B,1B,", "4B,1B,", "6B,2B,")
    for other in (
        "Midtrain tokens",
        "SFT tokens",
        "Cooldown tokens",
        "Mid-training data",
        "Continued pretraining tokens",
    ):
        runs = _read(tmp_path, f"params,Pretrain tokens,{other},loss\n{rows.format(*both)}")
        assert "tokens" not in runs.kept, other
        assert any(q.key == "columns.tokens" and "Pretrain tokens" in q.options for q in runs.questions), other
    runs = _read(tmp_path, f"params,Pretrain tokens,Total tokens,loss\n{rows.format('2B,3B,', '4B,5B,', '6B,8B,')}")
    assert runs.kept["tokens"].tolist() == [3e9, 5e9, 8e9]
