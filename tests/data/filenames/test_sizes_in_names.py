"""Sizes in names whose unit is the decimal sign (2b8), and what is said of sizes that were read from names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data import Runs, read_runs
from data.filenames.sizes import facts

Read = Callable[..., Runs]
NAMES = ("lm1-146m-2b9-c4", "lm1-1b1-21b-c4", "lm1-2b8-55b-c4", "lm1-8b7-178b-c4")
TEXT = "name,val_loss\n" + "".join(f"{n},{x}\n" for n, x in zip(NAMES, (3.41, 2.81, 2.59, 2.31), strict=True))
N, D = [146e6, 1.1e9, 2.8e9, 8.7e9], [2.9e9, 21e9, 55e9, 178e9]


def test_such_names_give_the_size_then_the_tokens_as_a_guess_that_is_shown(read: Read) -> None:
    for name in ("runs.csv", "K4_1b1.csv"):  # what each run's name says goes before what the file's does
        runs = read(TEXT, name)
        assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == (N, D), name
        asked = {q.key: q.text for q in runs.questions}
        assert all(f"'{n}'" in asked["columns.params"] and f"'{n}'" in asked["columns.tokens"] for n in NAMES), asked
    many = "name,val_loss\n" + "".join(f"gpt-{m}m-lr,{4 - m / 100}\n" for m in (90, 10, 50, 20, 70, 30))
    (question,) = [q for q in read(many + "gpt-6m-lr,3.99\n").questions if q.key == "columns.params"]
    assert "6m in 'gpt-6m-lr' to 90m in 'gpt-90m-lr'" in question.text


def test_sizes_in_the_name_of_a_file_and_of_a_run() -> None:
    said: dict[str, dict[str, float]] = {
        "2b8_55b": {"params": 2.8e9, "tokens": 55e9},
        "lm1-2b8-55b-c4": {"params": 2.8e9, "tokens": 55e9},
        "lm1-2b8-55b-11b": {"params": 2.8e9, "tokens": 55e9},
        "lm-1b1-c4": {"params": 1.1e9},
        "gpt-1p3B": {"params": 1.3e9},
        "gpt-1p3B-26B-tokens": {"params": 1.3e9, "tokens": 26e9},
        "hf_tok32k": {},  # a vocabulary
        "gpt-125M-tok64k": {"params": 125e6},
        "hf_tok0": {},
        "125M-5M-tokens": {"params": 125e6, "tokens": 5e6},
        "2b8-1b1": {},  # no run has fewer tokens than the smaller of two sizes
        "run-2b8": {},
        "125M-2.5B": {},
        "2b8-8x7B-55b": {},
    }
    for name, expected in said.items():
        assert {c: v for c, (v, _) in facts([name]).items()} == expected, name


def test_a_size_in_the_name_of_a_folder_goes_before_a_column_of_weights(tmp_path: Path) -> None:
    for name, weights, size in (("gpt-25M", 65536, 25e6), ("gpt-25M", 25296128, 25296128), ("gpt-25M", 30000000, 30e6)):
        path = tmp_path / str(weights) / name / "metrics.csv"
        path.parent.mkdir(parents=True)
        path.write_text(f"step,learning/total_weights,tokens,eval_loss\n100,{weights},1e7,4.5\n200,{weights},2e7,4.3\n")
        runs = read_runs(path.parent.parent)
        assert runs.kept["params"].tolist() == [size], weights
        assert any(q.key == "columns.params" for q in runs.questions) == (weights == 65536), weights


def test_a_size_in_words_under_a_column_of_sizes_is_read_as_under_one_of_models(read: Read) -> None:
    for header in ("Model", "Size", "Model size", "Params"):
        for form in ("{0} ({1}M)", "{1}M ({0})", "{0}: {1}M", "{0}-{1}M"):
            sizes = [form.format(*pair) for pair in (("S", 124), ("M", 350), ("L", 774))]
            rows = "".join(
                f"{s},{d},{loss}\n" for s, d, loss in zip(sizes, ("2B", "4B", "6B"), (3.4, 3.2, 3.0), strict=True)
            )
            runs = read(f"{header},tokens,loss\n{rows}")
            assert runs.kept["params"].tolist() == [124e6, 350e6, 774e6], (header, form)
            assert any(q.key == "columns.params" and repr(sizes[0]) in q.text for q in runs.questions), (header, form)
    for cells in (("small", "large"), ("12 GB", "24 GB")):
        runs = read(f"Size,tokens,loss\n{cells[0]},2B,3.4\n{cells[1]},4B,3.2\n")
        assert "params" not in runs.kept, cells
        assert any("'Size' is named like the parameters" in note for note in runs.notes), cells


def test_two_sizes_side_by_side_in_all_names_are_the_models_and_its_tokens(read: Read) -> None:
    sizes, data = [60e6, 130e6, 350e6], [1.2e9, 2.6e9, 7e9]
    for form in ("llama-{}M-{}B-lr1e-3", "llama_{}M_{}B_lr1e-3", "{}M-{}B", "llama-{}M-{}B-s0", "gpt2-{}m-{}b-cosine"):
        names = [form.format(*pair) for pair in ((60, 1.2), (130, 2.6), (350, 7))]
        runs = read("name,loss\n" + "".join(f"{n},{loss}\n" for n, loss in zip(names, (3.9, 3.7, 3.5), strict=True)))
        assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == (sizes, data), form
        asked = {q.key: q.text for q in runs.questions}
        assert all(f"'{n}'" in asked["columns.params"] and f"'{n}'" in asked["columns.tokens"] for n in names), form
    for names in (
        ["7B-13B", "13B-34B"], ["gpt-60M-1.2B", "gpt-350M"], ["moe-60M-1.2B", "moe-130M-2.6B"], ["distill-60M-1.2B", "distill-130M-2.6B"],
        ["60M-1.2B-4M", "130M-2.6B-8M"], ["1.2B-60M", "2.6B-130M"], ["60M-1.2B"], ["a-60M-b-1.2B", "a-130M-b-2.6B"],
    ):  # fmt: skip
        runs = read("name,loss\n" + "".join(f"{n},{3.9 - i / 5}\n" for i, n in enumerate(names)))
        assert not {"params", "tokens"} & set(runs.kept.columns), names
