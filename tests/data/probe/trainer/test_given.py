"""What a trainer is given in a terminal: a spec as JSON or as a file, and one sentence for what is neither."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.probe.spec import MOST_SEED
from data.probe.trainer import __main__ as trainer

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ('{"stages": ' + DEEP + "}", "What was given is no spec: its brackets are nested too deep."),
        ('{"seed": ' + "1" * 5000 + "}", "a number of 5,000 digits stands in it"),
        (f'{{"seed": {2**64 - 1}}}', "seed should be less than or equal to"),
        ("{", "What was given is no JSON"),
        ("[1]", "[1] cannot be read: No such file or directory."),
        ("x" * 5000, "cannot be read: File name too long."),
        ("a\0b", "cannot be read: embedded null byte."),
    ],
)
def test_what_is_no_spec_is_said_in_a_sentence(tmp_path, monkeypatch, capsys, given, sentence):
    monkeypatch.setattr("sys.argv", ["trainer", given, str(tmp_path / "run"), "--device", "cpu"])
    assert trainer.main() == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_file_of_deep_brackets_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "deep.json").write_text(DEEP)
    monkeypatch.setattr("sys.argv", ["trainer", str(tmp_path / "deep.json"), str(tmp_path / "run"), "--device", "cpu"])
    assert trainer.main() == 2
    assert "deep.json is no spec: its brackets are nested too deep." in capsys.readouterr().err


def test_the_largest_seed_is_trained_with_all_its_measures(tmp_path, monkeypatch):
    what = {"seed": MOST_SEED, "width": 8, "depth": 1, "tokens": 2000, "seq_len": 32, "evals": 2, "eval_tokens": 512}
    what |= {"measure": ["noise", "hessian", "coordinates", "distance"], "lr": 0.01}
    for name, more in (("one", {}), ("mixed", {"pools": [{"corpus": "synthetic", "share": 1.0}]})):
        monkeypatch.setattr("sys.argv", ["trainer", json.dumps(what | more), str(tmp_path / name), "--device", "cpu"])
        assert trainer.main() == 0
