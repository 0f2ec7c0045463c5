"""The Fit page's controls in the words a browser shows: chip, menus and remarks speak of the fit that is drawn."""

from __future__ import annotations

import random
import re
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import fitting
from dashboard import state, widgets
from dashboard.fit import controls as fit_controls
from dashboard.fit import words as fit_words
from dashboard.fit.settings import INTERVALS, POSTERIOR
from dashboard.workspace import store as workspace
from data.library import load
from fitting import Fit

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
SOURCE = "simulated-ladder"
LAWS = ("auto", "general", "chinchilla", "kaplan", "compute-floor")
CHOICES = (
    *[("fit_law", law) for law in LAWS],
    *[("fit_delta", delta) for delta in ("auto", 1e-3)],
    *[("fit_intervals", way) for way in ("auto", "runs")],
    ("undo", None),
    ("redo", None),
)


class Browser:
    """What a browser shows in each menu: the words of its choice, until the server writes a value again."""

    def __init__(self, at: AppTest) -> None:
        self.at, self.shown = at, dict[str, str]()
        self.take()

    def take(self) -> None:
        """What the run that just ended changes in the menus."""
        assert not self.at.exception
        there = {}
        for menu in self.at.selectbox:
            proto = menu.proto
            kept = self.shown.get(proto.id)
            there[proto.id] = proto.raw_value if proto.set_value or kept is None else kept
            assert there[proto.id] in list(menu.options), f"{menu.label}: {there[proto.id]!r} is none of {menu.options}"
        self.shown = there

    def do(self, key: str, value: object) -> None:
        """Choose in a menu, or press undo or redo where there is something to."""
        if key in ("undo", "redo"):
            button = self.at.button(key=key)
            if button.disabled or "settings" in button.help:  # the first step chose the data
                return
            button.click().run()
        else:
            menu = self.at.selectbox(key=key)
            self.shown[menu.proto.id] = menu.format_func(value)
            menu.select(value).run()
        self.take()

    def said(self, key: str) -> str:
        """The words shown in a menu."""
        return self.shown[self.at.selectbox(key=key).proto.id]

    @property
    def page(self) -> str:
        """All that the page says outside its widgets, as plain text."""
        return unescape(re.sub(r"<[^>]+>", " ", " ".join(e.proto.body for e in self.at.get("html"))))


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """The Fit page on the bundled ladder, with few refits, as a browser shows it."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    space = workspace.new()
    source = f"bundled:{SOURCE}"
    workspace.change(space, "settings", {"source": source, f"fit:{source}": {"resamples": 500}})
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["w"] = space.id
    at.switch_page("views/fit.py")
    return Browser(at.run())


@pytest.fixture(scope="module", autouse=True)
def fitted(fit_once):
    """The page's fits are those that are made here: of the same runs, with the same settings, or they are others."""
    yield fit_once
    fit_made_here.cache_clear()


@cache
def fit_made_here(**asked: object) -> Fit:
    return fitting.fit(load(SOURCE), **asked, resamples=500)


def agrees(browser: Browser) -> None:
    """Chip, menus and remarks against the fit that their settings give, made here without any page."""
    asked = {key: browser.at.selectbox(key=f"fit_{key}").value for key in ("law", "delta", "intervals")}
    f = fit_made_here(**asked)
    page = browser.page
    for chip in fit_words.chips(f):
        assert f"{chip.strong}  {chip.rest}" in page
    if asked["law"] == "auto":
        assert browser.said("fit_law") == f"Recommended: {f.law.title}"
        assert f.settings.law_reason[1:] in page
    else:
        assert browser.said("fit_law") == f.law.title
        assert "varies" not in page
    if asked["delta"] == "auto":
        assert browser.said("fit_delta") == f"auto: {f.settings.delta:.2g}, from the noise"
    else:
        assert browser.said("fit_delta") == "0.001"
    if asked["intervals"] == "auto":
        assert browser.said("fit_intervals") == f"auto: {(INTERVALS | POSTERIOR)[f.settings.intervals]}"
        assert f.settings.intervals_reason[1:] in page
    else:
        assert browser.said("fit_intervals") == INTERVALS["runs"]
        assert "resampled separately" not in page


def test_back_from_another_law_every_word_is_of_the_fit_that_is_shown(browser):
    agrees(browser)
    for law in ("chinchilla", "auto", "kaplan", "auto"):
        browser.do("fit_law", law)
        agrees(browser)


@pytest.mark.parametrize("seed", range(4))
def test_after_any_choices_in_any_order_too(browser, seed):
    for key, value in random.Random(seed).choices(CHOICES, k=8):
        browser.do(key, value)
        agrees(browser)


def test_words_of_another_fit_choose_nothing(monkeypatch):
    """A press can overtake the page: what it names is then written on no menu any more."""
    changed = []
    monkeypatch.setattr(fit_controls.st, "session_state", {"fit_delta": "auto: 0.0067, from the noise"})
    monkeypatch.setattr(fit_controls.state, "set_fit", lambda *given, **by: changed.append(by))
    fit_controls._keep("delta", {"auto": "auto"})
    assert changed == []


# --- changes that come faster than the page -----------------------------------------------------------------------------


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A function that opens the Fit page of a workspace, in a session of its own."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    space = workspace.new()
    source = f"bundled:{SOURCE}"
    workspace.change(space, "settings", {"source": source, f"fit:{source}": {"resamples": 500}})

    def start(**address: str) -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=120)
        at.query_params["w"] = space.id
        for name, value in address.items():
            at.query_params[name] = value
        return at.switch_page("views/fit.py").run()

    return start


def written(at: AppTest, key: str) -> bool:
    """Whether the run that just ended writes a value over what the browser shows in a menu."""
    assert not at.exception
    return bool(at.selectbox(key=key).proto.set_value)


def test_what_was_chosen_is_not_written_over_the_next_choice(opened):
    at = opened()
    for law in ("kaplan", "kaplan-params", "chinchilla"):
        at.selectbox(key="fit_law").select(law).run()
        assert not written(at, "fit_law")


def test_an_undo_is_written_and_so_is_what_is_chosen_right_after_it(opened, monkeypatch):
    at = opened()
    at.selectbox(key="fit_law").select("kaplan").run()
    at.selectbox(key="fit_law").select("chinchilla").run()
    at.button(key="undo").click().run()
    assert written(at, "fit_law")
    at.selectbox(key="fit_law").select("kaplan-params").run()
    assert written(at, "fit_law")  # the browser may still come to show what the undo wrote
    monkeypatch.setattr(widgets, "SETTLING", -1.0)
    at.button(key="undo").click().run()
    at.selectbox(key="fit_law").select("chinchilla").run()
    assert not written(at, "fit_law")


@pytest.mark.parametrize("law", ["kaplan", "chinchilla"])
def test_an_address_that_is_behind_brings_nothing_back(opened, law):
    at = opened()
    at.selectbox(key="fit_law").select(law).run()
    at.selectbox(key="fit_law").select("kaplan-params").run()
    for behind in (law, "kaplan-params"):
        at.button(key="undo").click().run()
        wanted = at.selectbox(key="fit_law").value
        at.query_params["law"] = behind  # what the browser still has when the next thing is pressed
        at.run()
        assert at.selectbox(key="fit_law").value == wanted
        assert "address" not in at.button(key="undo").help


def test_a_reload_that_cuts_a_change_short_keeps_the_change(opened):
    at = opened()
    at.selectbox(key="fit_law").select("kaplan").run()
    at.selectbox(key="fit_law").select("kaplan-params").run()
    again = opened(law="kaplan", resamples="500")
    assert again.selectbox(key="fit_law").value == "kaplan-params"
    again.query_params["law"] = "kaplan"
    assert again.run().selectbox(key="fit_law").value == "kaplan-params"


def test_an_address_opened_later_brings_its_settings(opened, monkeypatch):
    at = opened()
    at.selectbox(key="fit_law").select("kaplan-params").run()
    monkeypatch.setattr(state, "LATELY", 0.0)
    assert opened(law="kaplan").selectbox(key="fit_law").value == "kaplan"
