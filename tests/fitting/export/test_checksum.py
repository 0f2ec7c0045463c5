"""A saved fit is as it was saved, or is refused; one of a version that wrote no checksum is read as it was."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from fitting import FitError, fit, load_fit, plan

WITHOUT = Path(__file__).parent / "saved" / "without_checksum.json"


@pytest.fixture(scope="module")
def saved(make_runs) -> str:
    """A fit of a table that counts 9ND, with a ratio that falls with size."""
    rng = np.random.default_rng(4)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 5), np.geomspace(1e9, 3e11, 5)))
    loss = (1.8 + 480 * n**-0.35 + 2000 * d**-0.365) * np.exp(0.003 * rng.standard_normal(25))
    runs = make_runs(params=n, tokens=d, loss=loss, flops=9 * n * d * (1 + 0.1 * (n / 1e9) ** -0.3))
    return fit(runs, "chinchilla", resamples=20).to_json()


def leaves(x, at=()):
    """Every number, text and truth value of a JSON body with its place; of a list of numbers three."""
    if isinstance(x, dict):
        for k, v in x.items():
            yield from leaves(v, (*at, k))
    elif isinstance(x, list):
        for i in sorted({0, len(x) // 2, len(x) - 1} & set(range(len(x)))):
            yield from leaves(x[i], (*at, i))
    else:
        yield at, x


def edited(body: dict, at: tuple, what: object) -> str:
    out = copy.deepcopy(body)
    parent = out
    for k in at[:-1]:
        parent = parent[k]
    parent[at[-1]] = what
    return json.dumps(out)


def test_any_value_that_is_changed_is_seen(saved):
    body = json.loads(saved)
    seen = 0
    for at, value in leaves(body):
        if at[0] in ("format", "version"):
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        for what in (value * (1 + 1e-15) + 1e-300 + (value == 0), -value - (value == 0)) if number else ("other",):
            with pytest.raises(FitError, match=r"was changed after it was saved: .* fit the runs again") as said:
                load_fit(edited(body, at, what))
            assert "\n" not in str(said.value), at
            seen += 1
    assert seen > 150


def test_numbers_that_stand_alone_are_seen_too(saved):
    """What a plan rests on and nothing else in the file says."""
    body = json.loads(saved)
    for at, what in (
        (("accounting", "offset"), 0.0),
        (("accounting", "least"), 0.5 * body["accounting"]["least"]),
        (("accounting", "slope"), -body["accounting"]["slope"]),
        (("accounting", "idle"), 1.0),
        (("ranges", "flops", 1), 1.3 * body["ranges"]["flops"][1]),
        (("ranges", "flops", 1), 0.5 * body["ranges"]["flops"][1]),
        (("new_noise", 0), 0.0),
        (("doubt", "share"), 0.0),
        (("new", ), 1.0),
        (("checksum",), None),
        (("checksum",), []),
        (("checksum",), "0" * 64),
    ):  # fmt: skip
        with pytest.raises(FitError, match="was changed after it was saved"):
            load_fit(edited(body, at, what))


def test_the_same_values_written_otherwise_load(saved):
    """Indented, sorted, with whole numbers as integers and large ones in full, as other programs write JSON."""

    def otherwise(x):
        if isinstance(x, dict):
            return {k: otherwise(v) for k, v in reversed(x.items())}
        if isinstance(x, list):
            return [otherwise(v) for v in x]
        return int(x) if isinstance(x, float) and x.is_integer() else x

    text = json.dumps(otherwise(json.loads(saved)), indent=2, ensure_ascii=False)
    assert text != saved
    assert load_fit(saved).to_json() == saved
    assert json.loads(load_fit(text).to_json()) == json.loads(saved)


def test_a_fit_saved_without_a_checksum_loads_to_the_same_numbers():
    """By the closed form of the optimum, with the parameters of the file and 9ND, at which its runs were counted."""
    body = json.loads(WITHOUT.read_text(encoding="utf-8"))
    f = load_fit(WITHOUT)
    assert "checksum" not in body
    assert f.params == body["params"]
    assert {k: f.interval(k).low for k in f.params} == {k: v["low"] for k, v in body["intervals"].items()}
    again = json.loads(f.to_json())
    settings = {**body["settings"], "held_out": []}  # what a fit says since then
    turned = {
        k: [-x for x in body[k]] for k in ("residuals", "new_noise")
    }  # version 1 had them as log fitted less log observed
    since = {k: again[k] for k in ("law_at_ranges", "checksum")}
    words = {"ok": "pass", "note": "caution", "fail": "fail"}  # what a check says, in the words of today
    since["verdicts"] = [{**v, "state": words[v["state"]]} for v in body["verdicts"]]
    assert again == {**body, **turned, **since, "version": 2, "settings": settings}
    assert load_fit(f.to_json()).to_json() == f.to_json()
    a, b = f.params["alpha"], f.params["beta"]
    best = (a * f.params["A"] / (b * f.params["B"])) ** (1 / (a + b)) * (1e23 / 9) ** (b / (a + b))
    found = plan(f, flops=1e23)
    assert found.params.value == pytest.approx(best, rel=1e-9)
    assert found.tokens.value == pytest.approx(1e23 / 9 / best, rel=1e-9)
    # Its numbers were these when it was saved.
    assert tuple(found.params)[:3] == pytest.approx((24549366643.159, 21317663103.989, 26015087564.566), rel=1e-9)
    assert tuple(found.loss)[:3] == pytest.approx((2.037281141906155, 2.016599665120177, 2.055042163665307), rel=1e-9)
