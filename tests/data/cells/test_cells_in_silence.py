"""Cells, headers and layouts that were once read wrong without a word: each read right, asked about, or set aside."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from data import MappingNeeded, Runs, read_runs
from data.errors import Question, ReadError
from tests.data.cases import side_by_side

Read = Callable[..., Runs]
LOSSES = (3.98, 3.71, 3.45, 3.32, 3.2)
SIZES = ("20M", "40M", "80M")
DATA = ("400M", "800M", "1.6B")
N, D = [2e7, 4e7, 8e7], [4e8, 8e8, 1.6e9]


def table(separator: str = ",", **columns: object) -> str:
    """A text table of these columns, an underscore in a name standing for itself, and a loss for each row."""
    named = {k: list(v) for k, v in columns.items()}  # type: ignore[call-overload]
    rows = len(next(iter(named.values())))
    named["val_loss"] = [str(x).replace(".", "," if separator == ";" else ".") for x in LOSSES[:rows]]
    lines = [separator.join(named), *(separator.join(r) for r in zip(*named.values(), strict=True))]
    return "\n".join(lines) + "\n"


def asked(read: Read, text: str | dict[str, str], **answers: object) -> dict[str, Question]:
    with pytest.raises(MappingNeeded) as caught:
        read(text, **answers)
    return {q.key: q for q in caught.value.questions}


# --- thousands written with the decimal sign --------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize(
    ("header", "cells", "kept"),
    [
        ("tokens (M)", ("400", "800", "1.600"), D[:2]),
        ("tokens (M)", ("400", "800", "1.6"), D[:2]),
        ("tokens (M)", ("400", "800", "1.600", "2.400", "3.200"), D[:2]),
        ("tokens (M)", ("1.600", "400", "800"), D[:2]),
        ("tokens (M)", ("400", "800", "**1.600**"), D[:2]),
        ("tokens (B)", ("1", "2", "1.125"), [1e9, 2e9, 1.125e9]),
        ("tokens (B)", ("1.000", "2.000", "4.000"), [1e9, 2e9, 4e9]),
        ("tokens (B)", ("300", "100", "0.5"), [3e11, 1e11, 5e8]),
    ],
)
def test_a_cell_that_may_be_a_thousand_times_as_large_is_not_read(
    read: Read, separator: str, header: str, cells: tuple[str, ...], kept: list[float]
) -> None:
    shown = [c.replace(".", ",") if separator == ";" else c for c in cells]
    sizes = ("20", "40", "80", "120", "160")[: len(cells)]
    runs = read(table(separator, **{"params (M)": sizes, header: shown}))
    assert runs.kept["tokens"].tolist() == pytest.approx(kept)
    assert all("may be 1.6 or 1600" in r or len(cells) == 5 for r in runs.reasons)
    assert len(runs.set_aside) == len(cells) - len(kept)


def test_whole_steps_in_thousands_are_asked_about(read: Read) -> None:
    text = table(params=SIZES, batch_tokens=["400k"] * 3, steps=("1.000", "2.000", "4.000"))
    assert asked(read, text)["units.steps"].guess == "1000"
    assert read(text, units={"steps": 1000}).kept["tokens"].tolist() == D
    assert read(text, units={"steps": 1}).kept["tokens"].tolist() == [4e5, 8e5, 1.6e6]


def test_sizes_and_steps_may_be_thousands_too(read: Read) -> None:
    runs = read(table(**{"params (M)": ("117", "425", "1.143"), "tokens (B)": ("2.9", "10.5", "28")}))
    assert runs.kept["params"].tolist() == [117e6, 425e6]
    assert list(runs.reasons) == ["params may be 1.143 or 1143"]
    runs = read(table(params=SIZES, batch_tokens=["400000"] * 3, steps=("500", "800", "1.600")))
    assert runs.kept["tokens"].tolist() == [2e8, 3.2e8]
    assert any("may be 1.6 or 1600" in note for note in runs.notes)


# --- tokens beside epochs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "passes"), side_by_side(["tokens", "train_tokens", "D"], ["epochs", "num_epochs"]))
def test_one_amount_of_tokens_beside_epochs_that_vary_may_be_the_unique_ones(
    read: Read, name: str, passes: str
) -> None:
    text = table(params=SIZES, **{name: ["100M"] * 3, passes: ("4", "8", "16")})
    question = asked(read, text)["columns.unique_tokens"]
    assert question.options[0] == name
    runs = read(text, columns={"unique_tokens": question.options[0]})
    assert (runs.kept["tokens"].tolist(), runs.kept["unique_tokens"].tolist()) == (D, [1e8] * 3)
    runs = read(text, columns={"unique_tokens": question.options[1]})
    assert runs.kept["tokens"].tolist() == [1e8] * 3


@pytest.mark.parametrize(
    "columns",
    [
        {"tokens": DATA, "epochs": ("4", "8", "16")},
        {"tokens_seen": ["100M"] * 3, "epochs": ("4", "8", "16")},
        {"tokens": ["100M"] * 3, "epochs": ["4"] * 3},
        {"tokens": ["100M"] * 3, "epochs": ("4", "8", "16"), "flops": ("1.2e16", "2.4e16", "4.8e16")},
        {"tokens": ["100M"] * 3, "epochs": ("4", "8", "16"), "batch_tokens": ["1M"] * 3, "steps": ["100"] * 3},
        {"tokens": ["100M"] * 3, "unique_tokens": ("25M", "12.5M", "6.25M"), "epochs": ("4", "8", "16")},
    ],
)
def test_tokens_that_other_columns_bear_out_are_not_asked_about(
    read: Read, columns: dict[str, tuple[str, ...]]
) -> None:
    expected = D if columns.get("tokens") == DATA else [1e8] * 3
    assert read(table(params=SIZES, **columns)).kept["tokens"].tolist() == expected


def test_tokens_per_epoch_are_those_of_one_pass(read: Read) -> None:
    runs = read(table(params=SIZES, **{"tokens per epoch": ["100M"] * 3}, epochs=("4", "8", "16")))
    assert runs.kept["tokens"].tolist() == D


# --- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells", "lengths"),
    [
        ("seq_len", ("2k", "4K", "8k"), [2048, 4096, 8192]),
        ("context length (k)", ("2", "4", "8"), [2048, 4096, 8192]),
        ("ctx", ("2K tokens", "4k", "128k"), [2048, 4096, 131072]),
        ("seq_len", ("2048", "4k", "1M"), [2048, 4096, 1e6]),
        ("seq_len", ("2000", "4000", "8000"), [2000, 4000, 8000]),
    ],
)
def test_the_k_of_a_sequence_is_1024(read: Read, header: str, cells: tuple[str, ...], lengths: list[float]) -> None:
    runs = read(table(params=SIZES, **{"global batch size": ["200"] * 3, header: cells, "steps": ["1k", "2k", "4k"]}))
    assert runs.kept["seq_len"].tolist() == lengths
    assert runs.kept["tokens"].tolist() == [200 * n * s for n, s in zip(lengths, (1e3, 2e3, 4e3), strict=True)]
    how = next(s.how for s in runs.sources if s.column == "seq_len")
    assert ("1,024" in how) == any("k" in c.lower() for c in (*cells, header.partition("(")[2]))


def test_the_k_of_a_length_in_a_name_is_1024(read: Read) -> None:
    runs = read("batch,step,val_loss\n200,1000,3.98\n200,2000,3.71\n", name="gpt-20M-ctx2k.csv", history="all")
    assert runs.kept["seq_len"].tolist() == [2048, 2048]


def test_a_unit_that_makes_the_compute_a_thousand_times_6nd_is_asked_about(read: Read) -> None:
    rows = "r1,20,0.4,48,3.98\nr2,40,0.8,192,3.71\nr3,80,1.6,768,3.45\n"
    for said, unit in (("EFLOP", 1e18), ("TFLOP", 1e12)):
        text = f"run,params,tokens,compute,val loss\n,M,B,{said},nats\n{rows}"
        question = asked(read, text)["units.flops"]
        assert float(question.guess) == 1e15
        assert unit in map(float, question.options)
        assert read(text, units={"flops": unit}).kept["flops"].tolist() == [48 * unit, 192 * unit, 768 * unit]
    assert read(text.replace("TFLOP", "PFLOP")).kept["flops"].tolist() == [48e15, 192e15, 768e15]


@pytest.mark.parametrize(
    ("size", "data"),
    [
        ("parámetros (millones)", "tokens (miles de millones)"),
        ("paramètres (millions)", "jetons (milliards)"),
        ("Parameter (Millionen)", "Tokens (Milliarden)"),
        ("параметры (млн)", "токены (млрд)"),
        ("параметры, миллионы", "токены, миллиарды"),
        ("parâmetros (milhões)", "tokens (bilhões)"),
        ("parametri (milioni)", "tokens (miliardi)"),
        ("参数量（百万）", "训练词元（十亿）"),
    ],
)
def test_units_in_other_languages_count(read: Read, size: str, data: str) -> None:
    runs = read(table(";", **{size: ("20", "40", "80"), data: ("0,4", "0,8", "1,6")}))
    assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == (N, D)


@pytest.mark.parametrize(
    ("size", "sizes", "data", "amounts"),
    [
        ("参数", ("2000万", "4000万", "8000万"), "token数", ("4亿", "8亿", "16亿")),
        ("パラメータ数", ("0.2億", "0.4億", "0.8億"), "トークン数", ("4億", "8億", "1.6十億")),
        ("参数量（亿）", ("0.2", "4000万", "0.8"), "训练词元（亿）", ("4", "8", "16亿")),
        ("params", ("20 млн", "40 млн.", "80млн"), "tokens", ("0.4 млрд", "0.8 млрд", "1.6 млрд.")),
        (
            "params",
            ("20 millones", "40 millones", "80 millones"),
            "tokens",
            ("0.4 mil millones", "0.8 miles de millones", "1.6B"),
        ),
    ],
)
def test_cells_counted_in_other_words(
    read: Read, size: str, sizes: tuple[str, ...], data: str, amounts: tuple[str, ...]
) -> None:
    runs = read(table(**{size: sizes, data: amounts}))
    assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == (N, D)


@pytest.mark.parametrize("power", ["1e-3", "×1e-3", "(1e-3)", "10^-3", "1E-03"])
def test_a_power_among_units_is_a_unit(read: Read, power: str) -> None:
    runs = read(f"run,params,tokens,lr,val loss\n,M,B,{power},nats\na,20,.4,3,3.98\nb,40,.8,2,3.71\nc,80,1.6,1,3.45\n")
    assert runs.kept["lr"].tolist() == pytest.approx([3e-3, 2e-3, 1e-3])
    assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == (N, D)


def test_a_first_row_of_values_is_no_row_of_units(read: Read) -> None:
    assert len(read("params,tokens,lr,val loss\n1e8,1e9,1e-3,3.9\n2e8,2e9,1e-3,3.7\n").kept) == 2


@pytest.mark.parametrize("name", ["n10M_d200M_s0", "N10M_D200M", "n=10M_d=200M", "n10M-d0.2B"])
def test_the_d_of_a_name_is_its_tokens(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "results.json").write_text('{"val_loss": 4.51}')
    (tmp_path / "n20M_d400M").mkdir()
    (tmp_path / "n20M_d400M" / "results.json").write_text('{"val_loss": 4.11}')
    runs = read_runs(tmp_path)
    assert sorted(runs.kept["params"]) == [1e7, 2e7]
    assert sorted(runs.kept["tokens"]) == [2e8, 4e8]


# --- two numbers in a cell --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        (
            "params (total / non-emb)",
            ("20M / 10M", "40M / 25M", "80M / 60M"),
            {"params_total": N, "params_nonembed": [1e7, 25e6, 6e7]},
        ),
        (
            "params (non-emb/total)",
            ("10M/20M", "25M/40M", "60M/80M"),
            {"params_total": N, "params_nonembed": [1e7, 25e6, 6e7]},
        ),
        (
            "params (active | total)",
            ("10M|20M", "25M|40M", "60M|80M"),
            {"params_total": N, "params_active": [1e7, 25e6, 6e7]},
        ),
        (
            "params (non-emb)",
            ("20M (10M)", "40M (25M)", "80M (60M)"),
            {"params": N, "params_nonembed": [1e7, 25e6, 6e7]},
        ),
        ("tokens (unique)", ("400M (100M)", "800M (100M)", "1.6B (100M)"), {"tokens": D, "unique_tokens": [1e8] * 3}),
        ("unique tokens (epochs)", ("100M (4)", "100M (8)", "100M (16)"), {"tokens": D, "unique_tokens": [1e8] * 3}),
        ("params (M)", ("20M (1)", "40M (2)", "80M (3)"), {"params": N}),
        ("tokens (step)", ("400M (100)", "800M (200)", "1.6B (400)"), {"tokens": D, "steps": [100, 200, 400]}),
    ],
)
def test_a_cell_of_two_numbers_is_two_columns(
    read: Read, header: str, cells: tuple[str, ...], expected: dict[str, list[float]]
) -> None:
    beside = {} if "tokens" in header else {"tokens": DATA}
    sizes = {} if "params" in header else {"params": SIZES}
    runs = read(table(**{header: cells}, **sizes, **beside))
    assert {c: runs.kept[c].tolist() for c in expected} == expected


@pytest.mark.parametrize(
    ("header", "cell", "tokens"),
    [("batch size", "200 × 2048", 409600), ("bs (seq x len)", "512x1024", 524288), ("batch", "4096 * 100", 409600)],
)
def test_a_batch_written_as_a_product_is_sequences_and_their_length(
    read: Read, header: str, cell: str, tokens: float
) -> None:
    runs = read(table(params=SIZES, **{header: [cell] * 3}, steps=("1k", "2k", "4k")))
    assert runs.kept["tokens"].tolist() == [1e3 * tokens, 2e3 * tokens, 4e3 * tokens]
    runs = read(table(params=SIZES, tokens=DATA, **{header: ["8 x 4"] * 3}))
    assert "batch" not in runs.kept or runs.kept["batch"].isna().all() or runs.kept["batch"].dtype == object


# --- marks and powers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "3.71^1",
        "3.71^{2}",
        "3.71[^3]",
        "3.71 [^12]",
        "3.71¹",
        "3.71<sup>2</sup>",
        "3.71$^1$",
        "3.71 (worst)",
        "3.71 (median)",
    ],
)
def test_marks_behind_a_loss_are_taken_off(read: Read, cell: str) -> None:
    runs = read(f"params,tokens,val_loss\n20M,400M,3.98\n40M,800M,{cell}\n80M,1.6B,3.45\n")
    assert runs.kept["loss"].tolist() == [3.98, 3.71, 3.45]


@pytest.mark.parametrize(
    ("mark", "size"),
    side_by_side(["¹", "^1", "^{2}", "<sup>1</sup>", "[^1]", "$^1$", "†"], ["40M", "40 M", "0.04B"]),
)
def test_marks_behind_a_size_are_taken_off(read: Read, mark: str, size: str) -> None:
    runs = read(table(params=("20M", size + mark, "80M"), tokens=DATA))
    assert runs.kept["params"].tolist() == N


def test_what_may_be_a_power_is_no_mark(read: Read) -> None:
    runs = read(table(params=("2*10^7", "4·10^7", "8×10^7"), tokens=("4e8", "0.80×10^9", "2.10^9")))
    assert runs.kept["tokens"].tolist() == D[:2]
    assert runs.kept["params"].tolist() == N[:2]
    assert len(runs.set_aside) == 1


@pytest.mark.parametrize("form", ["2^{}", "2**{}", "$2^{{{}}}$", "2 ^ {}"])
def test_powers_of_two_are_numbers(read: Read, form: str) -> None:
    batches, rates = ([form.format(i) for i in span] for span in (range(18, 21), range(-9, -12, -1)))
    runs = read(table(params=SIZES, tokens=DATA, batch_tokens=batches, lr=rates))
    assert runs.kept["batch"].tolist() == [2.0**18, 2.0**19, 2.0**20]
    assert runs.kept["lr"].tolist() == [2.0**-9, 2.0**-10, 2.0**-11]
    assert (
        read(table(params=SIZES, tokens=DATA, batch_tokens=("2¹⁸", "2¹⁹", "2²⁰"))).kept["batch"].tolist()[0] == 2.0**18
    )


def test_times_behind_a_ratio_is_no_unit(read: Read) -> None:
    runs = read(table(params=SIZES, **{"tokens/param": ("20", "20x", "20 ×")}))
    assert runs.kept["tokens"].tolist() == D


# --- grids ------------------------------------------------------------------------------------------------------------

GRID = ((3.7, 3.6, 3.52), (3.5, 3.38, 3.29), (3.36, 3.21, 3.1))


def grid(
    corner: str, along: tuple[str, ...], down: tuple[str, ...] = ("50M", "100M", "200M"), bars: bool = True
) -> str:
    rows = [(corner, *along), *((d, *map(str, row)) for d, row in zip(down, GRID, strict=True))]
    if not bars:
        return "\n".join(",".join(r) for r in rows) + "\n"
    lines = ["| " + " | ".join(r) + " |" for r in rows]
    return "\n".join([lines[0], "|--" * 4 + "|", *lines[1:]]) + "\n"


CAPTIONS = ["", "Validation loss by model size and tokens\n\n", "**Final loss**\n\n"]


@pytest.mark.parametrize(
    ("corner", "caption", "bars"),
    side_by_side(["params \\ tokens", "N / D", "N↓ D→", "size vs data"] * 2, CAPTIONS, [True, False]),
)
def test_a_grid_of_losses_is_one_run_a_cell(read: Read, corner: str, caption: str, bars: bool) -> None:
    runs = read(caption + grid(corner, ("1B", "2B", "4B"), bars=bars), name="t.md")
    cells = sorted(zip(runs.kept["params"], runs.kept["tokens"], runs.kept["loss"], strict=True))
    sizes, data = (5e7, 1e8, 2e8), (1e9, 2e9, 4e9)
    assert cells == [(n, d, GRID[i][j]) for i, n in enumerate(sizes) for j, d in enumerate(data)]


@pytest.mark.parametrize("bars", [True, False])
def test_the_corner_names_rows_and_columns(read: Read, bars: bool) -> None:
    first = read(grid("N \\ lr", ("1e-3", "2e-3", "4e-3"), bars=bars), name="t.md").kept
    assert first[["params", "lr", "loss"]].to_numpy()[1].tolist() == [5e7, 2e-3, 3.6]
    turned = read(grid("D \\ N", ("1M", "2M", "4M"), bars=bars), name="t.md").kept
    assert turned[["params", "tokens", "loss"]].to_numpy()[1].tolist() == [2e6, 5e7, 3.6]
    units = read(grid("N (M) \\ D (B)", ("1", "2", "4"), ("50", "100", "200"), bars=bars), name="t.md").kept
    assert units[["params", "tokens", "loss"]].to_numpy()[1].tolist() == [5e7, 2e9, 3.6]


@pytest.mark.parametrize(
    ("corner", "along"),
    [
        ("", ("1B", "2B", "4B")),
        ("step", ("125M", "350M", "1B")),
        ("tokens", ("50M", "60M", "70M")),
        ("lr", ("1", "2", "4")),
    ],
)
def test_a_grid_whose_corner_says_too_little_is_refused(read: Read, corner: str, along: tuple[str, ...]) -> None:
    with pytest.raises(ReadError, match="looks like a grid of losses"):
        read(grid(corner, along), name="t.md")


def test_the_unit_of_a_corner_that_names_its_rows_tells_what_its_columns_are(read: Read) -> None:
    along, sizes = ("25M", "50M", "100M"), [25e6, 50e6, 100e6]
    for corner, down, column, values in (
        ("Tokens (B)", ("0.5", "1", "2"), "tokens", (5e8, 1e9, 2e9)), ("D (B)", ("0.5", "1", "2"), "tokens", (5e8, 1e9, 2e9)),
        ("Tokens [M]", ("500", "1000", "2000"), "tokens", (5e8, 1e9, 2e9)), ("C (1e18)", ("0.5", "1", "2"), "flops", (5e17, 1e18, 2e18)),
        ("Compute (EFLOP)", ("0.5", "1", "2"), "flops", (5e17, 1e18, 2e18)),
    ):  # fmt: skip
        runs = read(grid(corner, along, down, bars=False)).kept
        assert runs["params"].tolist() == sizes * 3, corner
        assert runs[column].tolist() == [v for v in values for _ in along], corner
        assert runs["loss"].tolist() == [loss for row in GRID for loss in row], corner


def test_a_caption_says_what_the_cells_of_a_grid_are(read: Read) -> None:
    runs = read("Validation loss in bits\n\n" + grid("N / D", ("1B", "2B", "4B")), name="t.md")
    assert runs.kept["loss"].tolist()[0] == pytest.approx(3.7 * math.log(2))
    asked(read, "Accuracy by size\n\n" + grid("N / D", ("1B", "2B", "4B")), name="t.md")


# --- layouts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "each"),
    side_by_side(["nodes", "num_nodes", "nnodes"], ["gpus_per_node", "GPUs / node", "nproc_per_node"]),
)
def test_nodes_and_their_devices_say_how_many_there_are(read: Read, nodes: str, each: str) -> None:
    columns = {"micro_batch_size": ["4"] * 3, nodes: ("2", "4", "8"), each: ["8"] * 3, "seq_len": ["2048"] * 3}
    runs = read(table(params=SIZES, **columns, steps=("1000", "2000", "4000")))
    assert runs.kept["devices"].tolist() == [16, 32, 64]
    assert runs.kept["tokens"].tolist() == [4 * 16 * 2048 * 1e3, 4 * 32 * 2048 * 2e3, 4 * 64 * 2048 * 4e3]
    assert "devices" in asked(read, table(params=SIZES, **(columns | {each: [""] * 3}), steps=("1000", "2000", "4000")))


def test_parameters_of_the_embedding_are_no_total(read: Read) -> None:
    columns = {"emb. params (M)": ("10", "15", "20"), "params w/o emb. (M)": ("20", "40", "80"), "tokens": DATA}
    kept = read(table(**columns)).kept
    assert kept["params"].tolist() == kept["params_nonembed"].tolist() == N


@pytest.mark.parametrize(
    "lines",
    [
        " iteration {0:8d}/ 1000 | consumed samples: {0} | learning rate: 1.5E-04 | lm loss: {1:.6E} | loss scale: 1.0 |",
        "step {0}: train loss {1:.4f}, val loss {1:.4f}\niter {0}: loss {1:.4f}, time 100.00ms, mfu 20.00%",
        "[rank0]:2024-10-01 10:00:01,000 - root - INFO - step: {0}  loss: {1:.4f}  memory: 40.05GiB(42.12%)  tps: 300",
        "Epoch 1 | iter {0} step {0} | loss train: {1:.3f}, val: n/a | iter time: 300.11 ms (step)",
        "RESULT name=s{0} params=10000000 tokens=200000000 val_loss={1:.2f}",
    ],
)
def test_lines_of_a_log_are_called_so(read: Read, lines: str) -> None:
    for start in ("", "number of parameters: 29.94M\ntokens per iteration will be: 16,384\n"):
        text = start + "\n".join(lines.format(i, 5 - i / 1000) for i in (1, 500, 1000)) + "\n"
        with pytest.raises(ReadError, match="is a log of lines, not a table"):
            read(text, name="train.txt")


def test_a_table_whose_cells_speak_of_losses_is_none(read: Read) -> None:
    notes = ["step 100: loss 3.9, then fine", "step=200 loss=3.5 diverged once", "step 300 loss: 3.3"]
    assert len(read(table(params=SIZES, tokens=DATA, notes=[n.replace(",", "") for n in notes])).kept) == 3


@pytest.mark.parametrize(
    ("names", "rows"),
    side_by_side(
        ["SML", "SB", "ABC", "DN"], [("Parameters", "Tokens", "Validation loss"), ("N", "train tokens", "val loss")]
    ),
)
def test_models_of_one_letter_are_columns_of_a_table_on_its_side(
    read: Read, names: str, rows: tuple[str, str, str]
) -> None:
    values = (SIZES, DATA, ("3.98", "3.71", "3.45"))
    lines = ["", *names], *((row, *cells[: len(names)]) for row, cells in zip(rows, values, strict=True))
    bars = [f"| {' | '.join(line)} |" for line in lines]
    runs = read("\n".join([bars[0], "|--" * (len(names) + 1) + "|", *bars[1:]]) + "\n", name="t.md")
    assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == (N[: len(names)], D[: len(names)])


def test_models_of_one_letter_down_the_first_column_are_rows(read: Read) -> None:
    runs = read("model,N,D,L\nS,20M,400M,3.98\nM,40M,800M,3.71\nL,80M,1.6B,3.45\n")
    assert (runs.kept["params"].tolist(), list(runs.kept["run"])) == (N, ["S", "M", "L"])
