"""Plain values are read as they are declared, or refused in a clause that says where, what was expected and what came."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest

from data.plain import (
    After,
    As,
    Before,
    Count,
    End,
    Finite,
    Number,
    PlainError,
    Positive,
    Share,
    Whole,
    array_of,
    at_most,
    each_usable,
    one_of,
    read,
    text,
    usable,
)


@dataclass(frozen=True)
class Part:
    size: Positive = 1.0
    count: Count = 4
    kind: Annotated[str, one_of(("a", "b"))] = "a"
    names: Annotated[tuple[str, ...], at_most(3)] = ()


@dataclass(frozen=True)
class Document:
    part: Annotated[Part, Whole()]
    ends: tuple[End, Finite]
    share: Share
    draws: Annotated[np.ndarray, array_of(list[Number], 2)]


@dataclass(frozen=True)
class Named:
    name: Annotated[str, text(1, 10)] = "none"


GOOD = {
    "part": {"size": "inf", "count": 3, "kind": "b", "names": ["q"]},
    "ends": ["-inf", 2],
    "share": 0.5,
    "draws": [[None, 1], ["inf", 2.5]],
}


def test_json_is_read_as_declared():
    found = read(Document, GOOD)
    assert found.part == Part(math.inf, 3, "b", ("q",))
    assert found.ends == (-math.inf, 2.0)
    np.testing.assert_array_equal(found.draws, [[np.nan, 1.0], [np.inf, 2.5]])


def test_what_is_wrong_is_said_with_its_place():
    part, huge = GOOD["part"], 10**400
    cases = [
        ({"part": part | {"size": "1e5"}}, "part.size should be a number; '1e5' came"),
        ({"part": part | {"size": True}}, "part.size should be a number; True came"),
        ({"part": part | {"size": huge}}, "part.size should be a number; 1000"),
        ({"part": part | {"size": 0}}, "part.size should be greater than 0; 0 came"),
        ({"part": part | {"size": None}}, "part.size should be greater than 0; nan came"),
        ({"part": part | {"count": 1.0}}, "part.count should be a whole number; 1.0 came"),
        ({"part": part | {"count": "3"}}, "part.count should be a whole number; '3' came"),
        ({"part": part | {"kind": "c"}}, "part.kind should be one of 'a', 'b'; 'c' came"),
        ({"part": part | {"kind": []}}, "part.kind should be text; [] came"),
        ({"part": part | {"names": ["1", "2", "3", "4"]}}, "part.names should have at most 3 items; ['1'"),
        ({"part": part | {"names": "abc"}}, "part.names should be a list; 'abc' came"),
        ({"part": part | {"more": 1}}, "part has more; {"),
        ({"part": {k: v for k, v in part.items() if k != "kind"}}, "part lacks kind; {"),
        ({"part": [1]}, "part should be an object; [1] came"),
        ({"ends": [1]}, "ends.1 is missing"),
        ({"ends": [None, 1]}, "ends.0 should be greater than or equal to -inf; nan came"),
        ({"ends": [1, math.nan]}, "ends.1 should be a finite number; nan came"),
        ({"share": 1.5}, "share should be less than or equal to 1; 1.5 came"),
        ({"draws": [[1], [1, 2]]}, "draws should have rows of one length; [[1], [1, 2]] came"),
        ({"draws": [[1]] * 3}, "draws should have at most 2 items; [[1], [1], [1]] came"),
        ({"draws": [1]}, "draws.0 should be a list; 1 came"),
    ]
    for change, said in cases:
        with pytest.raises(PlainError) as caught:
            read(Document, GOOD | change)
        assert str(caught.value).startswith(said), change
        assert len(str(caught.value)) < 150, change
    for wrong in (None, 3, [], "x"):
        with pytest.raises(PlainError, match="should be an object; "):
            read(Document, wrong)


def test_settings_that_make_no_sense_are_left_at_their_defaults():
    assert usable(Part, {"size": 3, "count": -1, "kind": {}, 1: 2, "other": 5}) == Part(size=3.0)
    assert usable(Part, {"names": ["a", 1]}) == usable(Part, None) == usable(Part, [["size", 2]]) == Part()


def test_members_that_make_no_sense_leave_the_others():
    @dataclass(frozen=True)
    class Several:
        counts: Annotated[tuple[Count, ...], each_usable(Count)] = ()

    assert read(Several, {"counts": [1, -1, "x", None, 3]}) == Several((1, 3))
    with pytest.raises(PlainError, match="counts should be a list"):
        read(Several, {"counts": "x"})


def test_a_declaration_loads_no_reader():
    found = subprocess.run(
        [sys.executable, "-c", "import fitting, sys; print('pydantic' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "False"


def test_text_that_no_encoding_holds_is_text():
    name = "half \ud800"
    assert usable(Part, {"names": [name]}).names == (name,)
    assert usable(Named, {"name": name}) == Named(name)
    assert usable(Named, {"name": "x" * 11}) == usable(Named, {"name": ""}) == Named()


def test_a_change_that_cannot_take_a_value_refuses_it():
    @dataclass(frozen=True)
    class Changed:
        before: Annotated[float, Before(lambda x: math.floor(x))] = 0.0
        after: Annotated[Any, After(lambda x: {x: 1}[1])] = 1
        made: Annotated[Any, As(Any, len)] = ()

    assert read(Changed, {"before": 1.5, "after": 1, "made": [3]}) == Changed(1.0, 1, 1)
    for name, odd in (("before", None), ("before", "x"), ("before", math.inf), ("after", []), ("made", 3)):
        with pytest.raises(PlainError, match=f"{name} should be of another kind or size; .* came"):
            read(Changed, {name: odd})
    assert usable(Changed, {"before": None, "made": "ab"}) == Changed(made=2)


def test_an_object_loses_those_entries_that_make_no_sense():
    @dataclass(frozen=True)
    class Named:
        counts: Annotated[dict[str, Count], each_usable(Count)]

    assert read(Named, {"counts": {"a": 1, "b": -1, "c": None, 3: 4}}) == Named({"a": 1})
