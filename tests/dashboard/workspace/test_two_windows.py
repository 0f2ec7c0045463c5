"""Files that come, go and come back: what undo does about them, what they are called, and what another window sees of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.workspace import store as workspace
from dashboard.workspace.store import Workspace

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
STATES = "run,params,tokens,loss,state\n" + "".join(
    f"r{i},{i + 1}e7,{2 * i + 1}e9,{3 - i / 20},{state}\n"
    for i, state in enumerate(["crashed", "crashed", "killed", *["finished"] * 9])
)


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """A function that opens the Runs page, of a new workspace or of one that is there."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))

    def open_window(space: str = "") -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=60)
        if space:
            at.query_params["w"] = space
        return at.run()

    return open_window


def upload(at: AppTest, text: str, name: str = "a.csv") -> None:
    at.get("file_uploader")[0].set_value([(name, text.encode(), "text/csv")]).run()
    assert not at.exception


def identity(at: AppTest) -> str:
    found = at.query_params["w"]
    return found if isinstance(found, str) else str(found[0])


def space(at: AppTest) -> Workspace:
    return workspace.at(identity(at))


def seen(at: AppTest) -> str:
    """All that is said of the data on the page."""
    return " ".join(e.proto.body for e in at.get("html")) + " ".join(b.label for b in at.button if b.key != "redo")


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


def toasts(at: AppTest) -> str:
    return " ".join(t.value for t in at.toast).replace("\\", "")


def test_every_undo_is_seen_also_after_a_file_was_removed(window: Callable[..., AppTest]) -> None:
    at = window()
    first = seen(at)
    upload(at, STATES)
    press(at, "state:0")
    press(at, "state:0")
    views = [seen(at)]
    press(at, "forget")
    assert seen(at) == first
    assert workspace.uploads(space(at)) == ()
    for _ in range(4):  # the file, both states, the file's coming
        assert not at.button(key="undo").proto.disabled
        press(at, "undo")
        assert seen(at) not in views[1:], "an undo that changes nothing"
        views.append(seen(at))
    assert views[0] == views[1]  # the file came back as it was
    assert views[-1] == first
    assert at.button(key="undo").proto.disabled
    for view in [*views[1:4][::-1], first]:
        press(at, "redo")
        assert seen(at) == view


def test_a_file_deleted_for_good_leaves_no_step_behind(window: Callable[..., AppTest]) -> None:
    at = window()
    first = seen(at)
    upload(at, STATES)
    press(at, "state:0")
    press(at, "delete")
    assert seen(at) == first
    assert at.button(key="undo").proto.disabled
    assert not list((space(at).folder / "uploads").iterdir())
    assert "upload" not in (space(at).folder / "settings.json").read_text()


def test_a_file_taken_out_goes_when_room_is_needed_or_no_step_brings_it_back(
    window: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = window()
    upload(at, STATES)
    press(at, "forget")
    monkeypatch.setattr(workspace, "QUOTA", len(STATES) + 10)
    upload(at, STATES.replace("r0,", "q0,"), "b.csv")
    assert [held.name for held in workspace.uploads(space(at))] == ["b.csv"]
    assert len(list((space(at).folder / "uploads").iterdir())) == 1
    monkeypatch.setattr(workspace, "STEPS", 1)
    press(at, "forget")
    for k in range(2):
        workspace.change(space(at), f"another {k}", {"other": k})
    monkeypatch.setattr(workspace, "QUOTA", 10_000)
    upload(at, STATES, "c.csv")
    press(at, "forget")
    assert len(list((space(at).folder / "uploads").iterdir())) == 1


def test_a_name_that_is_there_never_changes(window: Callable[..., AppTest]) -> None:
    at = window()
    for k in range(3):
        upload(at, STATES.replace("r0,", f"q{k},"))
    menu = at.selectbox(key="chosen")
    assert menu.options[:3] == ["a.csv (3)", "a.csv (2)", "a.csv"]
    upload(at, STATES.replace("r0,", "q0,"))  # the first again keeps its name
    menu = at.selectbox(key="chosen")
    assert menu.options[:3] == ["a.csv", "a.csv (3)", "a.csv (2)"]
    press(at, "delete")
    menu = at.selectbox(key="chosen")
    assert menu.options[:2] == ["a.csv (3)", "a.csv (2)"]
    bundled = menu.options[2]
    upload(at, STATES, bundled)
    assert at.selectbox(key="chosen").options[0] == f"{bundled} (2)"


def test_a_press_in_another_window_is_not_taken_for_other_data(window: Callable[..., AppTest]) -> None:
    a = window()
    upload(a, STATES)
    b = window(identity(a))
    press(a, "forget")
    before = workspace.values(space(a))
    press(b, "state:0")
    assert toasts(b) == "a.csv was removed in another window. Undo brings it back."
    assert workspace.values(space(a)) == before
    assert not b.get("file_uploader")[0].value
    press(b, "undo")
    assert "crashed" in seen(b)

    a.run()  # it shows the file again, and the other opens something else
    b.selectbox(key="chosen").select("bundled:simulated-ladder").run()
    before = workspace.values(space(a))
    press(a, "state:0")
    assert "was opened in another window, so nothing was changed" in toasts(a)
    assert workspace.values(space(a)) == before
    press(b, "undo")
    b.run()
    assert not b.toast

    a.run()
    press(b, "delete")
    a.run()
    assert toasts(a) == "a.csv was removed in another window. Upload it again to go on with it."


def test_bringing_back_keeps_the_tab(window: Callable[..., AppTest]) -> None:
    at = window()
    names = [tab.label for tab in at.tabs]
    upload(at, STATES)
    assert [tab.label for tab in at.tabs] == names
    press(at, "state:0")
    assert [tab.label for tab in at.tabs] == names


def test_an_asked_number_starts_empty(window: Callable[..., AppTest]) -> None:
    at = window()
    text = "run,params,tokens,val_bpb\n" + "".join(f"r{i},{i + 1}e7,{i + 1}e9,{1.2 - i / 50}\n" for i in range(12))
    upload(at, text)
    asked = at.number_input(key="asked:bytes_per_token")
    assert asked.value is None
    assert "such as 4" in asked.placeholder
    read = next(b for b in at.button if b.label == "Read the runs")
    read.click().run()
    assert "Still to be answered" in toasts(at)
    assert "how many bytes does a token have" in toasts(at)
    assert at.number_input(key="asked:bytes_per_token").value is None
    at.number_input(key="asked:bytes_per_token").set_value(4.2)
    next(b for b in at.button if b.label == "Read the runs").click().run()
    assert ">12</em> runs" in seen(at)


def test_a_unit_of_each_row_is_what_the_menu_says(window: Callable[..., AppTest]) -> None:
    at = window()
    text = "run,params,tokens,loss,loss_unit\n" + "".join(
        f"r{i},{i + 1}e7,{i + 1}e9,{(3 - i / 20) / (0.6931 if i % 2 else 1):.4f},{'bits' if i % 2 else 'nats'}\n"
        for i in range(12)
    )
    upload(at, text)
    menu = at.selectbox(key="loss_unit")
    assert menu.options[0] == "as each row says"
    assert menu.value == ""
    menu.select("nats").run()
    assert at.selectbox(key="loss_unit").value == "nats"
    at.selectbox(key="loss_unit").select("").run()
    assert at.selectbox(key="loss_unit").value == ""


def test_every_state_has_a_button_that_tells_it_from_the_others(window: Callable[..., AppTest]) -> None:
    at = window()
    cases = {
        "state": (
            ["échoué", "échoué", "已取消", "OOM", "CRASHED", "crashed"],
            ["2 échoué runs", "2 CRASHED runs", "1 已取消 run", "1 OOM run"],
        ),
        "exit_code": (
            [1, 137, 137, "143", "-9"],
            ["2 runs: failed (exit code 137)", *(f"1 run: failed (exit code {code})" for code in ("1", "143", "-9"))],
        ),
    }
    for column, (broken, expected) in cases.items():
        states = [*broken, *(["finished"] * 9 if column == "state" else [0] * 9)]
        rows = "".join(f"r{i},{i + 1}e7,{2 * i + 1}e9,{3 - i / 20},{s}\n" for i, s in enumerate(states))
        upload(at, f"run,params,tokens,loss,{column}\n{rows}", f"{column}.csv")
        shown = [b.label.replace("\\", "") for b in at.button if str(b.key).startswith("state:")]
        assert sorted(shown) == sorted(f"Bring back {one}" for one in expected), column
        for left in range(len(expected) - 1, -1, -1):
            press(at, "state:0")
            assert (
                sum(str(b.key).startswith("state:") for b in at.button) == left + 1
            )  # and one to set them aside again
        assert f">{len(states)}</em> runs" in seen(at), column
