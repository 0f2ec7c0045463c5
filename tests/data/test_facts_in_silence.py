"""Facts of tracker exports that once were read wrong without a word: data sizes, nodes, counts left unset, states, names."""

from __future__ import annotations

from collections.abc import Callable

from data import MappingNeeded, Runs

Read = Callable[..., Runs]


def asked(read: Read, text: str, **answers: object) -> dict[str, str]:
    """The keys of the questions that must be answered with the guess of each; empty where the table is read."""
    try:
        read(text, **answers)
    except MappingNeeded as e:
        return {q.key: q.guess for q in e.questions}
    return {}


# Which loss -----------------------------------------------------------------------------------------------------------------------

NO_LOSS = (
    "reducible_loss", "init_val_loss", "loss_init", "first_loss", "initial_loss", "previous_loss", "prev_val_loss", "teacher_loss",
    "reference_loss", "ref_loss", "baseline_loss", "target_loss", "delta_loss", "loss_diff", "smoothed_loss_diff", "loss change",
    "asymptotic_loss", "val_loss count",
)  # fmt: skip


def test_losses_of_other_models_times_and_parts_are_no_run_s_alone(read: Read) -> None:
    for header in NO_LOSS:
        text = f"params,tokens,{header}\n2.5e7,5e8,4.1\n3.5e7,5e8,4.0\n"
        assert asked(read, text) == {"columns.loss": ""}, header


def test_the_number_of_values_behind_a_mean_is_no_loss(read: Read) -> None:
    runs = read("params,tokens,val_loss mean,val_loss std,val_loss count\n2.5e7,5e8,4.1,0.01,3\n3.5e7,5e8,4.0,0.02,3\n")
    assert list(runs.kept["loss"]) == [4.1, 4.0]
    assert list(runs.kept["loss_error"]) == [0.01, 0.02]


# How a run ended ------------------------------------------------------------------------------------------------------------------

ENDED_BADLY = (
    "PRUNED", "TrialState.PRUNED", "OOMKilled", "Evicted", "NotResponding", "Upstream_failed", "SKIPPED", "Unschedulable", "Finalizing",
    "JOB_STATE_EXPIRED", "BackoffLimitExceeded", "InProgress", "COMPLETING", "NODE_FAIL", "completed with errors", "CrashLoopBackOff",
)  # fmt: skip
ENDED_WELL = ("EarlyStopped", "TrialState.COMPLETE", "JOB_STATE_SUCCEEDED", "RunStatus.COMPLETED", "Stopped early")


def states(*words: str) -> str:
    return "name,status,n_params,tokens,val_loss\n" + "".join(
        f"r{i},{w},{i}e7,5e8,{4.5 - i / 10}\n" for i, w in enumerate(words, start=1)
    )


def test_words_of_schedulers_and_trackers_say_how_a_run_ended(read: Read) -> None:
    for word in ENDED_BADLY:
        runs = read(states("Succeeded", word))
        assert runs.reasons == {f"run state: {word}": 1}, word
        assert len(read(states("Succeeded", word), states=[word])) == 2, word
    for word in ENDED_WELL:
        runs = read(states("Succeeded", word))
        assert (len(runs), runs.questions) == (2, ()), word


def test_a_state_that_is_not_known_is_said_and_set_aside_at_one_word(read: Read) -> None:
    text = states("finished", "quarantined", "failed", "finished", "on the shelf", "quarantined")
    runs = read(text)
    (question,) = runs.questions
    assert (question.key, question.options, question.guess, question.needed) == (
        "unknown_states", ("kept", "set aside"), "kept", False,
    )  # fmt: skip
    assert "3 runs" in question.text
    assert "'quarantined' (2), 'on the shelf'" in question.text
    assert runs.kept["run"].tolist() == ["r1", "r2", "r4", "r5", "r6"]
    aside = read(text, unknown_states="set aside")
    assert aside.kept["run"].tolist() == ["r1", "r4"]
    assert aside.reasons["run state: quarantined"] == 2
    assert aside.questions[0].guess == "set aside"
    assert len(read(text, unknown_states="set aside", states=["quarantined"])) == 4


def test_a_pruned_model_is_no_pruned_run(read: Read) -> None:
    assert len(read("model,params,tokens,loss\ngpt (pruned),1e7,1e9,3.4\ngpt (dense),2e7,1e9,3.2\n")) == 2
