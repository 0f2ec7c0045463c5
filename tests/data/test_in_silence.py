"""Small tables that once gave a wrong number without a word: each read right, asked about, or said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data import DataError, MappingNeeded, Runs, read_runs

Read = Callable[..., Runs]


def asked(read: Read, text: str, **answers: object) -> dict[str, str]:
    with pytest.raises(MappingNeeded) as caught:
        read(text, **answers)
    return {q.key: q.guess for q in caught.value.questions}


def test_a_mixture_computes_with_its_active_parameters(read: Read) -> None:
    runs = read("Model,Total params,Active params,Training tokens,LM loss\nL,24B,3.1B,300B,2.12\nS,2B,0.4B,100B,2.6\n")
    assert runs.kept["flops"].tolist() == pytest.approx([6 * 3.1e9 * 300e9, 6 * 0.4e9 * 100e9])
    assert [q.key for q in runs.questions] == ["count"]


def test_a_grid_under_the_word_name_is_its_runs(read: Read) -> None:
    text = "name,params,tokens,loss\ns,10M,200M,4.51\ns,10M,800M,4.21\nm,40M,200M,4.11\nm,40M,800M,3.71\n"
    runs = read(text)
    assert len(runs) == 4
    assert [q.key for q in runs.questions] == ["rows"]
    assert len(read(text, rows="checkpoints")) == 2


def test_evaluations_in_rows_of_their_own_are_no_headings(read: Read) -> None:
    runs = read(
        "epoch,iter,train_loss,tokens,lr,val_loss,val_ppl\n0,1,5.9,8192,1e-3,,\n0,2,5.1,16384,1e-3,,\n0,2,,,,5.02,151\n"
        "0,3,4.9,24576,1e-3,,\n0,4,4.2,32768,1e-3,,\n0,4,,,,4.25,70\n"
    )
    assert runs.kept[["loss", "tokens"]].values.tolist() == [[4.25, 32768]]
    assert runs.history is not None
    assert runs.history["loss"].tolist() == [5.02, 4.25]


def test_a_data_set_seen_several_times_gives_its_tokens(read: Read) -> None:
    runs = read("params,dataset_size,epochs,loss\n10M,100M,4,4.51\n20M,100M,4,4.2\n40M,100M,2,4.1\n")
    assert runs.kept["unique_tokens"].tolist() == [1e8] * 3
    assert runs.kept["tokens"].tolist() == [4e8, 4e8, 2e8]
    assert read("dataset_size,loss\n1e8,4\n2e8,3.9\n4e8,3.7\n").kept["tokens"].tolist() == [1e8, 2e8, 4e8]


def test_the_time_of_day_is_no_duration(read: Read) -> None:
    assert (
        "wall_seconds"
        not in read("Wall time,Step,loss\n1716480012.3,1,4\n1716480112.3,2,3.9\n1716480212.3,3,3.8\n").columns
    )


@pytest.mark.parametrize(("factor", "says"), [(2.0, "0.333 times"), (8.0 * 6, "8 times")])
def test_compute_far_from_six_per_parameter_and_token_is_said(read: Read, factor: float, says: str) -> None:
    rows = "".join(f"{n:g},{d:g},{factor * n * d:g},{3 - n / 1e9}\n" for n, d in ((1e8, 2e9), (2e8, 4e9), (3e8, 5e9)))
    assert any(says in note for note in read("params,tokens,flops,loss\n" + rows).notes)


def test_no_tokens_are_derived_from_what_is_no_training_compute(read: Read) -> None:
    runs = read("name,params,flops,loss\na,1e8,2e8,3.9\nb,2e8,4e8,3.5\nc,3e8,6e8,3.4\n")
    assert "tokens" not in runs.columns
    assert any("no training compute" in note for note in runs.notes)


def test_one_answer_does_not_end_the_doubt_about_another_column(read: Read) -> None:
    text = "name,N,D,loss\na,300,6000,3.9\nb,700,14000,3.6\nc,1300,26000,3.3\n"
    assert asked(read, text) == {"units.params": "1e+06"}
    assert asked(read, text, units={"params": 1e6}) == {"units.tokens": "1e+06"}
    runs = read(text, units={"params": 1e6, "tokens": 1e6})
    assert runs.kept["tokens"].tolist() == [6e9, 14e9, 26e9]
    compute = "name,N,D,C,loss\na,300,6000,1.08e19,3.9\nb,700,14000,5.88e19,3.6\nc,1300,26000,2.03e20,3.3\n"
    assert asked(read, compute) == {"units.params": "1e+06"}
    assert asked(read, compute, units={"params": 1e6}) == {"units.tokens": "1e+06"}


def test_a_stated_unit_is_doubted_before_a_plain_count(read: Read) -> None:
    assert asked(read, "params,tokens (k),loss\n1e8,2,3.9\n2e8,4,3.5\n") == {"units.tokens": "1"}


def test_a_run_far_from_every_other_is_named(read: Read) -> None:
    runs = read("name;params;tokens (B);loss\na;1e8;2.5;3.9\nb;2e8;3125;3.6\nc;4e8;8.5;3.3\n")
    assert any(note.startswith("b has 3.12e+12 tokens") for note in runs.notes)


def test_a_large_batch_size_is_asked_about(read: Read) -> None:
    text = "params,steps,batch_size,seq_len,loss\n1e8,1000,8192,512,3.9\n2e8,1000,8192,512,3.5\n"
    assert asked(read, text) == {"batch": "tokens"}
    assert read(text, batch="tokens").kept["tokens"].tolist() == [8192e3] * 2
    assert read(text, batch="sequences").kept["tokens"].tolist() == [8192 * 512e3] * 2


def test_few_evaluations_among_many_steps_are_one_run(read: Read) -> None:
    rows = "".join(f"{s},{5 - s / 1000},{5 - s / 1000 if s % 500 == 0 else ''},{s}e5\n" for s in range(100, 2001, 100))
    runs = read("step,loss,eval_loss,tokens\n" + rows)
    assert runs.kept[["loss", "tokens"]].values.tolist() == [[3.0, 2e8]]


def test_two_rates_under_one_name_are_two_runs(read: Read) -> None:
    rows = "".join(f"a,1e8,{lr},{s},{4 - s / 1000 - lr}\n" for lr in (1e-3, 2e-3) for s in (100, 200, 300, 400, 500))
    runs = read("run,params,lr,step,loss\n" + rows)
    assert runs.kept["run"].tolist() == ["a, lr 0.001", "a, lr 0.002"]
    assert runs.kept["loss"].tolist() == pytest.approx([3.499, 3.498])


def test_curves_below_each_other_part_where_steps_begin_anew(read: Read) -> None:
    rows = "".join(f"{s},{4 - s / 1000 - k}\n" for k in (0, 1) for s in (100, 200, 300, 400, 500))
    runs = read("step,loss\n" + rows, "two.csv")
    assert runs.kept["run"].tolist() == ["two", "two (2)"]
    assert runs.kept["loss"].tolist() == [3.5, 2.5]


@pytest.mark.parametrize("cell", ["47B/13B", ">2T", "3^10", "300B+"])
def test_a_column_that_promises_numbers_and_holds_none_is_said(read: Read, cell: str) -> None:
    runs = read(f"name,params,tokens,loss\na,1e8,{cell},3\nb,2e8,{cell},2.9\nc,4e8,{cell},2.8\n")
    assert any("'tokens' is named like the tokens" in note and cell in note for note in runs.notes)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("10’000’000", 1e7), ("1,00,00,000", 1e7), ("350 Mio", 350e6), ("1.3 Milliarden", 1.3e9), ("6.0 × 10−4", 6e-4)],
)
def test_numbers_of_other_countries_and_of_copied_pages(cell: str, value: float) -> None:
    from data.cells.values import number

    assert number(cell) == pytest.approx(value)


def test_sizes_called_by_letters_do_not_turn_a_table(read: Read) -> None:
    runs = read("Model,Params,Tokens,Loss\nS,50M,1B,3.71\nM,100M,2B,3.39\nL,200M,4B,3.12\n")
    assert runs.kept["run"].tolist() == ["S", "M", "L"]


def test_a_folder_by_a_relative_path_with_a_config_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "runs.csv").write_text("params,tokens,loss\n1e8,1e9,3\n2e8,2e9,2.9\n")
    (tmp_path / "sweep" / "config.json").write_text('{"lr": 0.001}')
    (tmp_path / "link").symlink_to(tmp_path / "sweep")
    monkeypatch.chdir(tmp_path)
    for given in ("sweep", "./sweep", ".", "sweep/../sweep", "link"):
        runs = read_runs(given)
        assert len(runs) == 2
        assert any("config.json" in note for note in runs.notes)


def test_answers_of_another_kind_are_refused_in_a_sentence(read: Read) -> None:
    text = "params,tokens,bpb\n1e8,1e9,1.1\n2e8,2e9,1.0\n"
    with pytest.raises(DataError, match="bytes_per_token is a number"):
        read(text, bytes_per_token="x")
    state = "run,params,tokens,loss,state\na,1e8,1e9,3,finished\nb,2e8,1e9,2.9,crashed\n"
    assert len(read(state, states="crashed")) == 2


@pytest.mark.parametrize("header", ["loss reduction", "excess loss", "accuracy loss", "Δloss vs baseline"])
def test_differences_of_losses_are_no_loss(read: Read, header: str) -> None:
    runs = read(f"params,tokens,{header},loss\n1e8,1e9,0.1,3\n2e8,2e9,0.2,2.9\n")
    assert runs.kept["loss"].tolist() == [3, 2.9]


@pytest.mark.parametrize(
    ("text", "column", "values"),
    [
        ("Params,6e18,1e19,3e19\n73M,3.214,3.170,3.105\n150M,3.10,3.05,2.99\n", "flops", [6e18, 1e19, 3e19] * 2),
        ("N,C=1e18,C=3e18\n73M,3.2,3.1\n150M,3.1,3.0\n", "flops", [1e18, 3e18] * 2),
        ("N \\ D,2B,4B\n73M,3.5,3.4\n150M,3.3,**3.2**\n", "tokens", [2e9, 4e9] * 2),
        ("model,loss@10B,loss@20B\n73M,3.5,3.4\n150M,3.3,3.2\n", "tokens", [10e9, 20e9] * 2),
        ("| size | 1B | 2B |\n|---|---|---|\n| 73M | 4.1 | 3.9 |\n| 150M | 3.8 | 3.6 |\n", "tokens", [1e9, 2e9] * 2),
        ("params,1e9 tokens,2e9 tokens\n73M,4.1,3.9\n150M,3.8,\n", "tokens", [1e9, 2e9, 1e9]),
    ],
)
def test_a_grid_of_losses_is_a_run_a_cell(read: Read, text: str, column: str, values: list[float]) -> None:
    runs = read(text)
    assert runs.kept[column].tolist() == pytest.approx(values)
    assert runs.kept["params"].tolist() == sorted(runs.kept["params"])
    assert runs.kept["params"].value_counts().to_dict() == {
        73e6: len(values) - len(values) // 2,
        150e6: len(values) // 2,
    }
    assert any("A grid of losses" in note for note in runs.notes)


@pytest.mark.parametrize("text", ["run,10,20\na,1,2\nb,3,4\n", "size,1,2,3\n73M,0.1,0.2,0.3\n150M,0.2,0.3,0.4\n"])
def test_other_grids_are_asked_about(read: Read, text: str) -> None:
    with pytest.raises(MappingNeeded):
        read(text)


def test_a_column_of_units_beside_the_names_is_no_run(read: Read) -> None:
    runs = read("quantity,unit,a,b,c\nparams,M,100,200,400\ntokens,B,2,4,8\nloss,bits,5.9,5.6,5.3\n")
    assert runs.kept["run"].tolist() == ["a", "b", "c"]
    assert runs.kept["params"].tolist() == [100e6, 200e6, 400e6]
    assert runs.kept["loss"].tolist() == pytest.approx([v * 0.6931471805599453 for v in (5.9, 5.6, 5.3)])


def test_checkpoints_that_cannot_be_used_are_counted(read: Read) -> None:
    runs = read(
        "run,params,step,tokens,loss\na,1e8,0,0,9\na,1e8,100,1e8,5\na,1e8,200,2e8,oops\na,1e8,300,3e8,4\na,1e8,400,4e8,nan\n"
        "a,1e8,500,5e8,3.5\n"
    )
    assert runs.history is not None
    assert len(runs.history) == 3
    assert any(note.startswith("3 checkpoints cannot be used") for note in runs.notes)
