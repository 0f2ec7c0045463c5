"""What tells a run that diverged from one that knows its text by heart, and times of a process from those of a run."""

from __future__ import annotations

import math
import time

import pytest

from data.probe.folder import Folder
from data.probe.spec import spec
from data.probe.trainer import run as running
from data.probe.trainer.device import device
from data.probe.trainer.run import make
from data.probe.trainer.since import Since

TINY = {"width": 8, "depth": 1, "seq_len": 32, "vocab": 64, "batch": 4, "tokens": 4e4, "evals": 3, "eval_tokens": 1024}
LEARNS = {**TINY, "unique_tokens": 1, "lr": 0.03, "schedule": "constant"}


def declared(tmp_path, **fields):
    folder = Folder(tmp_path / "run")
    folder.declare(spec({**TINY, **fields}))
    return folder


def test_a_run_that_knows_its_few_tokens_by_heart_is_done(tmp_path):
    folder = declared(tmp_path, **LEARNS)
    assert make(folder, device("cpu")).state == "done"
    last = [*folder.rows()][-1]
    assert last["loss"] > math.log(64) + running.ABOVE
    assert last["train_loss"] < 1.0


@pytest.mark.parametrize(
    ("trained", "held_out", "said"),
    [
        (9.0, 9.0, "The training loss was 9 and the held-out loss 9"),
        (0.1, 9.0, ""),
        (9.0, 1.0, ""),
        (1.0, math.inf, "no finite number"),
        (1.0, math.nan, "no finite number"),
    ],
)
def test_what_says_that_a_run_has_diverged(trained, held_out, said):
    found = running._diverged(trained, held_out, 5.0)
    assert said in found
    assert bool(said) == bool(found)


def test_times_after_a_resume_are_of_the_steps_of_its_process(tmp_path):
    folder = declared(tmp_path, evals=1)
    make(folder, device("cpu"), steps=200)
    make(folder, device("cpu"), steps=2)  # within the first steps of a process, of which no time counts
    make(folder, device("cpu"))
    (row,) = folder.rows()
    assert row["data_seconds"] <= row["step_seconds"]
    since = Since(steps=200, loss=200.0)
    since.seconds, since.data_seconds = [1.0, 3.0], [0.25, 0.75]
    assert {k: v for k, v in since.row().items() if "seconds" in k} == {
        "step_seconds": 2.0, "step_seconds_p90": pytest.approx(2.8), "data_seconds": 0.5,
    }  # fmt: skip
    assert since.row()["train_loss"] == 1.0
    assert "data_seconds" not in since.plain()


def test_a_clock_that_is_set_back_silences_no_run(tmp_path, monkeypatch):
    folder = declared(tmp_path)
    monkeypatch.setattr(running, "SAY_EVERY", 0.0)
    real, said = time.time, []
    monkeypatch.setattr(Folder, "say", lambda self, status: said.append(status.heartbeat))
    monkeypatch.setattr(time, "time", lambda: real() - 1e6 * len(said))
    make(folder, device("cpu"), steps=20)
    assert len(said) >= 20
