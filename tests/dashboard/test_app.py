"""The shell of the page: pages that exist, a workspace that is found again, and no traceback that gets through."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import error_messages, state, widgets
from dashboard.workspace import store as workspace
from data.errors import ReadError

ENTRY = Path(dashboard.__file__).parent / "app.py"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def app() -> Callable[..., AppTest]:
    def start(**query: str) -> AppTest:
        at = AppTest.from_file(str(ENTRY), default_timeout=30)
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()

    return start


def text(at: AppTest) -> str:
    """Everything the page says in HTML."""
    return "\n".join(str(element.proto.body) for element in at.get("html"))


def test_a_newcomer_sees_runs_and_leaves_nothing_on_disk(app: Callable[..., AppTest], own_home: Path) -> None:
    at = app()
    assert not at.exception
    assert "runs from" in text(at)
    assert "w" not in at.query_params
    assert not own_home.exists()


def test_only_pages_that_exist_are_listed(app: Callable[..., AppTest]) -> None:
    at = app()
    for view in (ENTRY.parent / "views").glob("[a-z]*.py"):
        at.switch_page(f"views/{view.name}").run()
        assert not at.exception, view


def test_the_first_change_puts_the_workspace_in_the_address(app: Callable[..., AppTest], own_home: Path) -> None:
    at = app()
    at.selectbox(key="chosen").select("bundled:simulated-ladder").run()
    identity = at.query_params["w"]
    assert workspace.IDENTITY.fullmatch(identity)
    assert [path.name for path in (own_home / "workspaces").iterdir()] == [identity]
    assert "Simulated ladder" in text(at)
    # Another session, a refresh or a new server finds everything by the address alone.
    again = app(w=identity)
    assert "Simulated ladder" in text(again)
    assert again.query_params["w"] == identity


@pytest.mark.parametrize("wrong", ["0" * 32, "../../etc", "<script>", "x" * 5000])
def test_an_address_that_is_not_here_opens_a_new_workspace(app: Callable[..., AppTest], wrong: str) -> None:
    at = app(w=wrong)
    assert not at.exception
    assert "not on this machine" in at.toast[0].value.replace("\\", "")
    assert "w" not in at.query_params
    assert "runs from" in text(at)


def test_two_sessions_do_not_see_each_other(app: Callable[..., AppTest]) -> None:
    one, other = app(), app()
    one.selectbox(key="chosen").select("bundled:simulated-ladder").run()
    other.run()
    assert "Simulated ladder" not in text(other)


def test_an_unforeseen_error_is_a_sentence_and_the_details_go_to_the_log(
    app: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("secret detail <b>")

    monkeypatch.setattr(state, "reading", broken)
    with caplog.at_level(logging.ERROR):
        at = app()
    assert not at.exception
    assert "Something went wrong inside Isoflop" in text(at)
    assert "secret detail" not in text(at)
    assert "ZeroDivisionError" in caplog.text


def test_an_error_for_people_is_shown_as_it_is(app: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise ReadError("expected a table <img src=x>; a poem came")

    monkeypatch.setattr(state, "reading", refused)
    at = app()
    assert "expected a table &lt;img src=x&gt;; a poem came" in text(at)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "more memory"),
        (OSError(28, "No space left on device", "/home/someone/secret"), "could not be read or written"),
        (ValueError("numpy says no"), "Something went wrong"),
        (workspace.WorkspaceError("This file is gone."), "This file is gone."),
    ],
)
def test_what_a_person_is_told(error: Exception, said: str) -> None:
    sentence, todo = error_messages.message_of(error)
    assert said in sentence
    assert "secret" not in sentence + todo


NASTY = (
    "**b** _i_ `c` [x](javascript:alert(1)) <i>h</i> :red[r] $x^2$ ![](http://a.b) # h\n- l ~s~ :material/home: & a_b*c"
)


def test_names_in_markdown_are_shown_letter_for_letter() -> None:
    shown = widgets.literal(NASTY)
    assert shown.replace("\\", "") == " ".join(NASTY.split())
    for sign in "*_`[<:$!#~&":
        assert all(shown[i - 1] == "\\" for i, found in enumerate(shown) if found == sign)


def test_names_in_html_are_shown_letter_for_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("streamlit.html", lambda body, **_: written.append(str(body)))
    widgets.chips([widgets.Chip(NASTY, NASTY)])
    widgets.answer("{a} runs of <b>", NASTY, a=NASTY)
    widgets.counts({NASTY: 3})
    widgets.quiet(NASTY)
    widgets.trouble(NASTY, NASTY)
    assert "&lt;b&gt;" in written[1]
    for body in written:
        assert "<i>h</i>" not in body
        assert "&lt;i&gt;h&lt;/i&gt;" in body


def test_a_sentence_may_hold_braces_only_as_values() -> None:
    written: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamlit.html", lambda body, **_: written.append(body))
        widgets.answer("{n} runs", n="{0.__class__}")
    assert "{0.__class__}" in written[0]
