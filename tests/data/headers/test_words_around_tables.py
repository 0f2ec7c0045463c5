"""What stands around a pasted table: captions that say the unit, headings under which the same runs come again, several LaTeX tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data import MappingNeeded, Runs, read_runs
from data.headers.captions import named_unit, unit_said
from tests.data.cases import side_by_side

Read = Callable[..., Runs]
HEADER = ("Model", "Params", "Tokens", "Loss")
SIZES = (("s", "125M", "2.5B"), ("m", "350M", "7B"), ("l", "760M", "15.2B"))
NATS, BITS, PERPLEXITIES = (3.45, 3.05, 2.82), (1.081, 0.969, 0.852), (11.81, 9.69, 8.52)


def md(losses: tuple[float, ...], header: tuple[str, ...] = HEADER, rows: tuple[tuple[str, ...], ...] = SIZES) -> str:
    lines = [header, ("---",) * len(header), *((*r, str(x)) for r, x in zip(rows, losses, strict=True))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def tex(losses: tuple[float, ...], caption: str = "", inside: str = "table", below: bool = False) -> str:
    rows = "\n".join(" & ".join((*r, str(x))) + r" \\" for r, x in zip(SIZES, losses, strict=True))
    body = (
        "\\begin{tabular}{lccc}\n\\toprule\n"
        + " & ".join(HEADER)
        + " \\\\\n\\midrule\n"
        + rows
        + "\n\\bottomrule\n\\end{tabular}\n"
    )
    said = f"\\caption{{{caption}}}\n" if caption else ""
    return f"\\begin{{{inside}}}\n{'' if below else said}{body}{said if below else ''}\\end{{{inside}}}\n"


def html(losses: tuple[float, ...], caption: str) -> str:
    rows = [HEADER, *((*r, str(x)) for r, x in zip(SIZES, losses, strict=True))]
    return (
        f"<table><caption>{caption}</caption>"
        + "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in r)}</tr>\n" for r in rows)
        + "</table>"
    )


def csv(losses: tuple[float, ...], title: str) -> str:
    return (
        "\n".join([title, ",".join(HEADER), *(",".join((*r, str(x))) for r, x in zip(SIZES, losses, strict=True))])
        + "\n"
    )


def asked(read: Read, text: str, name: str, **answers: object) -> str:
    """The keys of what is asked, '' where the table is read."""
    try:
        read(text, name, **answers)
    except MappingNeeded as e:
        return " ".join(q.key for q in e.questions if q.needed)
    return ""


def around(caption: str, losses: tuple[float, ...]) -> dict[str, tuple[str, str]]:
    return {
        "line above": (f"{caption}\n\n{md(losses)}", "t.md"),
        "line below": (f"{md(losses)}\n{caption}\n", "t.md"),
        "heading": (f"### {caption}\n\n{md(losses)}", "t.md"),
        "LaTeX": (tex(losses, caption), "t.tex"),
        "LaTeX below": (tex(losses, caption, below=True), "t.tex"),
        "HTML": (html(losses, caption), "t.html"),
        "CSV": (csv(losses, caption), "t.csv"),
    }


def test_a_caption_says_the_unit_of_losses_whose_name_does_not(read: Read) -> None:
    for where, (text, name) in around("Validation loss in bits per byte.", BITS).items():
        below = where == "line below"  # which decides nothing, and raises a doubt where the values are none in nats
        assert asked(read, text, name) == ("loss_unit" if below else "bytes_per_token"), where
        runs = read(text, name, bytes_per_token=4.0, loss_unit="bits per byte" if below else None)
        assert runs.kept["loss"].tolist() == pytest.approx([x * math.log(2) * 4.0 for x in BITS]), where
        if where == "line above":
            assert read(text, name, loss_unit="nats").kept["loss"].tolist() == list(BITS), where
    assert asked(read, tex(BITS, "Validation loss (bits per byte) of all models."), "t.tex") == "bytes_per_token"
    for where, (text, name) in around("Validation perplexity", PERPLEXITIES).items():
        if where == "line below":
            assert asked(read, text, name) == "loss_unit"
            continue
        runs = read(text, name)
        assert runs.kept["loss"].tolist() == pytest.approx([math.log(x) for x in PERPLEXITIES]), where
        assert any(q.key == "loss_unit" for q in runs.questions), where
    for where, (text, name) in around("Validation loss in nats per token", NATS).items():
        assert read(text, name).kept["loss"].tolist() == list(NATS), where


def test_words_that_may_speak_of_another_column_are_asked_about(read: Read) -> None:
    for caption, losses in (
        ("We report loss and perplexity.", PERPLEXITIES), ("Validation perplexity", BITS), ("See also BPB below.", BITS),
        ("Improvement in perplexity over the baseline", PERPLEXITIES), ("Validation loss in bits per byte", NATS),
    ):  # fmt: skip
        assert asked(read, f"{caption}\n\n{md(losses)}", "t.md") == "loss_unit", caption
    table = md(
        (31.5, 21.1, 16.8), (*HEADER[:3], "Loss", "PPL"), tuple((*r, str(x)) for r, x in zip(SIZES, NATS, strict=True))
    )
    assert read(f"Validation loss and perplexity\n\n{table}", "t.md").kept["loss"].tolist() == list(NATS)
    assert unit_said("The loss of each run.", (), "Loss", HEADER, np.array([1.0])) is None
    assert read(
        f"Validation perplexity\n\n{md(PERPLEXITIES, (*HEADER[:3], 'Val'))}", "t.md", columns={"loss": "Val"}
    ).kept["loss"].tolist() == pytest.approx([math.log(x) for x in PERPLEXITIES])


def test_words_that_are_no_name_of_a_loss_leave_nats(read: Read) -> None:
    """A sentence, a title of more than a loss, a line below and a caption above a column called a loss."""
    columns = itertools.cycle(("Val loss", "Loss", "Cross-entropy", "CE", "NLL"))
    for i, said in enumerate((
        "Lower perplexity is better.", "Perplexity is omitted.", "# Results (perplexity in appendix)", "perplexity = exp(loss)",
        "Scaling laws for perplexity", "# GPT-2 perplexity experiments", "See also BPB below.", "We report loss and perplexity.",
        "Validation perplexity", "Bits per byte are in the appendix.", "Perplexity / loss",
    )):  # fmt: skip
        column = next(columns)
        table = md(NATS, (*HEADER[:3], column))
        below = (f"{table}\n{said}\n", "t.md")
        above = (csv(NATS, f"# {said.lstrip('# ')}").replace("Loss", column), "t.csv")
        for text, name in ((f"{said}\n\n{table}", "t.md"), below if i % 2 else above):
            runs = read(text, name)
            assert runs.kept["loss"].tolist() == list(NATS), (said, text)
            assert all("nats" in q.options for q in runs.questions if q.key == "loss_unit"), said
    for said in ("Perplexity on C4", "Table 2: Validation perplexity on WikiText-103 (lower is better)", "Test PPL ↓"):
        assert named_unit(said) == "perplexity", said
    for said in ("Loss (bits per byte)", "Validation loss in bits per byte", "Pile BPB", "Val loss, bits per byte"):
        assert named_unit(said) == "bits per byte", said


def test_the_same_runs_under_another_heading_are_asked_about(read: Read) -> None:
    other = (3.12, 2.81, 2.60)
    for one, two in (
        ("### WikiText-103", "### C4"), ("### Pile", "### C4"), ("### English", "### German"), ("Loss on Pile", "Loss on C4"),
        ("### nats per token", "### bits per byte"), ("Tested on code", "Tested on web"), ("", ""), ("### Results", "### Results"),
    ):  # fmt: skip
        text = f"{one}\n\n{md(other)}\n{two}\n\n{md(NATS)}"
        assert asked(read, text, "t.md") == "split", (one, two)
        assert len(read(text, "t.md", split="all", bytes_per_token=4.0).kept) == 6, (one, two)
    text = f"### WikiText-103\n\n{md(other)}\n### C4\n\n{md(NATS)}"
    assert read(text, "t.md", split="C4").kept["loss"].tolist() == list(NATS)
    assert (
        asked(read, f"### nats per token\n\n{md(NATS)}\n### bits per byte\n\n{md(BITS)}", "t.md", split="bits per byte")
        == "bytes_per_token"
    )
    more = (("a", "1.3B", "26B"), ("b", "2.7B", "54B"))
    units = (
        ("### Pile (bits per byte)", "### Small", "loss_unit"),
        ("### Bits per byte", "### Perplexity", "bytes_per_token"),
        ("### Dense (BPB)", "### MoE (BPB)", "bytes_per_token"),
    )
    for one, two, key in units:
        assert asked(read, f"{one}\n\n{md(BITS)}\n{two}\n\n{md((1.9, 1.8), rows=more)}", "t.md") == key, (one, two)
    sizes = tuple((p, p, d) for _, p, d in SIZES)
    for one, two, key in (
        ("### Transformer", "### Mamba", ""),
        ("### lr 1e-3", "### lr 3e-4", ""),
        ("### C4", "### Pile", "split"),
    ):
        text = f"{one}\n\n{md(other, rows=sizes)}\n{two}\n\n{md(NATS, rows=sizes)}"
        assert asked(read, text, "t.md") == key, (one, two)


def test_the_same_names_under_headings_of_other_runs_are_runs_of_their_own(read: Read) -> None:
    other = (3.12, 2.81, 2.60)
    pairs = (
        ("Baseline", "Ours"), ("AdamW", "Muon"), ("Dense", "MoE"), ("v1", "v2"), ("Run 1", "Run 2"), ("Trained on C4", "Trained on Pile"),
        ("With QK-norm", "Without QK-norm"), ("2024-01-05", "2024-02-01"), ("Llama", "Falcon"),
    )  # fmt: skip
    for (one, two), header in side_by_side(pairs, (HEADER, ("Run", *HEADER[1:]))):
        runs = read(f"## {one}\n\n{md(other, header)}\n## {two}\n\n{md(NATS, header)}", "t.md")
        assert runs.kept["loss"].tolist() == [*other, *NATS], (one, two)
        assert any("runs of their own" in n for n in runs.notes), (one, two, runs.notes)
    below = f"# Ours\n\n## Results\n\n{md(other)}\n# Baseline\n\n## Results\n\n{md(NATS)}"
    assert read(below, "t.md").kept["loss"].tolist() == [*other, *NATS]
    failed = f"## Baseline\n\n{md(other)}\n## Ours\n\n{md(NATS)}\n## Failed\n\n{md((9.1, 9.2, 9.3))}"
    assert read(failed, "t.md").kept["loss"].tolist() == [*other, *NATS]


def test_rows_that_stand_again_in_a_later_table_are_copies(read: Read) -> None:
    for one, two in (("## Results", "## Results, again"), ("", ""), ("## AdamW", "## Muon")):
        runs = read(f"{one}\n\n{md(NATS)}\n{two}\n\n{md(NATS)}", "t.md")
        assert runs.kept["loss"].tolist() == list(NATS), (one, two)
        assert runs.reasons == {"identical copy of another row": 3}, (one, two)
        assert len(read(f"{one}\n\n{md(NATS)}\n{two}\n\n{md(NATS)}", "t.md", keep_copies=True).kept) == 6
    nameless, sizes = HEADER[1:], tuple(r[1:] for r in SIZES)
    for losses, kept in ((NATS, 3), ((3.45, 3.01, 2.79), 6)):  # one rounded loss agrees by chance
        text = f"## AdamW\n\n{md(NATS, nameless, sizes)}\n## Muon\n\n{md(losses, nameless, sizes)}"
        assert len(read(text, "t.md").kept) == kept, losses


def test_rows_under_a_heading_that_says_so_do_not_count(read: Read) -> None:
    more = (("xl", "1.3B", "26B"), ("xxl", "7B", "140B"))
    headings = (
        ("Predicted by the scaling law", "predicted"), ("Extrapolated", "extrapolated"), ("Deprecated", "deprecated"),
        ("Diverged runs", "diverged"), ("Failed", "failed"), ("v1 (data loader bug, do not use)", "do not use"), ("v0 (buggy)", "buggy"),
    )  # fmt: skip
    for (heading, word), first in side_by_side(headings, ("## Measured\n\n", "")):
        text = f"{first}{md(NATS)}\n## {heading}\n\n{md((2.67, 2.31), rows=more)}"
        runs = read(text, "t.md")
        assert runs.kept["loss"].tolist() == list(NATS), heading
        assert runs.reasons == {f"run state: {word}": 2}, heading
        assert len(read(text, "t.md", states=[word]).kept) == 5, heading
    for heading in ("Not diverged", "Measured and predicted", "More sizes"):
        assert len(read(f"## Small\n\n{md(NATS)}\n## {heading}\n\n{md((2.67, 2.31), rows=more)}", "t.md").kept) == 5, (
            heading
        )


def test_held_out_losses_and_tables_with_sizes_go_first(read: Read) -> None:
    train = md((3.41, 2.99, 2.77), (*HEADER[:3], "Train loss"))
    held = md(NATS, (*HEADER[:3], "Val loss"))
    curve = md((4.1, 3.8, 3.6, 3.5), ("step", "val_loss"), tuple((str(i),) for i in range(1000, 5000, 1000)))
    for text in (
        f"{train}\n{held}",
        f"{held}\n{train}",
        f"{curve}\n{held}",
        f"{held}\n{curve}",
        f"## Train\n\n{train}\n## Val\n\n{held}",
    ):
        assert read(text, "t.md").kept["loss"].tolist() == list(NATS), text


def test_what_is_said_of_headings_and_folders_names_them(read: Read, tmp_path: Path) -> None:
    summary = f"<details>\n<summary>Large model: d=512, N = 25.2M, D = 33M tokens that all share</summary>\n\n{md(NATS)}\n</details>\n"
    runs = read(summary + summary.replace("Large", "Small").replace("25.2M", "3.1M").replace("3.45", "3.46"), "t.md")
    assert "<" not in " ".join(
        [*runs.notes, *(q.text for q in runs.questions), *map(str, runs.kept.to_numpy().ravel())]
    )
    for i in range(4):
        (tmp_path / "all" / f"r{i}").mkdir(parents=True)
        (tmp_path / "all" / f"r{i}" / "config.json").write_text('{"n_layer": 4, "lr": 0.1}')
        (tmp_path / "all" / f"r{i}" / "log.csv").write_text(
            f"step,tokens,val_loss\n10,1000000,4.{i}\n20,2000000,3.{i}5\n"
        )
    passed = [n for n in read_runs(tmp_path / "all").notes if n.startswith("Passed over")]
    assert len(passed) == 1, passed
    assert "4 files" in passed[0], passed
    assert "r0/config.json" in passed[0], passed
    head, rows = "name,sys/size,tokens,loss\n", "a,25296128,5e8,3.9\nb,50331648,1e9,3.6\nc,124439808,2e9,3.3\n"
    assert not [q for q in read(head + rows, "t.csv").questions if "sys/size" in q.text]
    asked_of = "name,params_M,tokens_B,val_loss\nr1,125000000,2100000000,4.15\nr2,350000000,6700000000,3.43\nr3,760000000,15000000000,3.0\n"
    with pytest.raises(MappingNeeded, match="a run has 19 tokens per parameter"):
        read(asked_of, "t.csv")


def test_of_several_latex_tables_those_with_runs_are_read(read: Read) -> None:
    train, settings = (3.41, 2.99, 2.77), "\n".join(rf"p{i} & {i} & x \\" for i in range(9))
    both = (
        r"\begin{table}"
        + tex(train, "Training loss", "subtable")
        + tex(NATS, "Validation loss", "subtable")
        + r"\end{table}"
    )
    assert read(both, "t.tex").kept["loss"].tolist() == list(NATS)
    below = tex(train, "Training loss", below=True) + tex(NATS, "Validation loss", below=True)
    assert read(below, "t.tex").kept["loss"].tolist() == list(NATS)
    runs = read(
        "\\begin{table}\\caption{Settings}\n\\begin{tabular}{lll}\nName & Value & Note \\\\\n"
        + settings
        + "\n\\end{tabular}\\end{table}\n"
        + tex(NATS),
        "t.tex",
    )
    assert runs.kept["loss"].tolist() == list(NATS)
    assert any("'Settings'" in n for n in runs.notes), runs.notes
    assert asked(read, tex(train, "Loss on WikiText-103") + tex(NATS, "Loss on C4"), "t.tex") == "split"


def test_a_table_of_settings_is_joined_by_name_where_every_name_matches(read: Read) -> None:
    results = md(NATS, ("Model", "Tokens", "Val loss"), tuple((n, d) for n, _, d in SIZES))

    def settings(names: str, header: str = "Params") -> str:
        sizes = {n: p for n, p, _ in SIZES}
        return md(tuple(8e-4 for _ in names), ("Model", header, "lr"), tuple((n, sizes.get(n, "1B")) for n in names))  # type: ignore[arg-type]

    for text in (
        f"{settings('lms')}\n{results}",
        f"# Models\n\n{settings('sml')}\n# Results\n\n{results}",
        f"{results}\n{settings('mls')}",
    ):
        runs = read(text, "t.md")
        assert runs.kept["params"].tolist() == [125e6, 350e6, 760e6], text
        assert runs.kept["loss"].tolist() == list(NATS)
        assert any("joined by name" in n for n in runs.notes)
    for other in (settings("sm"), settings("smlx"), settings("smm"), settings("sml", "Tokens")):
        assert "params" not in read(f"{other}\n{results}", "t.md").kept, other


def test_a_header_that_a_long_table_repeats_on_its_next_page_is_no_heading(read: Read) -> None:
    head = " & ".join(HEADER) + r" \\"
    rows = "\n".join(" & ".join((*r, str(x))) + r" \\" for r, x in zip(SIZES, NATS, strict=True))
    start = "\\begin{longtable}{lccc}\n\\caption{All runs} \\\\\n\\toprule\n"
    again = "\\endfirsthead\n\\multicolumn{4}{c}{continued} \\\\\n"
    runs = read(f"{start}{head}\n{again}{head}\n\\endhead\n{rows}\n\\end{{longtable}}\n", "t.tex")
    assert runs.kept["loss"].tolist() == list(NATS)
    assert not runs.extras, runs.extras


def test_a_row_of_words_above_a_blank_line_is_no_row_of_column_names(read: Read) -> None:
    words_above = (
        "| Model | results |",
        "| Model | results |\n|---|---|",
        "a | b",
        "Model | results",
        "| Size | Final | Loss |",
    )
    for words, gap in side_by_side(words_above, ("\n\n", "\n\n\n", "\n\nAll runs so far.\n\n")):
        runs = read(f"{words}{gap}{md(NATS)}", "t.md")
        assert runs.kept["loss"].tolist() == list(NATS), (words, gap)
        assert {s.header for s in runs.sources if s.header} == {*HEADER}, (words, gap)
    merged = f"| Model | Size | | |\n{md(NATS, ('', 'Params', 'Tokens', 'Loss'))}"
    assert read(merged, "t.md").kept["params"].tolist() == [125e6, 350e6, 760e6]


def test_numbers_of_tables_are_no_setting_and_tell_no_runs_apart(read: Read) -> None:
    head, more = ("Run", *HEADER[1:]), (("xl", "1.3B", "26B"), ("xxl", "2.7B", "54B"), ("xxxl", "7B", "140B"))
    for one in ("Table {}", "**Tab. {}:**", "Figure {}a.", "### Table {}", "Table {}.1", "Tbl {})"):
        a, b = one.format(1), one.format(2)
        runs = read(f"{a}\n\n{md(NATS, head)}\n{b}\n\n{md((2.67, 2.5, 2.31), head, more)}", "t.md")
        assert runs.kept["loss"].tolist() == [*NATS, 2.67, 2.5, 2.31], one
        assert "family" not in runs.kept, one
        assert not runs.questions, one
        again = f"{a}\n\n{md(NATS, head)}\n{b}\n\n{md((3.12, 2.81, 2.60), head)}"
        assert asked(read, again, "t.md") == "split", one  # as without headings
    curves = [
        md(losses, ("step", "loss"), (("1000",), ("2000",), ("3000",))) for losses in ((4.0, 3.5, 3.2), (3.9, 3.4, 3.1))
    ]
    later = curves[1].replace("| 1000 |", "| 4000 |").replace("| 2000 |", "| 5000 |").replace("| 3000 |", "| 6000 |")
    for second in (curves[1], later):
        runs = read(f"Table 1\n\n{curves[0]}\nTable 2\n\n{second}", "t.md")
        assert runs.kept["loss"].tolist() == [3.2, 3.1], second
