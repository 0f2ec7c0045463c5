"""Runs that did not come to their end are set aside with that reason; repeats of an experiment are runs, copies are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import Runs
from data.states.recognise import plain
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


@pytest.mark.parametrize(("said", "header"), side_by_side(
    ["FAILED", "crash", "crashed", "KILLED", "RUNNING", "aborted", "Aborted", "failed (exit code 1)", "CANCELLED by 1000", "preempted",
     "OUT_OF_MEMORY", "timeout", "Active", "in progress", "unfinished"],
    ["State", "status", "run_state", "job status", "sys/state"],
))  # fmt: skip
def test_runs_that_did_not_end_are_set_aside_with_that_reason(read: Read, header: str, said: str) -> None:
    text = f"run,params,tokens,loss,{header}\n" + "".join(
        f"r{i},{i}e8,2e9,{3 - i / 10},{said if i == 2 else 'finished'}\n" for i in range(1, 6)
    )
    runs = read(text)
    assert runs.kept["run"].tolist() == ["r1", "r3", "r4", "r5"]
    assert runs.reasons == {f"run state: {said}": 1}
    back = read(text, states=[said])
    assert len(back) == 5
    assert not back.reasons


@pytest.mark.parametrize("said", ["finished", "COMPLETED", "done", "success", "Inactive", "closed", ""])
def test_runs_that_ended_are_kept(read: Read, said: str) -> None:
    text = "run,params,tokens,loss,state\n" + "".join(f"r{i},{i}e8,2e9,{3 - i / 10},{said}\n" for i in range(1, 5))
    assert len(read(text)) == 4


def test_a_yes_under_a_word_for_failing(read: Read) -> None:
    runs = read("run,params,tokens,loss,sys/failed\na,1e8,2e9,3,false\nb,2e8,2e9,2.9,true\nc,3e8,2e9,2.8,false\n")
    assert runs.kept["run"].tolist() == ["a", "c"]
    assert runs.reasons == {"run state: failed": 1}


def test_where_every_run_is_marked_they_are_kept_and_it_is_said(read: Read) -> None:
    runs = read("run,params,tokens,loss,State\na,1e8,2e9,3,failed\nb,2e8,2e9,2.9,crashed\n")
    assert len(runs) == 2
    assert any("Every run is marked crashed or failed" in n for n in runs.notes)


def test_a_column_of_states_of_the_world_is_none(read: Read) -> None:
    runs = read("run,params,tokens,loss,state\na,1e8,2e9,3,California\nb,2e8,2e9,2.9,Texas\n")
    assert "state" not in runs.columns
    assert len(runs) == 2


def test_words_of_schedulers() -> None:
    assert plain("CANCELLED by 1000") == "cancelled"
    assert plain("RunStatus.FAILED") == "failed"
    assert plain("OUT_OF_MEMORY") == "out of memory"


# Copies --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "run,params,tokens,loss\nseed-1,1e8,2e9,3.28\nseed-2,1e8,2e9,3.28\n",
        "run,seed,params,tokens,loss\na,1,1e8,2e9,3.28\na,2,1e8,2e9,3.28\n",
        "params,tokens,loss,note\n1e8,2e9,3.28,first\n1e8,2e9,3.28,second\n",
        "run,params,tokens,loss\nbest,1e8,2e9,3.2814\nagain,1e8,2e9,3.2814\n",
        "run,params,tokens,ppl\na,1e8,2e9,26.6\nb,1e8,2e9,26.6\n",
        "params,tokens,loss\n1e8,2e9,3.28\n1e8,2e9,3.28\n",
    ],
)
def test_rounded_losses_under_other_names_or_seeds_are_runs(read: Read, text: str) -> None:
    runs = read(text)
    assert len(runs) == 2
    assert not len(runs.set_aside)


@pytest.mark.parametrize(
    "text",
    [
        "run,params,tokens,loss\na,1e8,2e9,3.281437\nb,1e8,2e9,3.281437\n",  # six digits and more do not repeat by chance
        "run,params,tokens,loss\na,1e8,2e9,3.28143\nb,1e8,2e9,3.28143\n",
        "run,params,tokens,ppl\na,1e8,2e9,26.61371\nb,1e8,2e9,26.61371\n",
        "run,params,tokens,loss\na,1e8,2e9,3.28\na,1e8,2e9,3.28\n",  # the very same row, name and all
    ],
)
def test_rows_that_agree_in_an_unrounded_loss_are_copies(read: Read, text: str) -> None:
    runs = read(text)
    assert len(runs) == 1
    assert runs.reasons == {"identical copy of another row": 1}
    assert len(read(text, keep_copies=True)) == 2


def test_runs_of_two_parametrisations_are_no_copies(read: Read) -> None:
    """At its base width muP is the standard parametrisation, and both measure one loss to the last digit."""
    text = "params,tokens,lr,parametrisation,loss\n1e6,1e8,0.004,standard,3.1234567\n1e6,1e8,0.004,mup,3.1234567\n"
    assert len(read(text)) == 2
    assert len(read(text.replace("standard", "mup"))) == 1


# Words ---------------------------------------------------------------------------------------------------------------


def test_a_loss_that_cannot_be_read_says_which_cells_and_why(read: Read) -> None:
    from data import MappingNeeded

    with pytest.raises(
        MappingNeeded, match=r"'loss' is named like the loss, but none of its 3 cells is a number \('see log'"
    ):
        read("run,params,tokens,loss\na,1e8,2e9,see log\nb,2e8,2e9,see log\nc,3e8,2e9,tbc\n")
    some = read("run,params,tokens,loss\na,1e8,2e9,3.1\nb,2e8,2e9,OOM\nc,3e8,2e9,OOM\nd,4e8,2e9,OOM\n")
    assert some.kept["run"].tolist() == ["a"]
    assert some.reasons == {"loss is not a number ('OOM')": 3}


def test_chosen_by_you_is_said_of_what_a_person_chose() -> None:
    from data import bundled

    for entry in bundled():
        assert not any("chosen by you" in s.how for s in entry.load().sources), entry.key
