"""Several files read together: each is asked for itself, and an answer for one is no answer for another."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dashboard.cli import group
from data import DataError, MappingNeeded, Runs, read_runs
from data.files.by_file import labels
from tests.data.cases import side_by_side

NATS = "run,params,tokens,loss\na0,1e7,1e9,3.5\na1,2e7,2e9,3.2\na2,4e7,4e9,3.0\n"
BYTES = "run,params,tokens,bpb\nb0,1e7,1e9,1.1\nb1,2e7,2e9,1.0\nb2,4e7,4e9,0.95\n"
SMALL = "run,params,tokens,loss\nc0,1e7,1,3.5\nc1,2e7,2,3.2\nc2,4e7,4,3.0\n"
ODD = "run,params,zorb,loss\nd0,1e7,1,3.5\nd1,2e7,2,3.2\nd2,4e7,4,3.0\n"
TWO = "run,params,tokens,c4_loss,pile_loss\ne0,1e7,1e9,3.4,2.9\ne1,2e7,2e9,3.1,2.7\ne2,4e7,4e9,2.9,2.6\n"
OTHER = TWO.replace("pile_loss", "code_loss").replace("\ne", "\nf")
#: Files, each with two answers that could be right, and that it cannot be read without (but the first).
KINDS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "nats": (NATS, [{}]),
    "bytes": (BYTES, [{"bytes_per_token": 4.0}, {"bytes_per_token": 4.6}]),
    "small": (SMALL, [{"units": {"tokens": 1e9}}, {"units": {"tokens": 1e8}}]),
    "odd": (ODD, [{"columns": {"tokens": "zorb"}, "units": {"tokens": 1e9}}]),
    "two": (TWO, [{"columns": {"loss": "c4_loss"}}, {"columns": {"loss": "pile_loss"}}]),
    "other": (OTHER, [{"columns": {"loss": "code_loss"}}]),
}


@pytest.fixture
def folder(tmp_path: Path):
    """A function that writes files into a folder, and returns it."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text)
        return tmp_path

    return write


ALONE: dict[tuple[str, str], list[tuple[float, float, float]]] = {}


def read_alone(folder: Path, answers: Mapping[str, Mapping[str, Any]]) -> list[tuple[float, float, float]]:
    """The numbers of each file read by itself; a text under the same answers is read once for all tests."""
    out = []
    for file in sorted(answers):
        asked = (folder / file).read_text(), repr(answers[file])
        if asked not in ALONE:
            ALONE[asked] = numbers(read_runs(folder / file, **answers[file]))
        out += ALONE[asked]
    return out


def numbers(runs: Runs) -> list[tuple[float, float, float]]:
    return [tuple(map(float, row)) for row in runs.kept[["params", "tokens", "loss"]].to_numpy()]


@pytest.mark.parametrize(("one", "other"), list(permutations(KINDS, 2)))
def test_files_answered_by_name_are_read_as_each_is_alone(folder, one: str, other: str) -> None:
    for first, second in side_by_side(KINDS[one][1], KINDS[other][1]):
        answers = {"a.csv": first, "b.csv": second}
        here = folder(a=KINDS[one][0], b=KINDS[other][0])
        assert numbers(read_runs(here, by_file=answers)) == read_alone(here, answers)


@pytest.mark.parametrize("kind", [k for k, (_, answers) in KINDS.items() if len(answers) > 1])
def test_one_question_about_two_files_names_both_and_takes_two_answers(folder, kind: str) -> None:
    text, (first, second) = KINDS[kind]
    here = folder(a=text, b=text)
    with pytest.raises(MappingNeeded, match=r"^a\.csv, b\.csv: ") as error:
        read_runs(here)
    (question,) = error.value.questions
    assert question.files == ("a.csv", "b.csv")
    answers = {"a.csv": first, "b.csv": second}
    assert numbers(read_runs(here, by_file=answers, keep_copies=True)) == read_alone(here, answers)
    assert numbers(read_runs(here, **first, keep_copies=True)) == read_alone(here, {"a.csv": first, "b.csv": first})


def test_every_file_s_question_is_asked_at_once(folder) -> None:
    with pytest.raises(MappingNeeded) as error:
        read_runs(folder(a=BYTES, b=NATS, c=SMALL, d=TWO, e=OTHER))
    asked = {(q.key, q.files) for q in error.value.questions}
    assert asked == {
        ("bytes_per_token", ("a.csv",)),
        ("units.tokens", ("c.csv",)),
        ("columns.loss", ("d.csv",)),
        ("columns.loss", ("e.csv",)),
    }


def test_an_answer_without_a_name_goes_to_the_file_that_asks(folder) -> None:
    runs = read_runs(folder(a=BYTES, b=NATS), bytes_per_token=4.0)
    assert numbers(runs)[0][2] == pytest.approx(1.1 * 4 * math.log(2))
    assert [loss for *_, loss in numbers(runs)][3:] == [3.5, 3.2, 3.0]
    with pytest.raises(MappingNeeded) as error:  # b.csv has no such column, and is asked for its own
        read_runs(folder(a=TWO, b=OTHER), columns={"loss": "pile_loss"})
    assert [q.files for q in error.value.questions] == [("b.csv",)]


def test_an_answer_to_one_file_that_would_change_another_is_refused(folder) -> None:
    here = folder(a=SMALL, b=NATS)
    with pytest.raises(DataError, match=r"answers a question of a\.csv and would change b\.csv") as error:
        read_runs(here, units={"tokens": 1e9})
    assert "by_file={'a.csv': {'units.tokens': 1000000000.0}}" in str(error.value)
    runs = read_runs(here, by_file={"a.csv": {"units.tokens": 1e9}})
    assert [tokens for _, tokens, _ in numbers(runs)] == [1e9, 2e9, 4e9, 1e9, 2e9, 4e9]


def test_what_nobody_asks_holds_for_all_files(folder) -> None:
    runs = read_runs(folder(a=NATS, b=NATS.replace("a", "b")), loss_unit="bits")
    assert [loss for *_, loss in numbers(runs)] == pytest.approx([x * math.log(2) for x in (3.5, 3.2, 3.0)] * 2)


def test_a_pattern_answers_for_the_files_it_fits_and_a_name_goes_before_it(folder) -> None:
    here = folder(a1=BYTES, a2=BYTES, b=BYTES)
    told = {"b.csv": {"bytes_per_token": 5.0}, "*": {"bytes_per_token": 4.0}}
    runs = read_runs(here, by_file=told, keep_copies=True)
    first = [loss / math.log(2) for *_, loss in numbers(runs)][::3]
    assert first == pytest.approx([4.4, 4.4, 5.5])


def test_files_that_share_a_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for place in ("x", "y"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "log.csv").write_text(BYTES)
    with pytest.raises(MappingNeeded) as error:
        read_runs(tmp_path)
    assert error.value.questions[0].files == ("x/log.csv", "y/log.csv")
    with pytest.raises(DataError, match=r"is the name of 2 files; say which: x/log\.csv, y/log\.csv"):
        read_runs(tmp_path, by_file={"log.csv": {"bytes_per_token": 4.0}})
    answers = {"x/log.csv": {"bytes_per_token": 4.0}, "y/log.csv": {"bytes_per_token": 5.0}}
    runs = read_runs(tmp_path, by_file=answers)
    assert numbers(runs) == read_alone(tmp_path, answers)


@pytest.mark.parametrize(
    ("by_file", "words"),
    [
        ({"z.csv": {"loss_unit": "bits"}}, "no file is called z.csv; there are a.csv, b.csv"),
        ({"a.csv": {"colour": "red"}}, "'colour' for a.csv"),
        ({"a.csv": {"columns": {"loss": "zorb"}}}, "a.csv has no column 'zorb'"),
    ],
)
def test_an_answer_that_is_none_is_refused(folder, by_file: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_runs(folder(a=NATS, b=NATS), by_file=by_file)


def test_a_guess_about_one_file_names_it(folder) -> None:
    runs = read_runs(folder(a=ODD, b=NATS))
    (question,) = [q for q in runs.questions if q.key == "columns.tokens"]
    assert question.files == ("a.csv",)
    assert question.text.startswith("a.csv: ")


def test_labels_are_the_fewest_parts_that_differ() -> None:
    assert labels(["/r/x/log.csv", "/r/y/log.csv", "/r/x/other.csv"]) == ["x/log.csv", "y/log.csv", "other.csv"]


def test_the_terminal_answers_for_one_file(folder) -> None:
    here = folder(a=BYTES, b=BYTES)
    told = ["--for", "a.csv", "bytes_per_token=4", "--for", "b.csv", "bytes_per_token=5"]
    done = CliRunner().invoke(group, ["read", str(here), *told, "--rows", "--json", "-"])
    assert done.exit_code == 0, done.output
    losses = [run["loss"] for run in json.loads(done.stdout)["runs"]]
    assert losses[::3] == pytest.approx([1.1 * per * math.log(2) for per in (4, 5)])
    assert CliRunner().invoke(group, ["read", str(here), "--for", "a.csv", "bytes_per_token"]).exit_code == 2


def test_a_split_and_the_place_of_epoch_0_are_answered_for_one_file(tmp_path: Path) -> None:
    text = "run,params,tokens,split,loss\n" + "".join(
        f"{{0}}{n},{n}e7,{n}e9,{s},{{1}}.{9 - n}{j}\n" for n in (1, 2, 4) for j, s in enumerate(("c4", "pile"))
    )
    (tmp_path / "old.csv").write_text(text.format("a", 3))
    (tmp_path / "new.csv").write_text(text.format("b", 2))
    runs = read_runs(
        [tmp_path / "old.csv", tmp_path / "new.csv"],
        by_file={"old.csv": {"split": "c4"}, "new.csv": {"split": "pile", "epochs": "after"}},
    )
    assert runs.kept["loss"].tolist() == [3.80, 3.70, 3.50, 2.81, 2.71, 2.51]
    told = ["--for", "old.csv", "split=c4", "--for", "new.csv", "split=pile"]
    said = CliRunner().invoke(group, ["read", str(tmp_path), *told, "--rows", "--json", "-"])
    assert said.exit_code == 0, said.output
    losses = [run["loss"] for run in json.loads(said.stdout)["runs"]]
    assert sorted(losses) == [2.51, 2.71, 2.81, 3.50, 3.70, 3.80]


def test_a_logarithm_is_answered_for_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("run,params,tokens,loss\na,1e7,9,3.5\nb,2e7,9.5,3.3\n")
    (tmp_path / "b.csv").write_text("run,params,tokens,loss\nc,1e7,1e9,3.5\nd,2e7,2e9,3.3\n")
    told = ["--for", "a.csv", "units.tokens=log10"]
    said = CliRunner().invoke(group, ["read", str(tmp_path), *told, "--rows", "--json", "-"])
    assert said.exit_code == 0, said.output
    tokens = [run["tokens"] for run in json.loads(said.stdout)["runs"]]
    assert tokens == pytest.approx([1e9, 10**9.5, 1e9, 2e9])
