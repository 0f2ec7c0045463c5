"""Columns that hold minus the loss: log-likelihoods by their name, and losses whose values are all negative."""

from pathlib import Path

import pytest

from data import read_runs
from data.errors import MappingNeeded
from data.schema import NothingKept, Runs

VALUES = (-2.9, -2.7, -2.4)


def _read(tmp_path: Path, header: str, values: tuple[float, ...] = VALUES, **answers: object) -> Runs:
    rows = [f"{n},{d},{v}" for n, d, v in zip(("25e6", "124e6", "354e6"), ("5e8", "2e9", "7e9"), values, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join([f"params,tokens,{header}", *rows]))
    return read_runs(tmp_path / "t.csv", **answers)  # type: ignore[arg-type]


def test_a_log_likelihood_is_minus_the_loss_and_that_is_said(tmp_path: Path) -> None:
    for header in (
        "log-likelihood",
        "mean log prob",
        "logp/token",
        "avg_logprob",
        "val log likelihood",
        "log_prob",
        "LL",
    ):
        runs = _read(tmp_path, header)
        assert runs.kept["loss"].tolist() == [2.9, 2.7, 2.4], header
        assert any("minus it is the loss" in s.how for s in runs.sources if s.column == "loss"), header


def test_a_loss_of_negative_values_is_asked_about(tmp_path: Path) -> None:
    for header in ("loss", "val_loss", "nll"):
        with pytest.raises(MappingNeeded) as asked:
            _read(tmp_path, header)
        assert [(q.key, q.guess) for q in asked.value.questions] == [("units.loss", "-1")], header
        assert _read(tmp_path, header, units={"loss": "-1"}).kept["loss"].tolist() == [2.9, 2.7, 2.4], header
        assert _read(tmp_path, header, units={"loss": -1}).kept["loss"].tolist() == [2.9, 2.7, 2.4], header


def test_what_is_no_mean_over_tokens_is_not_taken(tmp_path: Path) -> None:
    for header, values in (("log-likelihood", (-2900.0, -2700.0, -2400.0)), ("log-likelihood", (2.9, -2.7, 2.4))):
        with pytest.raises(MappingNeeded) as asked:
            _read(tmp_path, header, values)
        assert asked.value.questions[0].key == "columns.loss", values


def test_a_loss_less_another_one_is_no_likelihood(tmp_path: Path) -> None:
    for header in ("unigram_normalized_loss", "relative loss", "delta_loss"):
        with pytest.raises((NothingKept, MappingNeeded)) as refused:
            _read(tmp_path, header)
        keys = [q.key for q in getattr(refused.value, "questions", ())]
        assert "units.loss" not in keys, header
