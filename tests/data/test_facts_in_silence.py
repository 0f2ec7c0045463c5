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
