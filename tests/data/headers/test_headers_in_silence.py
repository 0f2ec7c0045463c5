"""Headers that once gave a wrong number without a word: each read right, asked about, or set aside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from data import MappingNeeded, Runs, read_runs
from data.headers.names import named
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def values(runs: Runs, *columns: str) -> list[list[object]]:
    return runs.kept[list(columns)].values.tolist()


# Names in two rows -----------------------------------------------------------------------------------------------------

SIZES = [[1e7, 1e9, 3.5], [2e7, 2e9, 3.3], [4e7, 4e9, 3.1], [8e7, 8e9, 2.9]]


TOPS = ["Model,,Compute,Loss", "Model,Model,Compute,Loss", "Config,,Compute,Loss"]
LETTERS = [("N", "D", 1), ("N (M)", "D (M)", 1e6), ("n", "d", 1), ("params", "D", 1)]


@pytest.mark.parametrize(("below", "top"), side_by_side(LETTERS * 2, TOPS))
def test_a_letter_below_model_is_no_width(read: Read, below: tuple[str, str, float], top: str) -> None:
    n, d, unit = below
    body = [f"{p / unit:g},{t / unit:g},{9 * p * t:g},{loss}" for p, t, loss in SIZES]
    runs = read("\n".join([top, f"{n},{d},FLOPs,val", *body]) + "\n")
    assert values(runs, "params", "tokens", "loss") == SIZES


def test_d_below_model_is_the_width_where_it_is_as_small_as_one(read: Read) -> None:
    runs = read("Model,,Training,,Loss\nd,layers,params,tokens,val\n512,8,1e7,1e9,3.5\n768,12,2e7,2e9,3.3\n")
    assert values(runs, "width", "params", "tokens") == [[512, 1e7, 1e9], [768, 2e7, 2e9]]


@pytest.mark.parametrize(("own", "group"), side_by_side(
    [("steps", "steps"), ("params", "params"), ("tokens", "tokens"), ("lr", "lr"), ("D", "tokens"), ("iterations", "steps")],
    ["Val", "Eval", "Test", "Validation"],
))  # fmt: skip
def test_a_group_of_losses_owns_no_column_of_the_run(read: Read, own: tuple[str, str], group: str) -> None:
    name, column = own
    one, two = (0.001, 0.002) if name == "lr" else (1e9, 2e9) if column in ("params", "tokens") else (1000, 2000)
    runs = read(f",Train,,{group},,\nrun,loss,acc,loss,acc,{name}\na,3.4,.1,3.5,.1,{one}\nb,3.2,.1,3.3,.1,{two}\n")
    assert values(runs, "run", "loss", column) == [["a", 3.5, one], ["b", 3.3, two]]


@pytest.mark.parametrize("group", ["Eval", "Val", "Test", "Model", "Results"])
def test_params_and_tokens_below_a_group_are_the_runs(read: Read, group: str) -> None:
    body = "\n".join(f"r,{p:g},{t:g},{loss}" for p, t, loss in SIZES)
    runs = read(f",{group},{group},Result\nname,params,tokens,loss\n{body}\n")
    assert values(runs, "params", "tokens", "loss") == SIZES


def test_tokens_below_train_go_before_those_below_val(read: Read) -> None:
    text = "Train,,Val,,Size\ntokens,loss,tokens,loss,params\n1e9,3.4,1e6,3.5,1e7\n2e9,3.2,1e6,3.3,2e7\n"
    assert values(read(text), "tokens", "loss") == [[1e9, 3.5], [2e9, 3.3]]
    frame = pd.DataFrame(
        [[1e9, 3.4, 1e6, 3.5, 1e7], [2e9, 3.2, 1e6, 3.3, 2e7]],
        columns=pd.MultiIndex.from_tuples(
            [("train", "tokens"), ("train", "loss"), ("val", "tokens"), ("val", "loss"), ("size", "params")]
        ),
    )
    assert values(read_runs(frame), "tokens", "loss") == [[1e9, 3.5], [2e9, 3.3]]


# Tables on their side ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "first"), side_by_side(["TBD", "N/A", "nan", "failed", "-"], ["val_loss", "params", "tokens"])
)
def test_a_first_row_with_one_cell_without_a_number_is_values(read: Read, first: str, odd: str) -> None:
    rows = {
        "val_loss": ["3.5", "3.2", "3.0", "2.9"],
        "train_loss": ["3.4", "3.1", "2.8", "2.7"],
        "tokens": ["1e9", "2e9", "4e9", "8e9"],
        "params": ["1e7", "2e7", "4e7", "8e7"],
    }
    rows[first][2] = odd
    order = [first, *(n for n in rows if n != first)]
    runs = read("\n".join(",".join([n, *rows[n]]) for n in order) + "\n")
    kept = runs.kept if first != "tokens" else runs.kept.dropna(subset=["tokens"])
    assert kept[["params", "tokens", "loss"]].values.tolist() == [[1e7, 1e9, 3.5], [2e7, 2e9, 3.2], [8e7, 8e9, 2.9]]
    assert first == "tokens" or len(runs.set_aside) == 1


def test_names_of_runs_in_a_first_row_stay_names(read: Read) -> None:
    text = "params,small,2M,large\nval_loss,3.5,3.2,3.0\ntokens,1e9,2e9,4e9\nflops,6e16,2e17,9e17\n"
    assert list(read(text).kept["run"]) == ["small", "2M", "large"]


# Mixtures of experts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("total", ["total params (B)", "params (B)", "params_total_B"])
@pytest.mark.parametrize(("dense", "size"), [("8B", 8), ("dense", 7)])
def test_names_say_what_a_mixture_computes_with_beside_its_total(
    read: Read, total: str, dense: str, size: float
) -> None:
    body = f"30B-A3B,30,1000,2.1\n235B-A22B,235,2000,1.9\n{dense},{size},500,2.4\n"
    runs = read(f"model,{total},tokens (B),loss\n{body}")
    assert list(runs.kept["params"]) == [30e9, 235e9, size * 1e9]
    assert list(runs.kept["flops"]) == pytest.approx([6 * 3e9 * 1e12, 6 * 22e9 * 2e12, 6 * size * 1e9 * 5e11])
    assert {"count", "columns.params_active"} <= {q.key for q in runs.questions}


def test_a_column_of_active_params_is_no_total(read: Read) -> None:
    runs = read("model,params (B),tokens (B),loss\n30B-A3B,3,1000,2.1\n235B-A22B,22,2000,1.9\n")
    assert list(runs.kept["flops"]) == pytest.approx([6 * 3e9 * 1e12, 6 * 22e9 * 2e12])


# Names of letters ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "d", "loss", "unit_n", "unit_d"), [
    ("N_PARAMS", "N_TOKENS", "LOSS", 1, 1), ("N_Params", "N_Tokens", "Loss", 1, 1), ("n_params", "D_TOKENS", "loss", 1, 1),
    ("N_M", "D_B", "loss", 1e6, 1e9), ("N_B", "D_T", "loss", 1e9, 1e12), ("N_million", "D_billion", "L", 1e6, 1e9),
    ("N_Millions", "D_BILLIONS", "Loss", 1e6, 1e9), ("N", "D_tokens", "loss", 1, 1), ("N", "D_total", "loss", 1, 1),
    ("N", "D_train", "loss", 1, 1), ("N", "D_TRAIN", "loss", 1, 1), ("N_params_M", "D_tokens_B", "loss", 1e6, 1e9),
    ("N_PARAMS_M", "N_TOKENS_B", "VAL_LOSS", 1e6, 1e9), ("N (M)", "D_seen", "loss", 1e6, 1),
])  # fmt: skip
def test_letters_and_what_stands_behind_them(
    read: Read, n: str, d: str, loss: str, unit_n: float, unit_d: float
) -> None:
    body = "\n".join(f"{p / unit_n:.12g},{t / unit_d:.12g},{v}" for p, t, v in SIZES)
    assert values(read(f"{n},{d},{loss}\n{body}\n"), "params", "tokens", "loss") == SIZES


@pytest.mark.parametrize(("name", "column"), [
    ("N_total", "params_total"), ("N_TOTAL", "params_total"), ("N_Active", "params_active"), ("N_NE", "params_nonembed"),
    ("D_MODEL", "width"), ("N_LAYERS", "layers"), ("N_HEADS", "heads"), ("D_HEAD", "head_dim"), ("D_FF", "ffn"),
    ("N_STEPS", "steps"), ("ksteps", "steps"), ("kSteps", "steps"), ("D_k", ""), ("D_K", ""), ("D_m", ""), ("N_T", ""), ("D_v", ""),
])  # fmt: skip
def test_the_case_of_words_behind_a_letter_says_nothing(name: str, column: str) -> None:
    assert next((c for c, _ in named(name)), "") == column


def test_thousands_of_steps(read: Read) -> None:
    runs = read("run,ksteps,params,loss\na,10,1e7,3.5\nb,20.5,2e7,3.2\nc,40,4e7,3.0\n")
    assert list(runs.kept["steps"]) == [10_000, 20_500, 40_000]


# Grids with other columns ------------------------------------------------------------------------------------------------------

CELLS = [[1e7, 1e9, 3.5], [1e7, 2e9, 3.3], [2e7, 1e9, 3.4], [2e7, 2e9, 3.2]]


@pytest.mark.parametrize(("column", "at"), side_by_side(
    [("name", "a", "b"), ("lr", "0.001", "0.002"), ("state", "finished", "finished"), ("used", "yes", "yes"), ("notes", "", "x")],
    ["loss@{}", "loss @ {} tokens", "val loss at {} tokens", "val_loss@D={}", "loss@{} (nats)"],
))  # fmt: skip
def test_a_grid_with_other_columns_is_a_run_a_cell(read: Read, column: tuple[str, str, str], at: str) -> None:
    beside, first, second = column
    text = f"{beside},params (M),{at.format('1B')},{at.format('2B')}\n{first},10,3.5,3.3\n{second},20,3.4,3.2\n"
    runs = read(text)
    assert values(runs, "params", "tokens", "loss") == CELLS
    rows = ["a", "b"] if beside == "name" else ["row 2", "row 3"]
    assert list(runs.kept["run"]) == [f"{row} at {d} tokens" for row in rows for d in ("1B", "2B")]


@pytest.mark.parametrize(("unit", "factor"), [("ppl@{}", 0.0), ("loss (bits)@{}", 1 / 0.6931471805599453)])
def test_a_grid_in_another_unit(read: Read, unit: str, factor: float) -> None:
    body = [[f"{v * factor if factor else np.exp(v):.9f}" for v in row] for row in ((2.5, 2.3), (2.4, 2.2))]
    text = f"params (M),{unit.format('1B')},{unit.format('2B')}\n10,{','.join(body[0])}\n20,{','.join(body[1])}\n"
    assert list(read(text).kept["loss"]) == pytest.approx([2.5, 2.3, 2.4, 2.2])


def test_a_grid_of_seeds(read: Read) -> None:
    head = ",".join(f"val loss@{d} (seed {s})" for d in ("1B", "2B") for s in (0, 1))
    runs = read(f"params (M),{head}\n10,3.5,3.51,3.3,3.31\n20,3.4,3.41,3.2,3.21\n")
    cells = [[*c[:2], round(c[2] + 0.01 * s, 2)] for i in (0, 2) for s in (0, 1) for c in CELLS[i : i + 2]]
    assert values(runs, "params", "tokens", "loss") == cells
    assert runs.kept["run"].is_unique
    assert list(runs.kept["seed"]) == ["0", "0", "1", "1"] * 2


def test_crashed_rows_of_a_grid_are_set_aside_by_cell(read: Read) -> None:
    runs = read("params (M),loss@1B,loss@2B,state\n10,3.5,3.3,finished\n20,3.4,3.2,finished\n40,3.3,,crashed\n")
    assert values(runs, "params", "tokens", "loss") == CELLS
    assert list(runs.set_aside["run"]) == ["row 4 at 1B tokens"]


@pytest.mark.parametrize("text", [
    "params (M),loss@1000,loss@2000\n10,3.5,3.3\n20,3.4,3.2\n",
    "params,tokens,loss@1B,loss@2B\n1e7,2e9,3.5,3.3\n2e7,2e9,3.4,3.2\n",
    "params,loss@1B,loss@2B params\n1e7,3.5,3.3\n2e7,3.4,3.2\n",
])  # fmt: skip
def test_losses_at_what_is_no_axis_are_asked_about(read: Read, text: str) -> None:
    with pytest.raises(MappingNeeded):
        read(text)


# Which loss ----------------------------------------------------------------------------------------------------------------------

BESIDE = "run,params,tokens,loss,{}\na,1e7,1e9,3.4,3.5\nb,2e7,2e9,3.2,3.3\n"


@pytest.mark.parametrize("what", [
    "val_loss_p95", "val_loss_hat", "val_loss_teacher", "val_loss_old", "val_loss_1B", "val_loss (rounded)", "val_loss_code",
    "val_loss_ema", "best_val_loss", "val_loss_v2", "old val loss", "teacher/val_loss", "eval_loss_student",
])  # fmt: skip
def test_a_held_out_loss_of_another_kind_beside_the_loss_is_asked_about(read: Read, what: str) -> None:
    with pytest.raises(MappingNeeded) as e:
        read(BESIDE.format(what))
    assert [q.key for q in e.value.questions] == ["columns.loss"]
    assert set(e.value.questions[0].options) == {"loss", what}
    assert list(read(BESIDE.format(what), columns={"loss": "loss"}).kept["loss"]) == [3.4, 3.2]


@pytest.mark.parametrize(
    "what", ["val_loss", "eval/loss", "final_val_loss", "val loss (nats)", "validation cross entropy", "C4 val loss"]
)
def test_the_held_out_loss_beside_the_loss_is_taken(read: Read, what: str) -> None:
    assert list(read(BESIDE.format(what)).kept["loss"]) == [3.5, 3.3]


# A column of another decimal sign ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["", " M"])
def test_a_column_of_points_in_a_file_of_decimal_commas(read: Read, unit: str) -> None:
    name = "params" if unit else "params (M)"
    rows = [f"a;1.234{unit};25,5;3,512", f"b;345.5{unit};7,1;3,912", f"c;12.25{unit};2,6;4,412"]
    runs = read("\n".join([f"run;{name};tokens (B);loss", *rows]) + "\n")
    assert values(runs, "params", "tokens", "loss") == [
        [1.234e6, 25.5e9, 3.512], [345.5e6, 7.1e9, 3.912], [12.25e6, 2.6e9, 4.412],
    ]  # fmt: skip
    assert any("decimal sign" in note for note in runs.notes)


def test_a_column_of_commas_in_a_file_of_points(read: Read) -> None:
    runs = read('run,params (M),tokens (B),loss\na,"1,234",25.5,3.51\nb,"345,5",7.1,3.91\nc,"12,25",2.6,4.41\n')
    assert list(runs.kept["params"]) == [1.234e6, 345.5e6, 12.25e6]


def test_thousands_with_points_stay_thousands(read: Read) -> None:
    runs = read("run;params;tokens (B);loss\na;1.234.000;25,5;3,51\nb;345.500;7,1;3,91\nc;12.250.000;2,6;4,41\n")
    assert list(runs.kept["params"]) == [1.234e6, 345.5e3, 12.25e6]
