"""A stranger's JSON either is a fit or is refused in one sentence; nothing else comes out of it, then or later."""

from __future__ import annotations

import contextlib
import copy
import json
import math
from typing import Annotated

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data.plain import Whole
from data.plain import read as read_plain
from fitting import Fit, FitError, all_laws, fit, load_fit, plan
from fitting.export.saved import _older_settings
from fitting.settings import Settings
from tests.fitting.laws.plausible import plausible

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.just(-(10**30)),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["inf", "-inf", "nan", "NaN", "1e5", "chinchilla", "fail"]),
    st.lists(
        st.one_of(st.none(), st.integers(-3, 3), st.text(max_size=2), st.lists(st.integers(0, 1), max_size=3)),
        max_size=3,
    ),
    st.dictionaries(st.text(max_size=3), st.integers(-3, 3), max_size=3),
)


@pytest.fixture(scope="module")
def body(noisy) -> dict:
    return older(fit(noisy, resamples=4).to_json())


def older(text: str) -> dict:
    """The body of a saved fit as versions without a checksum wrote it, in which only what is said twice can be held together."""
    out = json.loads(text)
    del out["checksum"]
    return out


def paths(x, at=()):
    """Every place in a JSON value, containers included."""
    yield at
    if isinstance(x, dict):
        for k, v in x.items():
            yield from paths(v, (*at, k))
    elif isinstance(x, list):
        for i, v in enumerate(x[:3]):
            yield from paths(v, (*at, i))


def changed(body: dict, at: tuple, how: str, what) -> object:
    out = copy.deepcopy(body)
    if not at:
        return what
    *way, last = at
    parent = out
    for k in way:
        parent = parent[k]
    if how == "drop":
        del parent[last]
    elif how == "add":
        if isinstance(parent, dict):
            parent["extra"] = what
        else:
            parent.append(what)
    else:
        parent[last] = what
    return out


def use(f: Fit) -> None:
    """Everything a page does with a fit it was handed."""
    assert f.status.sentence
    f.summary()
    f.predict(params=1e9, tokens=1e11)
    f.predict(params=1e9, tokens=1e11, of="run")
    plan(f, flops=1e21)
    f.to_latex()
    exec(f.to_python(), {})
    assert load_fit(f.to_json()).to_json() == f.to_json()


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), how=st.sampled_from(["drop", "replace", "add"]), what=junk)
def test_any_single_change(body, data, how, what):
    at = data.draw(st.sampled_from(list(paths(body))))
    text = json.dumps(changed(body, at, how, what))
    try:
        f = load_fit(text)
    except FitError as e:
        said = str(e)
    else:
        with np.errstate(all="ignore"), contextlib.suppress(FitError):
            use(f)
        return
    assert 0 < len(said) < 400, "one sentence, not the file"
    assert "\n" not in said


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=40))
@example("")
@example("{")
@example("{}")
@example("[]")
@example("null")
@example("{" * 100_000)
@example('{"a":' * 50_000)
@example('{"format": ' + "9" * 6000 + "}")
@example("x" * 5000)
@example("a\0b")
@example("/")
@example("\ufeff{}")
@example('{"format": "isoflop-fit", "version": 1, "law": {"a": []}}')
def test_any_text(text):
    with pytest.raises(FitError) as e:
        load_fit(text)
    assert len(str(e.value)) < 400
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\x89PNG\r\n", b"{\xff}", b"[1, 2]", b"null", b"3"])
def test_any_file(tmp_path, content):
    path = tmp_path / "fit.json"
    path.write_bytes(content)
    with pytest.raises(FitError):
        load_fit(path)


def test_a_folder_or_nothing(tmp_path):
    with pytest.raises(FitError):
        load_fit(tmp_path)
    with pytest.raises(FitError, match="no file"):
        load_fit(tmp_path / "missing.json")


def dropped(body, *at):
    return json.dumps(changed(body, at, "drop", None))


def test_no_number_is_made_up(body):
    """A key that is missing is an error, never a default that moves the plan."""
    for at in (
        ("accounting", "slope"), ("accounting", "offset"), ("accounting", "centre"), ("settings", "delta"),
        ("settings", "seed"), ("settings", "excluded"), ("settings", "count"), ("params", "beta"),
        ("verdicts", 0, "state"), ("ranges", "params"), ("draws",), ("residuals",), ("digest",),
    ):  # fmt: skip
        with pytest.raises(FitError):
            load_fit(dropped(body, *at))


def test_settings_that_versions_added_are_lacking_from_one_on_alone(body):
    """A fit of an older version lacks all that came later; one that lacks a setting and has a later one is damaged."""
    added = [("delta_rule", "intervals", "intervals_reason"), ("prior",), ("weights",), ("held_out",)]
    for k in range(len(added) + 1):
        gone = {name for names in added[k:] for name in names}
        kept = {name: value for name, value in body["settings"].items() if name not in gone}
        read_plain(Annotated[Settings, Whole(_older_settings)], kept)
    for names in added[:-1]:
        for name in names:
            with pytest.raises(FitError, match=f"lacks .*{name}"):
                load_fit(dropped(body, "settings", name))


@pytest.mark.parametrize(
    ("at", "what"),
    [
        (("draws", 0), [1.0] * 10),
        (("draws", 0), [1.0] * 4),
        (("draws", 0, 0), True),
        (("verdicts", 0, "state"), "fine"),
        (("settings", "seed"), "zero"),
        (("settings", "seed"), -1),
        (("settings", "excluded"), "run-1"),
        (("params", "E"), "inf"),
        (("params", "E"), None),
        (("params", "E"), 10**400),
        (("ranges", "params"), [1e10, 1e8]),
        (("residuals", 0), None),
        (("residuals", 0), "inf"),
        (("runs", 0), 5),
        (("objective",), "low"),
        (("law",), "kaplan"),
        (("law",), "../chinchilla"),
        (("version",), 3),
        (("version",), True),
        (("format",), "other"),
    ],
)  # fmt: skip
def test_wrong_kinds_are_refused(body, at, what):
    with pytest.raises(FitError):
        load_fit(json.dumps(changed(body, at, "replace", what)))


@pytest.mark.parametrize("key", list(all_laws()))
def test_a_number_changed_by_hand_is_seen(key, make_runs, scattered):
    """Whatever is said twice, in its values, draws or residuals and in what follows from them."""
    law = all_laws()[key]
    x = scattered(law, "small", n=40, seed=3)
    made = plausible(law, x, np.random.default_rng(3))[0] if law.own_columns else MADE.get(law.p, ())
    values = law.published[0].values if law.published else dict(zip(law.names, map(float, made), strict=True))
    loss = np.clip(law(x, values) * np.exp(0.002 * np.random.default_rng(1).standard_normal(40)), *law.output.bounds)
    whole = older(
        fit(
            make_runs(**x, **{law.output.column: loss}), key, resamples=20, prior="none" if law.has_prior else "auto"
        ).to_json()
    )
    load_fit(json.dumps(whole))
    edits = [
        *((("params", name), 1.0) for name in law.names),
        *((("intervals", name, end), 1.0) for name in law.names for end in ("value", "low", "high")),
        (("objective",), 2 * whole["objective"]),
        (("residuals", 0), whole["residuals"][0] + 1.0),
        (("status",), "unsound" if whole["status"] == "sound" else "sound"),
    ]  # fmt: skip
    for at, what in edits:
        with pytest.raises(FitError, match="damaged"):
            load_fit(json.dumps(changed(whole, at, "replace", what)))


# Constants for laws whose papers give none: a floor and what falls with compute, or breaks.
MADE = {3: (1.7, 900.0, 0.16), 6: (1.7, 40.0, 0.1, 0.2, 1e10, 0.5)}


def test_numbers_survive_to_the_last_bit(body):
    f = load_fit(json.dumps(body))
    assert older(f.to_json()) == body
    assert all(math.isfinite(v) for v in f.params.values())


@pytest.mark.parametrize("key", ["params", "tokens", "loss"])
@pytest.mark.parametrize("factors", [(1.0, 1e3), (1e-3, 1.0), (1.01, 1.0), (1.0, 0.99)])
def test_ranges_are_those_of_the_runs_kept(make_runs, key, factors):
    rng = np.random.default_rng(4)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 6), np.geomspace(1e9, 3e11, 5)))
    loss = (1.8 + 480 * n**-0.35 + 2000 * d**-0.365) * np.exp(0.003 * rng.standard_normal(30))
    body = older(fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=30).to_json())
    assert load_fit(json.dumps(body)).n == 30
    body["ranges"][key] = [v * f for v, f in zip(body["ranges"][key], factors, strict=True)]
    with pytest.raises(FitError, match=f"its runs have {key}"):
        load_fit(json.dumps(body))


def test_what_follows_from_the_rest_of_the_file_is_checked(make_runs):
    """Ranges, FLOP counts, resamples, mixture and what neighbours leave over, of plain, weighted and believing fits."""
    rng = np.random.default_rng(4)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 6), np.geomspace(1e9, 3e11, 5)))
    relative = 0.003 * np.geomspace(0.3, 3.0, 30)
    loss = (1.8 + 480 * n**-0.35 + 2000 * d**-0.365) * np.exp(relative * rng.standard_normal(30))
    runs = make_runs(params=n, tokens=d, loss=loss, loss_error=relative * loss, flops=9 * n * d)
    for asked in (
        {"law": "chinchilla"},
        {"law": "general"},
        {"law": "chinchilla", "weights": "loss_error"},
        {"law": "chinchilla", "exclude": ["run-3"]},
    ):
        text = fit(runs, **{"resamples": 30, **asked}).to_json()
        body = older(text)
        assert load_fit(text).to_json() == text, asked
        far = [2.5 * v for v in body["doubt"]["left"]]
        edits = [
            (("ranges", "flops", 1), 1e30),
            (("ranges", "flops", 0), 1.0),
            (("accounting", "offset"), body["accounting"]["offset"] + 1.0),
            (("accounting", "offset"), body["accounting"]["offset"] - 1.0),
            (("settings", "resamples"), 7),
            (("settings", "resamples"), 4000),
            (("settings", "excluded"), [body["runs"][0]]),
            (("doubt", "noise"), 1.0),
            (("doubt", "ratio"), 1.7),
            (("doubt", "left"), far),
            (("doubt", "mixture", "weight"), 0.9),
            (("doubt", "mixture", "low"), body["doubt"]["mixture"]["low"] - 1.0),
            *([(("objective",), 2 * body["objective"])] if asked["law"] == "chinchilla" else []),
        ]
        for at, what in edits:
            said = ""
            try:
                load_fit(json.dumps(changed(body, at, "replace", what)))
            except FitError as e:
                said = str(e)
            assert "damaged" in said, (asked, at, what)


def test_fits_as_they_come_are_read_back(make_runs, scattered):
    """FLOPs of their own that scatter or are missing, runs far off the law, and more runs than places are kept of."""
    rng = np.random.default_rng(5)
    law = all_laws()["chinchilla"]
    values = law.published[0].values
    for case in ("scatter", "missing", "far off", "many", "active", "no draws", "frontier"):
        x = scattered(law, "small", n=450 if case == "many" else 40, seed=6)
        loss = law(x, values) * np.exp(0.01 * rng.standard_normal(len(x["params"])))
        flops = 6 * x["params"] * x["tokens"]
        more = {}
        if case == "scatter":
            flops = flops * np.exp(0.5 * rng.standard_normal(40))
        if case == "missing":
            flops = np.where(np.arange(40) < 3, flops, np.nan)
        if case == "far off":
            loss[:3] *= (1.5, 0.4, 3.0)
        if case == "active":
            more = {"params_active": x["params"] / 4}
            flops = np.where(np.argsort(np.argsort(flops)) == 39, 40.0, 0.25) * flops
        f = fit(
            make_runs(**x, loss=loss, flops=flops, **more),
            "compute-floor" if case == "frontier" else "chinchilla",
            resamples=0 if case == "no draws" else 20,
        )
        assert load_fit(f.to_json()).to_json() == f.to_json(), case
        if len(f.draws):
            assert load_fit(f.thinned(5).to_json()).n == f.n, case
