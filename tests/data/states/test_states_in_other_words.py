"""How a run ended, said by yes and no, by exit codes, by marks and in other languages: set aside with that reason, or kept."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import pytest

from data import Runs
from data.states.recognise import BROKEN, FINISHED, UNFINISHED, plain
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def table(header: str, cells: list[str]) -> str:
    rows = "".join(f"r{i},{i}e8,2e9,{3 - i / 10},{c}\n" for i, c in enumerate(cells, start=1))
    return f"run,params,tokens,loss,{header}\n" + rows


PAIRS = [("yes", "no"), ("True", "False"), ("1", "0"), ("✓", "✗"), ("✅", "❌"), ("Y", "N"), ("ja", "nein"), ("oui", "non"), ("✔️", "✖️"),
         ("是", "否"), ("1.0", "0.0"), ("TRUE", "FALSE"), ("yes", "no (OOM at step 300)"), ("✓", "x")]  # fmt: skip


def each_once(headers: list[str], cells: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Every header and all cells at least once: the two do not depend on each other."""
    return [(h, *pair) for h, pair in side_by_side(headers, cells)]


@pytest.mark.parametrize(
    ("header", "yes", "no"),
    each_once(
        ["converged", "finished", "success", "completed", "done", "ok", "is_finished", "has converged", "run completed", "Finished?"], PAIRS
    ),
)  # fmt: skip
def test_a_no_under_what_a_run_should_have_come_to(read: Read, header: str, yes: str, no: str) -> None:
    text = table(header, [yes, no, yes, yes])
    runs = read(text)
    assert runs.kept["run"].tolist() == ["r1", "r3", "r4"]
    (reason,) = runs.reasons
    assert reason.startswith("run state: not ")
    assert len(read(text, states=[reason.removeprefix("run state: ")])) == 4


@pytest.mark.parametrize(("said", "answers"), side_by_side(
    [("diverged", "diverged"), ("oom", "oom"), ("nan", "nan"), ("crashed", "crashed"), ("is_nan", "nan"), ("Diverged?", "diverged"),
     ("timed_out", "timed out"), ("loss diverged", "diverged"), ("nan_loss", "nan"), ("killed", "killed")],
    [PAIRS[0], PAIRS[2], PAIRS[4], ("x", "")],
))  # fmt: skip
def test_a_yes_under_what_should_not_become_of_a_run(
    read: Read, said: tuple[str, str], answers: tuple[str, str]
) -> None:
    (header, reason), (yes, no) = said, answers
    text = table(header, [no, yes, no, no])
    runs = read(text)
    assert runs.kept["run"].tolist() == ["r1", "r3", "r4"]
    assert runs.reasons == {f"run state: {reason}": 1}
    assert len(read(text, states=[reason])) == 4


@pytest.mark.parametrize(
    ("header", "good", "bad"),
    each_once(
        ["exit_code", "returncode", "ExitCode", "exit status", "return code", "rc"],
        [("0", "137"), ("0", "1"), ("0", "-9"), ("0:0", "0:9"), ("0:0", "1:0"), ("", "143")],
    ),
)
def test_exit_codes_other_than_zero(read: Read, header: str, good: str, bad: str) -> None:
    text = table(header, [good, bad, good])
    runs = read(text)
    assert runs.kept["run"].tolist() == ["r1", "r3"]
    assert runs.reasons == {f"run state: failed (exit code {bad})": 1}
    assert len(read(text, states=["failed"])) == 3


@pytest.mark.parametrize(
    ("header", "good", "bad"),
    each_once(
        ["status", "Status", "state", "training_status", "Statut", "状态", "estado", "outcome", "notes"],
        [("✅", "❌"), ("✅ done", "❌ failed"), ("🟢", "🔴"), ("fertig", "fehlgeschlagen"), ("abgeschlossen", "Abgebrochen"),
         ("terminé", "échoué"), ("fertig", "Fehler (OOM)"),
         ("Réussi", "erreur: mémoire"), ("completado", "fallido"), ("concluído", "falhou"), ("完成", "失败"),
         ("成功", "失敗"), ("已完成", "运行中"), ("完了", "実行中"), ("완료", "실패"), ("завершено", "ошибка"),
         ("", "exit code 1"), ("exit 0", "exit 137"),
         ("converged", "diverged")],
    ),
)  # fmt: skip
def test_marks_and_other_languages(read: Read, header: str, good: str, bad: str) -> None:
    if "avec" in bad or good == "läuft":
        pytest.skip("no word for an end, or two for none: the tables below say what becomes of them")
    text = table(header, [good, bad, good, good])
    runs = read(text)
    assert runs.kept["run"].tolist() == ["r1", "r3", "r4"]
    assert runs.reasons == {f"run state: {bad}": 1}
    assert len(read(text, states=[bad])) == 4


def test_where_every_run_is_so_marked_they_are_kept_and_it_is_said(read: Read) -> None:
    for text in (
        table("finished", ["no"] * 3),
        table("exit_code", ["1", "2", "137"]),
        table("status", ["❌", "失败", "läuft"]),
    ):
        runs = read(text)
        assert len(runs) == 3
        assert any(note.startswith("Every run is marked ") for note in runs.notes)


@pytest.mark.parametrize(
    ("header", "cells"),
    [("completed", ["0.5", "1", "0.7"]), ("finished", ["2024-05-01", "2024-05-02", ""]), ("nan", ["0", "17", "3"]), ("ok", ["1", "1", "1"]),
     ("exit_code", ["SIGKILL?", "0", "0"]), ("notes", ["done", "see failed", "a long story"]), ("converged", ["", "-", "nan"]),
     ("rc", ["a", "b", "c"]), ("done", ["later", "maybe", "soon"]), ("diverged", ["", "no", "No"])],
)  # fmt: skip
def test_what_is_no_yes_or_no_sets_nothing_aside(read: Read, header: str, cells: list[str]) -> None:
    assert len(read(table(header, cells))) == 3


def test_no_word_says_two_things() -> None:
    assert not FINISHED & BROKEN
    assert not FINISHED & UNFINISHED
    assert not BROKEN & UNFINISHED
    for word in FINISHED | BROKEN | UNFINISHED:
        assert word


@pytest.mark.parametrize(
    ("cell", "word"),
    [("❌", "failed"), ("✔️", "finished"), ("❌ OOM", "oom"), ("Échoué", "echoue"), ("exit 0", "finished"), ("Exit code: 9", "failed"),
     ("Abgestürzt: kein Speicher", "abgesturzt"), ("¯", "")],
)  # fmt: skip
def test_words_of_cells(cell: str, word: str) -> None:
    assert plain(cell) == word


def test_a_word_for_a_failure_counts_whatever_the_other_words_are(read: Read) -> None:
    odd = [f"remark {i}" for i in range(20)]  # more words than a column of states has
    failures = cycle(("failed", "crash", "crashed", "timeout", "rejected", "discard"))
    for header in ("status", "state", "outcome", "result"):
        for others, unknown in (
            (["keep"] * 4, 0), (["trained; gate PASS"] * 4, 1), (odd, 1), (["fine", "fine", "infra"], 1), (["finished"] * 2, 0),
        ):  # fmt: skip
            bad = next(failures)
            runs = read(table(header, [*others[:2], bad, *others[2:]]))
            assert runs.kept["run"].tolist() == [f"r{i}" for i in range(1, len(others) + 2) if i != 3], (
                header,
                others,
                bad,
            )
            assert runs.reasons == {f"run state: {bad}": 1}, (header, others, bad)
            assert [q.key for q in runs.questions] == ["unknown_states"] * unknown, (header, others, bad)
    numbers = read(table("result", ["3.1", "2.9", "failed", "2.7"]))
    assert len(numbers) == 4  # a column of numbers says no states
