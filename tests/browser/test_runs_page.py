"""The Runs page in a real browser: upload, answer, pick by click, lasso and tick, and find it all again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.workspace import store as workspace
from tests.browser.hand import ANSWER, button, idle, press, says, until

pytestmark = pytest.mark.browser

SIZES, DATA = (1, 3, 10, 30, 100), (1, 4, 16)  # millions of parameters, billions of tokens
TABLE = "Experiment,# weights,Tokens Seen,final test loss,Validation CE\n" + "".join(
    f"run {n}-{d},{n}M,{d}B,{5 - 0.3 * i - 0.2 * j:.3f},{5.1 - 0.3 * i - 0.2 * j:.3f}\n"
    for i, n in enumerate(SIZES)
    for j, d in enumerate(DATA)
)
CHART = ".js-plotly-plot .scatterlayer path.point"
# Where the points of a trace are on the screen, by the chart's own axes: [[run, x, y], ...].
PLACES = """name => {
  const plot = document.querySelector(".js-plotly-plot");
  const trace = plot?._fullData?.find(one => one.name === name);
  if (!trace) return [];
  const { xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
  return trace.customdata.map((details, i) => [
    details[0], box.left + xaxis._offset + xaxis.d2p(trace.x[i]), box.top + yaxis._offset + yaxis.d2p(trace.y[i]),
  ]);
}"""


@pytest.fixture
def opened(serve_dashboard: Callable[..., str], browser_page: Callable[..., Any]) -> Callable[..., Any]:
    """A function that opens the dashboard and waits for the first chart."""

    def open_page(path: str = "/", address: str | None = None, **given: Any) -> Any:
        page = browser_page(**given)
        page.goto((address or serve_dashboard()) + path)
        page.wait_for_selector(CHART)
        return page

    return open_page


@pytest.fixture
def mine(opened: Callable[..., Any], serve_dashboard: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A function that opens a workspace in which the table above has been uploaded and its question answered."""

    def open_page(home: Path = serve_dashboard.home, **given: Any) -> Any:
        page = opened(f"/?w={kept_in(home, monkeypatch)}", **given)
        settled(page, 15)
        return page

    return open_page


def kept_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a new workspace there that holds the table above."""
    monkeypatch.setenv("ISOFLOP_HOME", str(home))
    space = workspace.new()
    source = workspace.keep(space, "mine.csv", TABLE.encode()).source
    answers = {"columns": {"loss": "Validation CE"}}
    workspace.change(space, "prepared", {"source": source, f"answers:{source}": answers})
    return space.id


def upload(page: Any, name: str, content: str | bytes, sign: Any) -> None:
    body = content.encode() if isinstance(content, str) else content
    file = {"name": name, "mimeType": "text/csv", "buffer": body}
    until(page, lambda: page.set_input_files("[data-testid=stFileUploaderDropzoneInput]", file), sign)


def read(page: Any, name: str = "mine.csv") -> None:
    """Upload the table above and take its validation loss for the loss."""
    upload(page, name, TABLE, (ANSWER, "^One question"))
    press(button(page, "Read the runs"), (ANSWER, "^15 runs from 1 M to 100 M parameters; 0 set aside"))
    settled(page, 15)


def places(page: Any, name: str = "kept") -> list[tuple[float, float]]:
    """Where the runs that are kept, or set aside, are on the screen."""
    return [(x, y) for _, x, y in page.evaluate(PLACES, name)]


def settled(page: Any, kept: int) -> None:
    """Wait until the plane shows so many kept runs and is drawn to its end."""
    page.wait_for_function(f"n => ({PLACES})('kept').length === n", arg=kept)
    idle(page)


def pick(page: Any, run: int, answer: str, of: str = "kept") -> None:
    """Click a run on the plane, one kept or one set aside, until the answer reads like this."""
    until(page, lambda: page.mouse.click(*places(page, of)[run]), (ANSWER, answer))


def lasso(page: Any, count: int, answer: str, room: float = 14) -> None:
    """Draw a loop around the first runs that are kept, until the answer reads like this."""

    def deed() -> None:
        around = places(page)[:count]
        left, right = min(x for x, _ in around) - room, max(x for x, _ in around) + room
        top, bottom = min(y for _, y in around) - room, max(y for _, y in around) + room
        page.mouse.move(left, top)
        page.mouse.down()
        for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 1)):
            page.mouse.move(x, y, steps=6)
        page.mouse.up()

    until(page, deed, (ANSWER, answer))


def tool(page: Any, name: str) -> None:
    press(
        page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first,
        ("name => document.querySelector('.js-plotly-plot')?._fullLayout?.dragmode === name.toLowerCase()", name),
    )


def test_upload_answer_and_find_it_again_after_a_refresh(opened: Callable[..., Any]) -> None:
    page = opened()
    assert "w=" not in page.url
    read(page)
    assert re.search(r"[?&]w=[0-9a-f]{32}\b", page.url)
    page.reload()
    says(page, "^15 runs from")
    assert page.outside == []
    assert page.complaints == []


def test_a_click_sets_a_run_aside_and_another_takes_it_back(mine: Callable[..., Any]) -> None:
    page = mine()
    pick(page, 4, "^14 runs from .* 1 set aside")
    settled(page, 14)
    assert len(places(page, "set aside")) == 1
    pick(page, 0, "^15 runs from .* 0 set aside", of="set aside")
    settled(page, 15)
    pick(page, 4, "^14 runs from .* 1 set aside")  # the same run again: a pick is no toggle that gets stuck


def test_a_lasso_sets_many_aside_undo_brings_them_back_and_another_page_loses_nothing(mine: Callable[..., Any]) -> None:
    page = mine()
    tool(page, "Lasso")
    lasso(page, 6, "^9 runs from .* 6 set aside")
    settled(page, 9)
    lasso(page, 3, "^6 runs from .* 9 set aside")
    press(button(page, "Undo"), (ANSWER, "^9 runs from"))
    press(button(page, "Undo"), (ANSWER, "^15 runs from"))
    press(button(page, "Redo"), (ANSWER, "^9 runs from .* 6 set aside"))
    page.reload()
    says(page, "^9 runs from .* 6 set aside")
    address = page.url.partition("w=")[2]
    press(page.get_by_role("link", name="Fit"), (ANSWER, "^(Loss|No law|Chinchilla)"))
    assert page.url.partition("w=")[2] == address
    press(page.get_by_role("link", name="Runs"), (ANSWER, "^9 runs from .* 6 set aside"))
    assert page.url.partition("w=")[2] == address


def test_ticks_in_the_table_hold_one_after_the_other(mine: Callable[..., Any]) -> None:
    page = mine(height=1600)
    grid = page.locator("[data-testid=stDataFrame] canvas").first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    high = 35 / 16 * 15  # a row of the table, at the theme's 15 px

    def tick(row: int, left: int) -> None:
        """Tick a row, at once or on a page at rest, until so many runs are left."""
        place = box["x"] + 36, box["y"] + high * (row + 1.5)
        until(page, lambda: page.mouse.click(*place), (ANSWER, f"^{left} runs from"))

    for row, expected in ((0, 14), (1, 13), (2, 12), (1, 13), (6, 12), (0, 13)):
        tick(row, expected)
    press(button(page, "Undo"), (ANSWER, "^12 runs from"))
    tick(4, 11)  # the table has started anew and still takes ticks
    settled(page, 11)
    pick(page, 0, "^10 runs from")
    tick(10, 9)


def test_a_disk_that_refuses_is_a_sentence_and_what_is_kept_survives_a_new_server(
    opened: Callable[..., Any], serve_dashboard: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.write_text("a file where the folder belongs")
    address = serve_dashboard(home)
    page = opened(address=address)
    refused = page.locator("[data-testid=stToast]").get_by_text("A file could not be read or written.")
    until(page, lambda: page.mouse.click(*places(page)[3]), refused)
    body = page.locator("body").inner_text()
    assert "Traceback" not in body
    assert str(tmp_path) not in body
    says(page, "^35 runs from")
    home.unlink()
    settled(page, 33)
    pick(page, 4, "^34 runs from")

    page.goto(f"{address}/?w={kept_in(home, monkeypatch)}")
    settled(page, 15)
    pick(page, 0, "^14 runs from .* 1 set aside")
    query = page.url.partition("?")[2]
    assert "NotADirectoryError" in serve_dashboard.stop(address)
    page = opened(f"/?{query}", address=serve_dashboard(home))
    says(page, "^14 runs from .* 1 set aside")
    assert page.locator(".iso-chip").first.inner_text().startswith("mine.csv")


def test_two_tabs_of_one_workspace_do_not_undo_each_other(mine: Callable[..., Any], opened: Callable[..., Any]) -> None:
    one = mine()
    other = opened("/?" + one.url.partition("?")[2])
    settled(other, 15)
    pick(one, 0, "^14 runs from")
    pick(other, 14, "^13 runs from .* 2 set aside")  # this tab still shows the first one as kept


def test_files_that_are_too_large_or_bad_are_refused_in_a_sentence_and_leave_the_session_whole(
    opened: Callable[..., Any], tmp_path: Path
) -> None:
    page = opened()
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(300_000_000)
    page.set_input_files("[data-testid=stFileUploaderDropzoneInput]", str(large))
    page.get_by_text(re.compile("200.*MB or smaller", re.IGNORECASE)).first.wait_for()
    assert page.locator(".iso-answer").inner_text().startswith("35")
    read(page)
    trouble = "name => (document.querySelector('.iso-trouble')?.innerText || '').includes(name)"
    for name, content in (
        ("empty.csv", b""),
        ("noise.csv", bytes(range(256)) * 99),
        ("zip.xlsx", b"PK\x03\x04" + b"\0" * 99),
    ):
        upload(page, name, content, (trouble, name))
        body = page.locator("body").inner_text()
        assert "Traceback" not in body
        assert "went wrong inside" not in body
        page.get_by_text("Open a bundled set").first.wait_for()
    for sign in ((trouble, "noise.csv"), (trouble, "empty.csv"), (ANSWER, "^15 runs from")):
        press(button(page, "Undo"), sign)


def test_names_that_are_markup_run_nothing(opened: Callable[..., Any]) -> None:
    page = opened()
    page.evaluate("() => { window.ran = 0; window.alert = () => { window.ran += 1 } }")
    names = [
        "<img src=x onerror=alert(1)>",
        "<b id=x>bold</b>",
        "**bold** [x](javascript:alert(1))",
        "<a href='javascript:alert(1)'>x</a>",
    ]
    rows = "".join(f'"{name}",{10 ** (6 + i)},{10 ** (9 + i)},{3 - i / 10}\n' for i, name in enumerate(names))
    upload(page, "<img src=x onerror=alert(1)>.csv", "run,params,tokens,loss\n" + rows, (ANSWER, "^4 runs from"))
    settled(page, 4)
    hovered = page.locator(".js-plotly-plot .hoverlayer")
    for i in range(4):
        page.mouse.move(*places(page)[i])
        page.wait_for_function(
            "name => document.querySelector('.js-plotly-plot .hoverlayer').textContent.replaceAll('\\n', ' ').includes(name)",
            arg=names[i][:20],
        )
        assert hovered.locator("a").count() == 0
    pick(page, 0, "^3 runs from")
    button(page, "Undo").hover()
    page.get_by_test_id("stTooltipContent").filter(has_text="img src=x").wait_for()
    assert page.evaluate("window.ran") == 0
    assert page.locator("[data-testid=stMain] img").count() == 0
    assert page.outside == []


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1440, True)])  # colours move no word
def test_nothing_is_wider_than_the_screen(width: int, dark: bool, opened: Callable[..., Any]) -> None:
    page = opened(width=width, height=900, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in (".iso-answer", ".iso-chip", ".js-plotly-plot"):
        box = page.locator(selector).first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    ground = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert ground == ("rgb(15, 18, 24)" if dark else "rgb(255, 255, 255)")
    accent = page.evaluate("getComputedStyle(document.querySelector('.iso-answer em')).color")
    assert accent == ("rgb(255, 122, 133)" if dark else "rgb(207, 68, 87)")
    length = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    assert length <= 3 * 900
    assert page.outside == []
    assert page.complaints == []
