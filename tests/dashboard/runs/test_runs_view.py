"""The Runs page: what it says, what it asks, what it sets aside, and what it makes of bad files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.workspace import store as workspace
from data.table import Table

ENTRY = Path(dashboard.__file__).parent / "app.py"
ROWS = "".join(f"r{i},{i}e6,{j}e9,{4 - 0.1 * i - 0.05 * j:.3f}\n" for i in range(1, 6) for j in (1, 2))
TABLE = "Experiment,# weights,Tokens Seen,eval loss\n" + "".join(
    f"{row.split(',')[0]}-{k}," + row.split(",", 1)[1] for k, row in enumerate(ROWS.splitlines(keepends=True))
)
TWO_LOSSES = "name,N,D,test_loss,val_loss\n" + "".join(
    f"r{i},{i}e6,{i}e9,{3 - i / 9:.3f},{3.1 - i / 9:.3f}\n" for i in range(1, 9)
)
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "**bold** [link](javascript:alert(1))",
    "<b>%{x}</b><br><a href='http://evil.example'>x</a>",
    "=HYPERLINK(1)",
    "$x^2$ :red[x]",
]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def page() -> Callable[..., AppTest]:
    """A function that opens the Runs page, with a file uploaded when one is given."""

    def start(content: str | bytes | None = None, name: str = "mine.csv") -> AppTest:
        at = AppTest.from_file(str(ENTRY), default_timeout=30).run()
        return at if content is None else upload(at, content, name)

    return start


def upload(at: AppTest, content: str | bytes, name: str = "mine.csv") -> AppTest:
    at.file_uploader[0].upload(name, content.encode() if isinstance(content, str) else content).run()
    assert not at.exception
    return at


def text(at: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in at.get("html"))


def figure(at: AppTest) -> Any:
    return json.loads(at.get("plotly_chart")[0].proto.spec)


def space(at: AppTest) -> workspace.Workspace:
    found = workspace.find(at.query_params["w"])
    assert found is not None
    return found


def test_the_first_page_shows_the_bundled_sweep(page: Callable[..., AppTest]) -> None:
    at = page()
    assert "<em" in text(at)
    assert ">35</em> runs from" in text(at)
    assert ">2</em> held out" in text(at)
    kept, held, aside = figure(at)["data"][::-1]
    assert (kept["name"], held["name"], aside["name"]) == ("kept", "held out", "set aside")
    assert held["marker"]["symbol"] == "diamond-open"
    assert len(at.data_editor[0].value) == 35
    assert at.data_editor[0].value["use"].all()
    assert list(at.data_editor[0].value["role"]).count("held out") == 2


def test_menus_of_columns_read_each_column_once_and_only_its_first_rows(
    page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = [f"extra {i}" for i in range(30)]
    rows = [
        f"r{i},{i}e6,{i}e9,{4 - i / 999:.4f}," + ",".join(f"cell {i} {k}" for k in range(30)) for i in range(1, 300)
    ]
    at = page("\n".join(["run,params,tokens,loss," + ",".join(wide), *rows]))
    read: list[tuple[str, int | None]] = []
    text_of = Table.text

    def noted(table: Table, header: str, rows: int | None = None) -> Any:
        read.append((header, rows))
        return text_of(table, header, rows)

    monkeypatch.setattr(Table, "text", noted)
    at.run()
    assert not at.exception
    named = [header for header, rows in read if rows is not None]
    assert sorted(named) == sorted({"run", "params", "tokens", "loss", *wide})
    assert max(rows for _, rows in read if rows is not None) <= 200
    menu = at.selectbox(key="column:loss").options
    assert "extra 7   (cell 1 7, cell 2 7, cell 3 7)" in menu


def test_unusual_names_are_recognised_and_kept_at_once(page: Callable[..., AppTest]) -> None:
    at = page(TABLE)
    assert ">10</em> runs from" in text(at), text(at)
    assert [held.name for held in workspace.uploads(space(at))] == ["mine.csv"]
    assert at.selectbox(key="column:params").value == "# weights"
    assert at.selectbox(key="column:loss").value == "eval loss"
    again = AppTest.from_file(str(ENTRY), default_timeout=30)
    again.query_params["w"] = at.query_params["w"]
    assert ">10</em> runs from" in text(again.run())


def test_a_guess_can_be_corrected_and_the_correction_undone(page: Callable[..., AppTest]) -> None:
    at = page(TABLE)
    at.selectbox(key="column:tokens").select("not in this file").run()
    assert "training tokens" not in text(at)
    assert at.selectbox(key="column:tokens").value == "not in this file"
    at.button(key="undo").click().run()
    assert "training tokens" in text(at)
    at.button(key="redo").click().run()
    assert "training tokens" not in text(at)
    at.button(key="unanswer").click().run()
    assert "training tokens" in text(at)


def test_several_losses_are_asked_about_with_the_guess_preselected(page: Callable[..., AppTest]) -> None:
    at = page(TWO_LOSSES)
    assert "One question before these runs can be read." in text(at)
    assert not at.get("plotly_chart")
    asked = at.selectbox(key="asked:columns.loss")
    assert asked.value == "val_loss"
    at.button[[button.label for button in at.button].index("Read the runs")].click().run()
    assert ">8</em> runs from" in text(at)
    assert at.selectbox(key="column:loss").value == "val_loss"


def test_the_unit_of_the_loss_can_be_said(page: Callable[..., AppTest]) -> None:
    at = page(TABLE)
    at.selectbox(key="loss_unit").select("bits").run()
    assert "bits per token, times ln 2" in text(at)


def test_what_is_set_aside_is_on_disk_and_can_be_undone(page: Callable[..., AppTest]) -> None:
    at = page(TABLE)
    names = list(at.data_editor[0].value["run"])
    workspace.change(space(at), "exclude two", {f"excluded:{workspace.values(space(at))['source']}": names[:2]})
    at.run()
    assert ">8</em> runs from" in text(at)
    assert ">2</em> set aside" in text(at)
    assert list(at.data_editor[0].value["use"]) == [False, False] + [True] * 8
    assert "excluded by you" in text(at)
    at.button(key="undo").click().run()
    assert ">10</em> runs from" in text(at)
    assert at.data_editor[0].value["use"].all()


def test_all_runs_set_aside_is_still_a_page(page: Callable[..., AppTest]) -> None:
    at = page(TABLE)
    names = list(at.data_editor[0].value["run"])
    workspace.change(space(at), "all", {f"excluded:{workspace.values(space(at))['source']}": names})
    at.run()
    assert not at.exception
    assert ">0</em> runs" in text(at)
    assert ">10</em> set aside" in text(at)
    assert at.get("plotly_chart")
    assert "Something went wrong" not in text(at)


def test_exclusions_belong_to_their_data(page: Callable[..., AppTest]) -> None:
    at = page(TABLE)
    names = list(at.data_editor[0].value["run"])
    key = workspace.values(space(at))["source"]
    workspace.change(space(at), "one", {f"excluded:{key}": names[:1]})
    at.selectbox(key="chosen").select("bundled:simulated-ladder").run()
    assert "0</em> set aside" in text(at)
    at.selectbox(key="chosen").select(key).run()
    assert "1</em> set aside" in text(at)


def test_marked_numbers_are_read_and_said(page: Callable[..., AppTest]) -> None:
    rows = "".join(
        f"| {i}e6 | {i}e9 | {'**' if i == 3 else ''}{3 - i / 10:.1f} ± 0.01{'**' if i == 3 else ''} |\n"
        for i in range(1, 6)
    )
    at = page("| params | tokens | **Loss** ↓ |\n|---|---|---|\n" + rows + "| 9e6 | 9e9 | <2 |\n", name="runs.md")
    assert not at.exception
    assert ">5</em> runs" in text(at)
    assert at.data_editor[0].value["loss"].tolist() == [2.9, 2.8, 2.7, 2.6, 2.5]
    assert "a bound and not a number" in str([d.value.to_dict() for d in at.dataframe]) + text(at)


def test_names_that_are_markup_stay_names(page: Callable[..., AppTest]) -> None:
    rows = "".join(f'"{name}",{i}e6,{i}e9,{3 - i / 10}\n' for i, name in enumerate(HOSTILE, start=1))
    at = page("run,params,tokens,loss\n" + rows, name="<script>alert(1)</script>.csv")
    assert ">5</em> runs" in text(at)
    assert "<script" not in text(at)
    assert "<img" not in text(at)
    kept = figure(at)["data"][1]
    labels = [details[1] for details in kept["customdata"]]
    assert [details[0] for details in kept["customdata"]] == HOSTILE
    assert all("<" not in label for label in labels)
    for caption in at.caption:
        assert "[link](" not in caption.value
    assert not any(name in kept["hovertemplate"] for name in HOSTILE)


BAD = {
    "empty": (b"", "empty"),
    "blank": (b" \n\n \n", "mine.csv"),
    "binary": (bytes(range(256)) * 40, "mine.csv"),
    "text where numbers belong": (b"run,params,tokens,loss\na,big,many,low\nb,small,few,high\n", "mine.csv"),
    "zeros": (b"run,params,tokens,loss\n" + b"a,0,0,0\n" * 5, "mine.csv"),
    "prose": (b"It was a dark and stormy night; the rain fell in torrents.\n" * 20, "mine.csv"),
    "half a zip": (b"PK\x03\x04" + b"\0" * 200, "mine.csv"),
    "half a parquet": (b"PAR1" + b"\0" * 50 + b"PAR1", "mine.csv"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_gets_a_sentence_and_the_session_goes_on(kind: str, page: Callable[..., AppTest]) -> None:
    content, said = BAD[kind]
    at = page(content)
    assert not at.exception
    assert "iso-trouble" in text(at) or "question" in text(at), text(at)
    assert "Traceback" not in text(at)
    assert "Something went wrong" not in text(at)
    assert said in text(at)
    upload(at, TABLE, "good.csv")
    assert ">10</em> runs from" in text(at)


def test_three_rows_are_a_table_too(page: Callable[..., AppTest]) -> None:
    at = page("run,params,tokens,loss\na,1e6,1e9,3\nb,2e6,1e9,2.9\nc,3e6,1e9,2.8\n")
    assert ">3</em> runs from" in text(at)


def test_runs_with_one_input_are_drawn_against_the_loss(page: Callable[..., AppTest]) -> None:
    at = page("run,params,loss\n" + "".join(f"r{i},{i}e6,{3 - i / 10}\n" for i in range(1, 8)))
    assert ">7</em> runs from" in text(at)
    assert "Loss" in figure(at)["layout"]["yaxis"]["title"]["text"]


def test_a_file_can_be_removed_from_the_workspace(page: Callable[..., AppTest]) -> None:
    at = page(TABLE)
    at.button(key="forget").click().run()
    assert workspace.uploads(space(at)) == ()
    assert ">35</em> runs from" in text(at)
    assert not at.exception


def test_a_full_workspace_is_a_sentence(page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    at = page()
    monkeypatch.setattr(workspace, "QUOTA", 10)
    upload(at, TABLE)
    assert "has room for" in at.toast[0].value.replace("\\", "")
    assert ">35</em> runs from" in text(at)


def test_the_same_name_twice_is_two_entries(page: Callable[..., AppTest]) -> None:
    at = page(TABLE)
    upload(at, TWO_LOSSES)
    shown = at.selectbox(key="chosen").options
    assert shown[:2] == ["mine.csv (2)", "mine.csv"]  # the one that was there keeps its name
    assert len(set(shown)) == len(shown)
