"""The judge of readings calls right what is right, and can call each kind of wrong by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.data.judge import judge

TEXT = "params,tokens,loss\n" + "".join(f"{n}e6,{n * 20}e6,{4 - n / 20}\n" for n in range(1, 9))
RIGHT: dict[str, Any] = {
    "runs": 8,
    "columns": {
        "params": [n * 1e6 for n in range(1, 9)],
        "tokens": [n * 2e7 for n in range(1, 9)],
        "loss": [4 - n / 20 for n in range(1, 9)],
    },
    "history": None,
}
THREE = TEXT.replace("loss", "C4 loss").replace("\n", ",9.0\n").replace("C4 loss,9.0", "C4 loss,Pile loss")


def changed(name: str, factor: float) -> dict[str, Any]:
    return {**RIGHT, "columns": {**RIGHT["columns"], name: [v * factor for v in RIGHT["columns"][name]]}}


@pytest.mark.parametrize(
    ("text", "answer", "kind"),
    [
        (TEXT, RIGHT, "right"),
        (TEXT, changed("params", 1e3), "WRONG IN SILENCE"),
        (TEXT, changed("loss", 1.001), "WRONG IN SILENCE"),
        (TEXT, {**RIGHT, "columns": {**RIGHT["columns"], "loss": RIGHT["columns"]["loss"][::-1]}}, "WRONG IN SILENCE"),
        (TEXT, {**RIGHT, "runs": 7}, "WRONG IN SILENCE"),
        (TEXT, {**RIGHT, "history": [8, 8]}, "WRONG IN SILENCE"),
        (TEXT, {**RIGHT, "asks": ["units.tokens"], "given": {"units.tokens": 1.0}}, "WRONG IN SILENCE"),
        (TEXT, {**RIGHT, "never": {"params": [1e6]}}, "WRONG IN SILENCE"),
        (TEXT, {"outcome": "refused or asked"}, "WRONG IN SILENCE"),
        (TEXT, {**RIGHT, "columns": {**RIGHT["columns"], "lr": [1e-3] * 8}}, "column missed"),
        (TEXT.replace("3.6", "x"), RIGHT, "set aside wrongly"),
        (TEXT.replace("params", "n_params").replace("3.6", "x"), changed("tokens", 2), "WRONG IN SILENCE"),
        (TEXT + "mean,,\n", {**RIGHT, "set_aside": [0, 1]}, "right"),
        (TEXT + "mean,,\n", RIGHT, "set aside wrongly"),
        ("", RIGHT, "refused"),
        (THREE, RIGHT, "asked needlessly"),
        (THREE, {**RIGHT, "asks": ["columns.loss"], "given": {"columns.loss": "c4-loss"}}, "asked"),
        (THREE, {**RIGHT, "may_ask": ["*"], "given": {"columns.loss": "Pile loss"}}, "WRONG IN SILENCE"),
        (THREE, {**RIGHT, "may_ask": ["*"], "given": {"columns.loss": "there is none"}}, "cannot be answered"),
    ],
)
def test_a_reading_is_called_what_it_is(tmp_path: Path, text: str, answer: dict[str, Any], kind: str) -> None:
    (tmp_path / "runs.csv").write_text(text)
    verdict = judge(tmp_path / "runs.csv", answer)
    assert verdict.kind == kind, verdict
