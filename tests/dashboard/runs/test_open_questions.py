"""What a table leaves open, on the Runs page: announced, one click from being changed, and every column's unit in sight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.workspace import store as workspace

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
ODD = "name,mdl_sz_mln,Data seen [Gtok],val loss,State\n" + "".join(
    f"r{i}{j},{n},{d},{4 - 0.2 * i - 0.1 * j:.3f},{'crashed' if (i, j) == (2, 1) else 'finished'}\n"
    for i, n in enumerate((74, 160, 410, 1000, 2800))
    for j, d in enumerate((2, 8, 30, 100))
)
MODELS = "model,params,tokens,loss\n" + "".join(
    f"{m},{n},{d}e9,{4 - i / 10 - d / 100}\n"
    for i, (m, n) in enumerate((("s", 1e7), ("m", 5e7), ("l", 1e8), ("xl", 5e8)))
    for d in (1, 4)
)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))


@pytest.fixture
def page() -> Callable[[str], AppTest]:
    """A function that opens the Runs page with this file uploaded."""

    def start(content: str, name: str = "mine.csv") -> AppTest:
        space = workspace.new()
        source = workspace.keep(space, name, content.encode()).source
        workspace.change(space, "open it", {"source": source, f"fit:{source}": {"resamples": 500}})
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        assert not at.run().exception
        return at

    return start


def text(at: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in at.get("html"))


def button(at: AppTest, label: str) -> None:
    found = [b for b in at.button if b.label.replace("\\", "") == label]
    assert len(found) == 1, [b.label for b in at.button]
    found[0].click().run()
    assert not at.exception


def test_odd_headers_are_read_with_their_units_in_sight(page: Callable[[str], AppTest]) -> None:
    at = page(ODD)
    assert ">74 M</em> to" in text(at).replace("\u202f", " ").replace("\u2009", " ").replace("\u00a0", " ")
    assert at.selectbox(key="factor:params").value == "millions"
    assert at.selectbox(key="factor:tokens").value == "billions"


def test_a_unit_is_changed_and_the_change_undone(page: Callable[[str], AppTest]) -> None:
    at = page(ODD)
    at.selectbox(key="factor:params").select("billions").run()
    assert "times 1e+09 as you said" in text(at)
    at.button(key="undo").click().run()
    assert at.selectbox(key="factor:params").value == "millions"


def test_a_header_mapped_by_hand_is_asked_for_its_unit(page: Callable[[str], AppTest]) -> None:
    at = page(ODD.replace("mdl_sz_mln", "zorb"))
    assert "No column was taken for the parameters; 'zorb' is not used." in text(at).replace("&#x27;", "'")
    button(at, "Use zorb")
    assert "In which unit is" in "\n".join(s.label.replace("\\", "") for s in at.selectbox)
    asked = at.selectbox(key="asked:units.params")
    assert asked.value == "1e+06"
    button(at, "Read the runs")
    assert ">19</em> runs from" in text(at)
    assert at.selectbox(key="factor:params").value == "millions"
    assert "chosen by you" in text(at)


def test_runs_set_aside_by_state_come_back_and_go_again(page: Callable[[str], AppTest]) -> None:
    at = page(ODD)
    assert "run state: crashed" in text(at)
    button(at, "Bring back 1 crashed run")
    assert ">20</em> runs from" in text(at)
    assert "run state: crashed" not in text(at)
    button(at, "Set them aside again")
    assert ">19</em> runs from" in text(at)
    at.button(key="undo").click().run()
    assert ">20</em> runs from" in text(at)


def test_a_guess_about_rows_is_announced_and_turned(page: Callable[[str], AppTest]) -> None:
    at = page(MODELS)
    assert ">8</em> runs from" in text(at)
    assert "checkpoints of one run, or runs of their own?" in text(at)
    button(at, "They are checkpoints")
    assert ">4</em> runs from" in text(at)
    assert at.selectbox(key="rows").value == "checkpoints"
    at.selectbox(key="rows").select("").run()
    assert ">8</em> runs from" in text(at)


def test_the_loss_of_a_history_is_a_choice(page: Callable[[str], AppTest]) -> None:
    curve = "run,params,step,val_loss,accuracy\n" + "".join(
        f"r{r},{r}e8,{s},{loss},{acc}\n"
        for r in (1, 2)
        for s, loss, acc in ((1, 4.0, 0.1), (2, 3.0, 0.3), (3, 3.2, 0.4), (4, 3.1, 0.2))
    )
    at = page(curve)
    choice = at.selectbox(key="history")
    assert choice.value == "last"
    choice.select("highest accuracy").run()
    assert "the one with the highest accuracy is the run" in text(at)
    at.selectbox(key="history").select("mean of last 5").run()
    assert "the mean of its last 5" in text(at)


def test_a_question_with_two_readings_is_asked_in_words(page: Callable[[str], AppTest]) -> None:
    at = page(
        "run,params,batch_size,gradient_accumulation_steps,num_gpus,seq_len,steps,loss\n"
        "a,1e8,2,4,8,1024,50000,3.1\nb,2e8,2,4,8,1024,50000,2.9\n"
    )
    assert "One question before these runs can be read." in text(at)
    asked = at.selectbox(key="asked:batch")
    assert list(asked.options) == [
        "one device, one forward pass", "the sequences of a whole step", "one device, its whole step", "all devices, one forward pass",
    ]  # fmt: skip
    button(at, "Read the runs")
    assert "batch_size × gradient_accumulation_steps × num_gpus" in text(at)


def test_what_the_files_name_says_can_be_left_out(page: Callable[..., AppTest]) -> None:
    at = page("tokens_seen,loss\n" + "".join(f"{k}e6,{5 - k / 50}\n" for k in range(1, 60)), "curve_N1.2e7.csv")
    assert "N1.2e7" in text(at)
    button(at, "Leave it out")
    assert "12 M" not in text(at)


def test_runs_are_weighed_by_their_stated_errors_on_request(page: Callable[[str], AppTest]) -> None:
    rows = "".join(
        f"r{i}{j},{n:g},{d:g},{1.7 + 400 / n**0.34 + 410 / d**0.28 + 0.02 * ((7 * i + 3 * j) % 5 - 2):.4f} ± {0.01 + 0.02 * (j % 2):.2f}\n"
        for i, n in enumerate((5e7, 1e8, 2e8, 4e8, 8e8))
        for j, d in enumerate((1e9, 3e9, 1e10, 3e10))
    )
    at = page("run,params,tokens,loss\n" + rows)
    at.switch_page("views/fit.py").run(timeout=120)
    assert not at.exception
    weigh = at.selectbox(key="fit_weights")
    assert weigh.value == ""
    plain = text(at)
    weigh.select("loss_error").run(timeout=120)
    assert not at.exception
    assert text(at) != plain
    assert at.selectbox(key="fit_weights").value == "loss_error"
    at.button(key="undo").click().run(timeout=120)
    assert at.selectbox(key="fit_weights").value == ""


LOGS = "log N,D,loss\n" + "".join(f"{12 + i / 4},{2 + i}e9,{0.043 - i / 500:.4f}\n" for i in range(5))


def test_a_logarithm_and_a_small_loss_are_asked_about_and_answered(page: Callable[[str], AppTest]) -> None:
    at = page(LOGS)
    size, loss = at.selectbox(key="asked:units.params"), at.selectbox(key="asked:units.loss")
    assert size.value == "log10"
    assert size.options == ["log10 of it", "ln of it", "log2 of it", "as they stand"]
    assert loss.options[0] == "as they stand"
    size.select("ln of it")
    loss.select("a hundredth of the loss")
    button(at, "Read the runs")
    assert ">5</em> runs from" in text(at)
    assert "times 100 as you said" in text(at)
    assert "ln of it, as you said" in text(at)
    assert at.selectbox(key="factor:params").value == "ln of it"
    assert at.selectbox(key="factor:loss").value == "a hundredth of the loss"
    at.selectbox(key="factor:params").select("log10 of it").run()
    assert "log10 of it, as you said" in text(at)


def test_what_a_file_marks_as_not_used_is_set_aside_and_can_be_brought_back(page: Callable[[str], AppTest]) -> None:
    rows = "".join(
        f"r{i},{i + 1}e7,{i + 1}e9,{3.5 - i / 10},{i != 2},{'a spike' if i == 2 else ''}\n" for i in range(9)
    )
    at = page("run,params,tokens,loss,used,reason\n" + rows)
    assert ">8</em> runs from" in text(at)
    assert "a spike" in text(at)
    button(at, "Bring back what the file marks as not used")
    assert ">9</em> runs from" in text(at)
    button(at, "Set them aside again")
    assert ">8</em> runs from" in text(at)


def test_a_reason_that_a_file_gives_is_not_taken_for_this_person_s(page: Callable[[str], AppTest]) -> None:
    rows = "".join(
        f"r{i},{i + 1}e7,{(7 * i) % 9 + 1}e9,{3.5 - i / 10},{i != 2},{'excluded by you' if i == 2 else ''}\n"
        for i in range(12)
    )
    at = page("run,params,tokens,loss,used,reason\n" + rows)
    at.switch_page("views/fit.py").run(timeout=120)
    assert not at.exception
    assert "exclude=" not in at.code[0].value  # the file sets it aside by itself, so no fit is to be told


def test_a_table_in_which_nothing_could_be_a_loss_is_no_question(page: Callable[[str], AppTest]) -> None:
    at = page("run,params,tokens\na,1e7,1e9\nb,2e7,2e9\n")
    assert "No column of numbers could be a loss." in text(at)
    assert "Add the column to the file" in text(at)
    assert not [b for b in at.button if b.label == "Read the runs"]
    at = page("run,params,tokens,foo\na,1e7,1e9,3.1\nb,2e7,2e9,3.0\n", "other.csv")
    assert [b for b in at.button if b.label == "Read the runs"]
