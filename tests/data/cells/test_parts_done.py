"""Cells that say what was done of a plan: 12k/40k of steps, epochs or tokens, in one column or beside others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs

Read = Callable[..., Runs]
LOSSES = (3.91, 3.62, 3.55)


def table(header: str, cells: str, **others: str) -> str:
    """Three runs of 25, 50 and 100 million parameters with these cells, split at `|`, and columns of other cells."""
    columns = {header: cells, **others}
    rows = [f"run,params,{','.join(columns)},val_loss"]
    split = [c.split("|") for c in columns.values()]
    for i, (name, size) in enumerate((("a", "25M"), ("b", "50M"), ("c", "100M"))):
        rows.append(",".join([name, size, *(c[i] for c in split), str(LOSSES[i])]))
    return "\n".join(rows) + "\n"


def test_a_run_short_of_its_plan_is_unfinished(read: Read) -> None:
    tokens = "500M|1B|2B"
    for header, cells, share in (
        ("step", "10k/10k|20k/20k|12k/40k", "30 %"),
        ("step", "10000/10000|20000/20000|12000/40000", "30 %"),
        ("steps done", "10000 of 10000|20000 of 20000|12000 of 40000", "30 %"),
        ("iter", "10k / 10k iters|20k / 20k iters|12k iters of 40k", "30 %"),
        ("step", "10/10k|20/20k|12/40k", "30 %"),
        ("step", "10k (of 10k)|20k (of 20k)|12k (of 40k)", "30 %"),
        ("global_step", "10k/10k (100%)|20k/20k (100%)|12k/40k (30%)", "30 %"),
        ("epoch", "1/1|1/1|0.3/1", "30 %"),
        ("epochs", "4/4|2/2|1/4", "25 %"),
        ("step", "10000|20000|12000/40000", "30 %"),
        ("progress", "10k/10k|20k/20k|12k/40k", "30 %"),
        ("progress", "100%|100%|12k/40k", "30 %"),
        ("progress", "10k/10k|20k/20k|30%", "30 %"),
        ("status", "10k/10k|20k/20k|12k/40k", "30 %"),
        ("steps (done/planned)", "10k/10k|20k/20k|12k/40k", "30 %"),
        ("step / total", "10k/10k|20k/20k|12k/40k", "30 %"),
        ("steps (planned/done)", "10k/10k|20k/20k|40k/12k", "30 %"),
    ):
        runs = read(table(header, cells, tokens=tokens))
        assert runs.kept["run"].tolist() == ["a", "b"], (header, cells)
        assert runs.kept["tokens"].tolist() == [5e8, 1e9], (header, cells)
        assert runs.set_aside["reason"].tolist() == [f"run state: unfinished ({share})"], (header, cells)


def test_what_was_done_is_the_number(read: Read) -> None:
    batch = {"batch_tokens": "65536|65536|65536"}
    for header, cells in (
        ("step", "10k/10k|20k/20k|39.5k/40k"),
        ("steps (done/planned)", "10000/10000|20000/20000|39500/40000"),
        ("steps (planned/done)", "10000/10000|20000/20000|40000/39500"),
        ("progress (steps)", "10k/10k|20k/20k|39.5k/40k"),
        ("step", "10000|20000|39500/40000"),
    ):
        runs = read(table(header, cells, **batch))
        assert runs.kept["tokens"].tolist() == [65536e4, 131072e4, 65536 * 39500], (header, cells)
    for header, cells in (
        ("tokens", "500M/500M|1B/1B|3.95B/4B"),
        ("tokens (B)", "0.5/0.5|1/1|3.95/4"),
        ("tokens seen", "0.5/0.5B|1/1B|3.95/4B"),
        ("tokens (seen/target)", "500M/500M|1B/1B|3.95B/4B"),
    ):
        assert read(table(header, cells)).kept["tokens"].tolist() == [5e8, 1e9, 3.95e9], (header, cells)


def test_progress_alone_is_asked_about(read: Read) -> None:
    text = table("progress", "10k/10k|20k/20k|40k/40k", batch_tokens="65536|65536|65536")
    with pytest.raises(MappingNeeded) as e:
        read(text)
    assert [(q.key, q.guess) for q in e.value.questions if q.needed] == [("columns.steps", "progress")]
    assert read(text, columns={"steps": "progress"}).kept["tokens"].tolist() == [65536e4, 131072e4, 262144e4]
    assert "tokens" not in read(text, columns={"steps": None}).kept


def test_the_rows_of_a_log_are_as_far_as_their_run(read: Read) -> None:
    log = "run,step,tokens,val_loss\na,1000/4000,65M,5.1\na,2000/4000,131M,4.6\na,4000/4000,262M,4.3\n"
    runs = read(log + "b,1000/4000,65M,5.0\nb,2000/4000,131M,4.6\nb,2500/4000,164M,4.5\n")
    assert runs.kept[["run", "tokens", "steps"]].to_numpy(dtype=object).tolist() == [["a", 262e6, 4000]]
    assert runs.set_aside["reason"].tolist() == ["run state: unfinished (62.5 %)"]
    near = read(log + "b,1000/4000,65M,5.0\nb,2000/4000,131M,4.6\nb,3500/4000,229M,4.4\n")  # the next lies beyond
    assert near.kept["run"].tolist() == ["a", "b"]


def test_other_pairs_of_numbers_are_no_plan(read: Read) -> None:
    for header, cells in (("heads", "8/8|8/16|4/16"), ("date", "1/2|2/2|1/4"), ("tokens/step", "1/2|2/2|1/4")):
        assert len(read(table(header, cells, tokens="500M|1B|2B"))) == 3, header
    assert len(read(table("steps", "10000|20000|12000", tokens="500M|1B|2B"))) == 3
