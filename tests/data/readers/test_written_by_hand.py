"""Curves and results as people write them down: numbers with marks, two tables of the same runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]

_STEPS = (0, 500, 1000, 2000, 3000, 4000, 6000, 8000, 9000)
_LOSSES = (12.37, 5.46, 4.38, 3.9, 3.5, 3.2, 2.9, 2.7, 2.63)


def _log(header: str, cells: list[str]) -> str:
    """A curve of 2.1 million tokens a step, with a column of text beside it."""
    rows = [f"{s},{s * 2.1e6:g},{c},{x}\n" for s, c, x in zip(_STEPS, cells, _LOSSES, strict=False)]
    return f"step,tokens,{header},val loss\n" + "".join(rows)


def test_numbers_with_a_mark_name_no_runs(read: Read) -> None:
    ratios = ["0", "0.6x", "1.2x", "2.5x", "3.7x", "4.9x", "7.4x", "9.9x", "11.1x"]
    marked: list[list[str]] = [
        ratios,
        *([r.replace("x", m) for r in ratios] for m in ("×", "%", " h", " min", " tok/s")),
    ]
    marked += [
        ["-", *ratios[1:]],
        [*ratios[:5], "4.9", *ratios[6:]],
        ["0", "30 s", "10 min", *(f"{i} h" for i in range(6))],
    ]
    cut = [cells[:n] for cells in marked for n in (4, len(cells))]
    for cells, header in side_by_side(cut, ("D/N ratio", "speedup", "elapsed", "col")):
        n = len(cells)
        runs = read(_log(header, cells[:n]))
        assert len(runs.kept) == 1, (header, cells[:n])
        assert runs.kept["loss"].item() == _LOSSES[n - 1], (header, cells[:n])
        assert runs.kept["tokens"].item() == pytest.approx(_STEPS[n - 1] * 2.1e6), (header, cells[:n])


def test_names_that_begin_with_numbers_still_tell_runs_apart(read: Read) -> None:
    for header, cells in (("optimizer", "adam sgd lion"), ("variant", "v1 base 2x"), ("recipe", "2a 2b base")):
        assert len(read(_log(header, ["x", *cells.split()])).kept) >= 3, header


def test_results_beside_settings_of_the_same_runs_are_joined_by_name(read: Read) -> None:
    settings = "| Run | Layers | LR | Batch | Iterations |\n|--|--|--|--|--|\n| A1 | 6 | 1e-3 | 8 | 6k |\n| A2 | 8 | 5e-4 | 4 | 12k |\n"
    results = "| Run | Val Loss | Time (hrs) |\n|---|---|---|\n| A2 | 1.4043 | 1h 10min |\n| A1 | 1.4788 | 31min |\n"
    for text in (
        f"#### Settings\n{settings}\n#### Results\n{results}",
        f"#### Results\n{results}\n#### Settings\n{settings}",
    ):
        runs = read(text, "r.md", rows="runs")
        by_name = runs.kept.set_index("run")
        assert by_name["loss"].to_dict() == {"A1": 1.4788, "A2": 1.4043}, text
        assert by_name["steps"].to_dict() == {"A1": 6000, "A2": 12000}, text
    other = results.replace("A1", "B1")
    with pytest.raises(MappingNeeded):  # not the same runs
        read(f"#### Settings\n{settings}\n#### Results\n{other}", "r.md")


def test_ranges_that_follow_on_each_other_are_stages_of_one_run(read: Read) -> None:
    ranges = {
        "Epoch": (["1-10", "11-20", "21-25", "26-40"], ["1–10", "10–20", "20–25", "25–40"], ["1 to 10", "11 to 20", "21 to 40"]),
        "Steps": (["0-1000", "1000-5000", "5000-10000"], ["0-1k", "1k-5k", "5k-10k"], ["1-1,000", "1,001-10,000"]),
        "tokens": (["0-1B", "1B-5B", "5B-10B"], ["0-1B", "1-5B", "5-10B"], ["0 - 1B", "1B - 10B"]),
    }  # fmt: skip
    ends = {"Epoch": 40.0, "Steps": 10_000.0, "tokens": 10e9}
    columns = {"Epoch": "epochs", "Steps": "steps", "tokens": "tokens"}
    for header, forms in ranges.items():
        for cells in forms:
            rows = "".join(f"| {c} | {10.0 ** -(3 + i):g} | {3.2 - i / 10:.1f} |\n" for i, c in enumerate(cells))
            runs = read(f"| {header} | Learning Rate | Val Loss |\n|---|---|---|\n{rows}", "r.md")
            assert runs.kept["loss"].tolist() == [float(f"{3.3 - len(cells) / 10:.1f}")], cells
            assert runs.history is not None
            assert runs.history[columns[header]].max() == ends[header], cells
            assert any("stages of one run" in note for note in runs.notes), cells


def test_ranges_of_several_runs_are_left_as_they_are(read: Read) -> None:
    for header, rows in (
        ("run,epochs", ("a,1-10", "b,11-20", "c,21-25")),
        ("params,epochs", ("1M,1-10", "2M,11-20", "3M,21-25")),
        ("lr,epochs", ("1e-3,1-10", "2e-3,1-10", "3e-3,1-10")),
        ("lr,tokens", ("1e-3,0-1B", "2e-3,0-2B", "3e-3,0-3B")),
    ):
        text = f"{header},val loss\n" + "".join(f"{r},{3.2 - i / 10}\n" for i, r in enumerate(rows))
        assert len(read(text).kept) == 3, header


def test_a_perplexity_of_few_digits_is_that_of_the_loss_beside_it(read: Read) -> None:
    pairs = (
        ("5.46,235", "4.38,80", "3.74,42", "3.39,30"),
        ("7.512,1830.2", "5.855,349.1", "3.736,41.9", "1.104,3.0"),
        ("5.46,235", "4.38,80"),
    )
    for names in ("val loss,val ppl", "val loss,perplexity", "loss,ppl", "validation loss,val/perplexity"):
        for rows in pairs:
            text = f"step,tokens,{names}\n" + "".join(f"{500 * i},{i}.0B,{r}\n" for i, r in enumerate(rows, 1))
            runs = read(text, rows="runs")
            assert runs.kept["loss"].tolist() == [float(r.split(",")[0]) for r in rows], (names, rows)
    for names, rows in (
        ("val loss,val ppl", ("5.46,235", "4.38,80", "3.74,44", "3.39,30")),  # one is of another measurement
        ("val loss,val ppl", ("2.52,12", "2.51,12", "2.46,12")),  # whole numbers say too little
        ("val loss,c4 ppl", pairs[0]),
        ("val loss,test ppl", pairs[0]),
    ):
        text = f"step,tokens,{names}\n" + "".join(f"{500 * i},{i}.0B,{r}\n" for i, r in enumerate(rows, 1))
        with pytest.raises(MappingNeeded, match="Which column holds the loss"):
            read(text, rows="runs")


def test_a_loss_over_tokens_without_the_word_goes_before_the_same_over_bytes(read: Read) -> None:
    rows = ((1000, 5.10, 5.9352, 2.3254), (2000, 5.05, 5.2360, 2.0514), (3000, 4.90, 4.8040, 1.8822))
    for last, bpb in (
        ("final val", "val_bpb"),
        ("val", "val_bpb"),
        ("last eval", "bpb"),
        ("final_val", "val/bits_per_byte"),
    ):
        text = f"run,steps,val@50,{last},{bpb}\n" + "".join(f"r{s},{s},{a},{b},{c}\n" for s, a, b, c in rows)
        runs = read(text)
        assert runs.kept["loss"].tolist() == [b for *_, b, _ in rows], (last, bpb)
        assert read(text, bytes_per_token=4.0).kept["loss"].tolist() != runs.kept["loss"].tolist(), (last, bpb)
    for last, factor in (("final val", (1, 1.2, 1.4)), ("final train", (1, 1, 1)), ("final val", (0.1, 0.1, 0.1))):
        text = f"run,steps,{last},val_bpb\n"
        text += "".join(f"r{s},{s},{b * f},{c}\n" for (s, _, b, c), f in zip(rows, factor, strict=True))
        with pytest.raises(MappingNeeded, match="how many bytes"):
            read(text)
