"""Tables with a row for each split of a run: the held-out loss counts, and a person is asked where several could."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, product

import pytest

from data import DataError, MappingNeeded, Runs
from data.splits.words import kind
from tests.data.cases import side_by_side

Read = Callable[..., Runs]

TOTALS = ((1, 3.1, 3.3), (2, 2.9, 3.0), (4, 2.7, 2.8))


def totals(header: str, train: str, held: str, name: str = "r{k}", turned: bool = False) -> str:
    rows = []
    for k, a, b in TOTALS:
        pair = [f"{name.format(k=k, s=s)},{k}e8,{k}e9,{s},{v}\n" for s, v in ((train, a), (held, b))]
        rows += pair[::-1] if turned else pair
    return f"run,params,tokens,{header},loss\n" + "".join(rows)


WHERE = ["split", "eval_set", "subset", "dataset", "phase", "mode", "set", "Split", "data", "stage", "loss on"]
WORDS = [("train", "val"), ("training", "validation"), ("Train", "Valid"), ("TRAIN", "EVAL"), ("train", "test"), ("train", "held-out"),
         ("trn", "dev"), ("c4_train", "c4_val"), ("train set", "holdout set"), ("training", "evaluation")]  # fmt: skip


# A header that says but half that it holds splits leaves it to the words: all of them stand under one of these.
@pytest.mark.parametrize(("header", "words"), [*side_by_side(WHERE, WORDS), *(("stage", words) for words in WORDS[1:])])
def test_held_out_rows_count_and_training_rows_are_set_aside(read: Read, header: str, words: tuple[str, str]) -> None:
    train, held = words
    assert kind(train).split()[0] == "train"
    assert kind(held).split()[0] in ("val", "eval", "held-out", "test")
    runs = read(totals(header, train, held))
    assert runs.kept["run"].tolist() == ["r1", "r2", "r4"]
    assert runs.kept["loss"].tolist() == [3.3, 3.0, 2.8]
    assert runs.set_aside["loss"].tolist() == [3.1, 2.9, 2.7]
    assert runs.reasons == {f"training loss on {train!r}, where the one on {held!r} counts": 3}
    assert any(f"{header!r} says where each loss was measured" in note for note in runs.notes)
    assert [q.key for q in runs.questions] == ["split"]
    assert "dataset" not in runs.columns


@pytest.mark.parametrize("name", ["r{k}-{s}", "{s}/r{k}", "r{k}"])
@pytest.mark.parametrize("turned", [False, True])
def test_names_that_end_in_their_split_are_one_run(read: Read, name: str, turned: bool) -> None:
    assert read(totals("split", "train", "val", name, turned)).kept["loss"].tolist() == [3.3, 3.0, 2.8]


def test_rows_without_names_and_other_columns(read: Read) -> None:
    text = "params,tokens,lr,split,loss,accuracy\n" + "".join(
        f"{k}e8,{k}e9,1e-3,train,{a},0.3\n{k}e8,{k}e9,1e-3,val,{b},0.2\n" for k, a, b in TOTALS
    )
    assert read(text).kept["loss"].tolist() == [3.3, 3.0, 2.8]


def test_a_person_takes_the_other_rows_or_all(read: Read) -> None:
    text = totals("split", "train", "val")
    assert read(text, split="train").kept["loss"].tolist() == [3.1, 2.9, 2.7]
    assert len(read(text, split="all")) == 6
    assert read(text, columns={"dataset": "split"}).kept["dataset"].tolist() == ["train", "val"] * 3
    with pytest.raises(DataError, match="no split 'test'"):
        read(text, split="test")
    with pytest.raises(DataError, match="no column says"):
        read("run,params,tokens,loss\na,1e8,1e9,3\nb,2e8,2e9,2.9\n", split="test")


@pytest.mark.parametrize("words", [("train", "val", "test"), ("val", "test"), ("train", "c4 val", "pile val")])
def test_two_held_out_splits_are_asked_about(read: Read, words: tuple[str, ...]) -> None:
    text = "run,params,tokens,split,loss\n" + "".join(
        f"r{k},{k}e8,{k}e9,{w},{3 - k / 10 + j / 10}\n" for k in (1, 2, 3) for j, w in enumerate(words)
    )
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    (question,) = caught.value.questions
    assert question.key == "split"
    assert set(question.options) == {*words, "all"}
    assert question.guess == next(w for w in words if w != "train")
    for j, w in enumerate(words):
        assert read(text, split=w).kept["loss"].tolist() == pytest.approx([3 - k / 10 + j / 10 for k in (1, 2, 3)])


@pytest.mark.parametrize("header", ["dataset", "eval_set", "corpus", "eval dataset", "domain"])
def test_one_run_on_several_data_sets_is_asked_about(read: Read, header: str) -> None:
    text = f"run,params,tokens,{header},loss\n" + "".join(
        f"r{k},{k}e8,{k}e9,{w},{3 - k / 10 + j / 10}\n" for k in (1, 2, 3) for j, w in enumerate(("c4", "pile"))
    )
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert {q.key: q.options for q in caught.value.questions} == {"split": ("c4", "pile", "all")}
    runs = read(text, split="pile")
    assert runs.kept["loss"].tolist() == pytest.approx([3.0, 2.9, 2.8])
    assert runs.reasons == {"loss on 'c4', where the one on 'pile' counts": 3}
    assert len(read(text, split="all")) == 6


def test_training_data_of_runs_of_their_own_is_no_split(read: Read) -> None:
    text = "params,tokens,dataset,loss\n1e8,1e9,c4,3\n1e8,1e9,pile,2.8\n2e8,2e9,c4,2.9\n2e8,2e9,pile,2.7\n"
    runs = read(text)
    assert len(runs) == 4
    assert "dataset" in runs.columns
    named = "run,params,tokens,dataset,loss\na,1e8,1e9,c4,3\nb,1e8,1e9,pile,2.8\nc,2e8,2e9,c4,2.9\nd,2e8,2e9,pile,2.7\n"
    assert len(read(named)) == 4


def test_each_run_under_one_word_keeps_every_row_and_says_so(read: Read) -> None:
    text = "run,params,tokens,split,loss\n" + "".join(
        f"r{k},{k}e8,{k}e9,{'train' if k < 4 else 'test'},{3 - k / 10}\n" for k in range(1, 7)
    )
    runs = read(text)
    assert len(runs) == 6
    assert {q.key: q.guess for q in runs.questions} == {"split": "all"}
    assert len(read(text, split="test")) == 3


def curves(order: tuple[str, str], every: int, tokens: str, names: bool = True) -> str:
    """Two runs (one without names) logged at steps 100 to 500, validated at every so many; tokens in the rows of `tokens`."""
    rows = []
    for k in (1, 2) if names else (1,):
        for s in range(100, 501, 100):
            for w in order:
                if w == "train" or s % every == 0:
                    seen = f"{s}e6" if tokens in (w, "both") else ""
                    rows.append(
                        f"{f'r{k},{k}e8,' if names else ''}{s},{seen},{w},{4 - s / 1000 + (w == 'val') * 0.2}\n"
                    )
    return ("run,params," if names else "") + "step,tokens,split,loss\n" + "".join(rows)


ORDERS = [("train", "val"), ("val", "train")]


@pytest.mark.parametrize(
    ("place", "names"), side_by_side(list(product(ORDERS, (100, 250, 200), ("both", "train"))), (True, False))
)
def test_along_a_curve_the_held_out_losses_are_its_checkpoints(
    read: Read, place: tuple[tuple[str, str], int, str], names: bool
) -> None:
    """Which row comes first, where both losses stand and where the tokens do decide together; names of runs do not."""
    order, every, tokens = place
    runs = read(curves(order, every, tokens, names))
    last = max(s for s in range(100, 501, 100) if s % every == 0)
    assert runs.kept["loss"].tolist() == pytest.approx([4.2 - last / 1000] * (2 if names else 1))
    assert runs.kept["tokens"].tolist() == [last * 1e6] * (2 if names else 1)
    if every < 250:
        assert runs.history is not None
        assert runs.history["loss"].min() == pytest.approx(4.2 - last / 1000)
        assert (runs.history["tokens"] == runs.history["steps"] * 1e6).all()
    assert any("says where each loss was measured" in note for note in runs.notes)


def test_rows_that_do_not_say_are_set_aside(read: Read) -> None:
    runs = read(totals("split", "train", "val") + "r8,8e8,8e9,,2.5\n")
    assert runs.kept["loss"].tolist() == [3.3, 3.0, 2.8]
    assert runs.reasons["nothing says where its loss was measured"] == 1


@pytest.mark.parametrize(
    ("cell", "meant"),
    [("train", "train"), ("Validation", "val"), ("c4-val", "val c4"), ("val (c4)", "val c4"), ("held-out", "held-out"), ("c4", ""),
     ("trainable", ""), ("evaluated later on by somebody in another building", ""), ("", "")],
)  # fmt: skip
def test_words_of_splits(cell: str, meant: str) -> None:
    assert kind(cell) == meant


def test_objects_with_their_splits_in_arrays(read: Read) -> None:
    import json

    rows = [
        {"run": f"r{k}", "params": k * 1e8, "tokens": k * 1e9, "split": ["train", "val"], "loss": [3.0 / k, 3.2 / k]}
        for k in (1, 2)
    ]
    runs = read(json.dumps(rows), "runs.json", split="val")
    assert runs.kept["loss"].tolist() == [3.2, 1.6]
    assert len(read(json.dumps(rows), "runs.json")) == 2


def test_held_out_losses_on_several_data_sets_are_asked_about(read: Read) -> None:
    text = "run,params,tokens,dataset,split,loss\n" + "".join(
        f"r{k},{k}e8,{k}e9,{d},{w},{3 - k / 10 + i / 10 + j}\n"
        for k in (1, 2) for j, d in enumerate(("c4", "pile")) for i, w in enumerate(("train", "val"))
    )  # fmt: skip
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert {q.key: q.options for q in caught.value.questions} == {"split": ("c4", "pile", "all")}
    assert read(text, split="pile").kept["loss"].tolist() == pytest.approx([4.0, 3.9])
    assert read(text, split="train").kept["loss"].tolist() == pytest.approx([2.9, 3.9, 2.8, 3.8])
    assert len(read(text, split="all")) == 8


def test_a_column_by_which_alone_rows_of_one_run_differ_is_asked_about(read: Read) -> None:
    rows = [("s", "125M", "2.5B"), ("m", "350M", "7B"), ("l", "760M", "15.2B")]
    losses = {"WikiText-103": (3.12, 2.81, 2.60), "C4": (3.45, 3.05, 2.82)}
    for header in (
        "eval",
        "evaluated on",
        "Evaluation",
        "benchmark",
        "Tested on",
        "eval_set",
        "val set",
        "language",
        "where",
        "suite",
    ):
        for named in ("run", "name", "Model") if header in ("eval", "benchmark") else ("run",):
            lines = [f"{n},{p},{d},{on},{x[i]}" for i, (n, p, d) in enumerate(rows) for on, x in losses.items()]
            text = "\n".join([f"{named},params,tokens,{header},loss", *lines]) + "\n"
            with pytest.raises(MappingNeeded) as raised:
                read(text)
            assert [q.key for q in raised.value.questions if q.needed] == ["split"], (named, header)
            if header in ("eval", "benchmark"):
                assert read(text, split="C4").kept["loss"].tolist() == list(losses["C4"]), (named, header)
    for header in ("optimizer", "init", "variant", "notes"):
        lines = [f"{n},{p},{d},{on},{x[i]}" for i, (n, p, d) in enumerate(rows) for on, x in losses.items()]
        assert len(read("\n".join([f"run,params,tokens,{header},loss", *lines]) + "\n").kept) == 6, header


def test_texts_beside_unnamed_runs_are_asked_about(read: Callable[..., Runs]) -> None:
    """Every size under every text: one run's losses where a text is but evaluated on, else maybe runs trained on each."""
    headers = cycle(("Dataset", "corpus", "text"))
    for texts, asked in (
        (("c4", "wikitext"), True),
        (("C4", "WikiText-103", "PTB"), True),
        (("OpenWebText", "WikiText-103"), True),
        (("FineWeb", "LAMBADA"), True),
        (("c4", "pile"), False),
        (("enwik8", "text8"), False),
        (("TinyStories", "WikiText-103"), False),
        (("WikiText-103", "PTB"), False),
        (("c4", "fresh"), None),
    ):
        rows = [(m, n, 20 * n, t, 4 - j / 4 + i / 8) for j, (m, n) in enumerate((("a", 44_000_000), ("b", 77_000_000), ("c", 210_000_000)))
                for i, t in enumerate(texts)]  # fmt: skip
        for start in (0, 1):
            header = next(headers)
            names = f"model,params,tokens,{header},loss".split(",")[start:]
            text = "\n".join([",".join(names), *(",".join(map(str, r[start:])) for r in rows)])
            case = texts, header, start
            if asked:
                with pytest.raises(MappingNeeded) as error:
                    read(text)
                assert [q.key for q in error.value.questions] == ["split"], case
                assert "were runs trained on them, or measured there?" in error.value.questions[0].text, case
            else:
                runs = read(text)
                assert len(runs) == len(rows), case
                assert [q.guess for q in runs.questions if q.key == "split"] == ["all"] * (asked is False), case
        assert len(read(text, split="all")) == len(rows)
        if asked is not None:
            assert read(text, split=texts[1]).kept["loss"].tolist() == [4 - j / 4 + 1 / 8 for j in range(3)]
    curves = "\n".join(
        ["dataset,step,loss", *(f"{t},{s},{4 - s / 1e4}" for t in ("c4", "wikitext") for s in (1000, 2000, 3000))]
    )
    assert len(read(curves)) == 2  # trained on each
