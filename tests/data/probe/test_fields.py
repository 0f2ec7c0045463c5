"""The fields of a run: the table of data/README.md is that of the dataclass, and a field's usual name elsewhere gets a hint."""

from __future__ import annotations

import json
from dataclasses import fields as of

import pytest

from data.errors import DataError
from data.plain import plain
from data.probe.fields import FOLLOWS, MEANT, as_text, listed
from data.probe.spec import Spec, spec
from data.probe.sweep import DESIGNS, sweep


def test_the_table_has_each_field_with_its_default_in_the_order_of_the_spec():
    said = {field.name: field.default for field in listed()}
    held = plain(Spec())
    assert [*said] == [field.name for field in of(Spec)]
    for name, default in held.items():
        assert said[name] == (default if isinstance(default, str) else json.dumps(default)), name
    assert all(field.meaning for field in listed())
    text = as_text((name, one.title, dict(one.own)) for name, one in DESIGNS.items())
    assert all(name in text for name in (*held, *DESIGNS))


def test_what_others_call_a_field_is_a_field_here_and_stands_once():
    names = {field.name for field in of(Spec)}
    assert set(MEANT) <= names
    others = [other for each in MEANT.values() for other in each]
    assert len(others) == len(set(others))
    assert not names & {*others, *FOLLOWS}
    assert not set(others) & set(FOLLOWS)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("d_model", "it is called 'width' here"),
        ("n_embd", "it is called 'width' here"),
        ("num_layers", "it is called 'depth' here"),
        ("learning_rate", "it is called 'lr' here"),
        ("batch_size", "it is called 'batch' here"),
        ("block_size", "it is called 'seq_len' here"),
        ("optimizer", "it is called 'optimiser' here"),
        ("Width", "it is called 'width' here"),
        ("seeds", "it is called 'seed' here"),
        ("params_nonembed", "follows from 'width' and 'depth'"),
        ("params", "follows from 'width' and 'depth'"),
        ("max_steps", "follows from 'tokens'"),
        ("weight_decy", "the nearest by spelling is 'weight_decay'"),
    ],
)
def test_a_usual_name_gets_the_one_here(name, hint):
    for read in (sweep, spec):
        with pytest.raises(DataError, match=f"has no field '{name}'") as said:
            read({name: 3})
        assert hint in str(said.value)


def test_all_unknown_fields_are_named_at_once():
    with pytest.raises(DataError) as said:
        sweep({"d_model": [16, 32], "learning_rate": 1e-3, "zzzz": 1, "tokens": 1e5})
    assert "'d_model' (it is called 'width' here), 'learning_rate' (it is called 'lr' here), 'zzzz'." in str(said.value)
    assert "isoflop probe --fields" in str(said.value)


def test_a_sweep_in_place_of_a_run_is_told_which_command_makes_it():
    """The user gave the trainer a sweep: it had no field 'design'."""
    with pytest.raises(DataError, match="isoflop probe FILE --out FOLDER"):
        spec({"design": "isoflop", "flops": [1e12], "width": [16]})
