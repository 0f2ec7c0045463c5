"""The Probe page without a browser: a design, a launch, runs as they stand, and who may do what."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from html import unescape

import pytest

from dashboard.probe import launched, launching, live, watching
from dashboard.probe.estimate import Estimator, Target
from dashboard.probe.outlook import outlook
from dashboard.server import local
from dashboard.workspace import store as workspace
from data.probe.queue.ended import command_of
from data.probe.queue.store import FILE
from data.probe.sweep import sweep
from tests.dashboard.probe.fake import FOUR, stands


def said(at):
    """What the page says in markup of its own, and as lines of code."""
    return " ".join([*(e.proto.body for e in at.get("html")), *(e.value for e in at.code)])


def keep(space, **values):
    workspace.change(space, "probe", {"probe": values})


def names(at):
    return {b.key for b in at.button}


def toasts(at, sentence):
    """Whether a sentence was said in passing; a toast is Markdown, in which signs are escaped."""
    return any(sentence in t.value.replace("\\", "") for t in at.toast)


def test_a_new_workspace_has_a_design_with_its_cost_and_makes_nothing(page, space):
    at = page()
    text = unescape(said(at))
    assert "15 runs" in text
    assert "would take about" in text
    assert "1.0e12" not in at.text_input(key="probe_width").value
    assert at.text_input(key="probe_flops").value == "6.2e10, 2.5e11, 1e12"
    assert not (workspace.probes(space)).exists()


def test_fields_and_json_say_the_same(page, space):
    at = page()
    at.selectbox(key="probe_design").select("grid").run()
    at.text_input(key="probe_width").input("8, 16").run()
    at.text_input(key="probe_tokens").input("20 k, 40k").run()
    at.text_input(key="probe_seed").input("0, 1").run()
    sweep = json.loads(at.text_area(key="probe_json").value)
    assert (sweep["width"], sweep["tokens"], sweep["seed"]) == ([8, 16], [20000, 40000], [0, 1])
    assert "8 runs" in unescape(said(at))
    at.text_area(key="probe_json").input(json.dumps(FOUR)).run()
    assert at.text_input(key="probe_tokens").value == "20000, 40000"
    assert "4 runs" in unescape(said(at))
    at.button(key="undo").click().run()
    assert at.text_input(key="probe_seed").value == "0, 1"
    at.text_area(key="probe_json").input("{").run()
    assert toasts(at, "This is no JSON")
    at.text_input(key="probe_width").input("wide").run()
    assert "width should be" in unescape(said(at))
    assert "probe_launch" not in names(at)


def test_a_launch_states_its_cost_queues_the_runs_once_and_shows_them(page, space, queue, served):
    keep(space, sweep=FOUR, cores=2)
    at = page()
    assert "4 runs, 2.8e9 FLOP (6ND): about" in unescape(said(at)).replace("\u202f", " ")
    at.text_input(key="probe_name").input("first")
    at.button(key="probe_launch").click().run()
    assert [job.state for job in queue.jobs("first")] == ["queued"] * 4
    assert served[0] == (queue.root, {"cpus": 2, "devices": ()})
    assert "0 of 4 runs" in unescape(said(at))
    assert list(at.dataframe[0].value["State"]) == ["Waiting"] * 4
    again = page(sweep="new")
    assert "4 runs were launched before." in re.sub("<[^>]*>", "", unescape(said(again)))
    assert "probe_launch" not in names(again)


@pytest.mark.parametrize(
    ("address", "headers", "sentence"),
    [
        ("127.0.0.1", {"host": "localhost:8510"}, ""),
        ("127.0.0.1", {"host": "127.0.0.1:8510", "origin": "http://127.0.0.1:8510"}, ""),
        ("localhost", {"host": "[::1]:8510"}, ""),
        ("0.0.0.0", {"host": "localhost:8510"}, "listens at 0.0.0.0"),
        ("", {"host": "localhost:8510"}, "every address"),
        ("192.168.1.7", {"host": "192.168.1.7:8510"}, "listens at 192.168.1.7"),
        ("127.0.0.1", {"host": "isoflop.example"}, "opened at isoflop.example"),
        ("127.0.0.1", {"host": "localhost.evil.example:80"}, "opened at localhost.evil.example"),
        ("127.0.0.1", {"host": "localhost:8510", "origin": "https://lab.example"}, "opened at lab.example"),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "127.0.0.1, 10.0.0.8"}, "opened from 10.0.0.8"),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-host": "lab.example"}, "opened at lab.example"),
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=10.0.0.8"}, "forwarded"),
        ("127.0.0.1", {}, "does not say"),
    ],
)  # fmt: skip
def test_only_this_machine_is_local(address, headers, sentence):
    why = local.why(address, headers)
    assert sentence in why if sentence else why == ""


def test_from_elsewhere_the_design_and_the_command_are_shown_and_nothing_is_done(
    page, space, queue, served, monkeypatch
):
    keep(space, sweep=FOUR)
    stands(queue, "first", {**FOUR, "seed": 3}, ["done", "failed", "queued", "queued"])
    at = page(sweep="new")
    assert "probe_launch" in names(at)
    monkeypatch.setattr(local, "headers", lambda: {"host": "lab.example"})
    at.button(key="probe_launch").click().run()  # a page that still shows the button, or a hand-made press
    assert toasts(at, "no sign-in")
    assert {job.sweep for job in queue.jobs()} == {"first"}
    at = page(sweep="new")
    assert "probe_launch" not in names(at)
    text = unescape(said(at))
    assert "4 runs" in text
    assert "isoflop probe sweep.json --out" in text
    assert "opened at lab.example" in text
    assert at.text_input(key="probe_on_end").disabled
    at = page(sweep="first")
    assert not names(at) & {"probe_resume", "probe_cancel", "probe_clean", "probe_release"}
    assert not served
    for act in (
        lambda: launching.launch(FOUR, "x"), lambda: launching.cancel("first"), lambda: launching.resume("first"),
        lambda: launching.release("first"), lambda: launching.clean("first"), lambda: launching.choose_command("true"), launching.wake,
    ):  # fmt: skip
        with pytest.raises(launching.NotAllowedError, match="no sign-in"):
            act()


def test_without_torch_it_says_what_to_install_and_shows_the_command(page, space, monkeypatch):
    keep(space, sweep=FOUR)
    whole = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "torch" else whole(name, *a))
    at = page()
    text = unescape(said(at))
    assert "pip install -e '.[probe]'" in text
    assert "isoflop probe sweep.json --out" in text
    assert "probe_launch" not in names(at)


def test_runs_as_they_stand(page, queue, served):
    stands(queue, "first", FOUR, ["done", "running", "failed", "queued"], "It was no good.")
    at = page()
    text = unescape(said(at))
    assert "1 of 4 runs" in text
    assert "left." in text
    table = at.dataframe[0].value
    assert list(table["State"]) == ["Done", "Running", "Failed", "Waiting"]
    assert list(table["What it says"][[0, 2, 3]]) == ["", "It was no good.", ""]
    assert "finished runs" in table["What it says"][1]  # one is too few to say where it is heading
    assert table["Progress"][1] == 40
    # 38 steps of its 78 at half a second each, and the evaluations that are left
    assert table["Time left"][1] == "21 seconds".replace(" ", "\u00a0")
    assert {"probe_use", "probe_resume", "probe_cancel"} <= names(at)
    assert "probe_clean" not in names(at)  # something runs
    assert served  # the queue is brought up again where nobody serves it


def test_what_was_launched_before_is_not_counted_again(page, space, queue, served):
    stands(queue, "first", {**FOUR, "tokens": [2e4]}, ["done", "queued"])
    keep(space, sweep=FOUR)
    at = page(sweep="new")
    text = re.sub("<[^>]*>", "", unescape(said(at)))
    assert "The 2 runs left would take about" in text
    assert "2 of 4 runs were launched before." in text
    assert "2 other runs were launched before and are not trained again" in text
    assert "FLOP (6ND) in all" in text


def test_a_sweep_that_ended_says_what_was_said_of_it_beforehand(page, queue, served):
    launched.remember(queue.root / "first", outlook(sweep(FOUR), Estimator(Target(alone=True)), 1, {}))
    stands(queue, "first", FOUR, ["done"] * 4)
    text = unescape(said(page(sweep="first")))
    assert "In 4 runs a step took " in text
    assert " as long as was said beforehand." in text  # no memory was measured


def test_a_state_is_not_said_again_as_a_sentence(queue, served):
    stands(queue, "first", FOUR, ["cancelled", "cancelled", "done", "done"], "Cancelled.")
    (found,) = watching.sweeps(queue.root, queue.jobs(), {}, 1)
    assert list(live.frame(found, {})["What it says"]) == ["", "", "", ""]


def test_a_held_sweep_says_why_and_is_released(page, queue, served):
    stands(queue, "first", FOUR, ["failed", "failed", "failed", "queued"], "It was no good.")
    queue.hold("first", "3 runs in a row failed within 10 seconds. The last: It was no good.")
    at = page(sweep="first")
    text = unescape(said(at))
    assert "the sweep is held" in text
    assert "3 runs in a row failed" in text
    assert not served
    at.button(key="probe_release").click().run()
    assert queue.held() == {}
    assert len(served) >= 1


def test_cancelled_runs_are_resumed_and_a_sweep_is_deleted_with_its_size(page, queue, served):
    stands(queue, "first", FOUR, ["done", "done", "queued", "queued"])
    at = page()
    at.button(key="probe_cancel").click().run()
    assert [job.state for job in queue.jobs()] == ["done", "done", "cancelled", "cancelled"]
    assert [queue.folder(job).status.state for job in queue.jobs()] == ["done", "done", "cancelled", "cancelled"]
    at.button(key="probe_resume").click().run()
    assert [job.state for job in queue.jobs()] == ["done", "done", "queued", "queued"]
    assert [queue.folder(job).status.state for job in queue.jobs()][2:] == ["queued", "queued"]
    at.button(key="probe_cancel").click().run()
    at.button(key="probe_use").click().run()
    assert "kB" in at.button(key="probe_clean").label
    at.button(key="probe_clean").click().run()
    assert not at.exception
    assert queue.jobs() == []
    assert not (queue.root / "first").exists()
    assert "would take about" in unescape(said(at))
    assert not toasts(at, "another window")


def test_a_sweep_has_the_runs_that_another_made(page, space, queue, served, monkeypatch):
    told = []
    monkeypatch.setattr(launching.state, "say", told.append)
    stands(queue, "first", FOUR, ["done", "done", "queued", "queued"])
    keep(space, sweep={**FOUR, "width": [16, 24]})
    at = page(sweep="new")
    assert "2 other runs were launched before and are not trained again." in unescape(said(at))
    at.text_input(key="probe_name").input("later")
    at.button(key="probe_launch").click().run()
    assert "0 of 4 runs" in unescape(said(at))
    assert list(at.dataframe[0].value["State"]) == ["Waiting"] * 4
    assert list(at.selectbox(key="probe_menu_later").options) == [
        "New sweep", "later: 0 of 4, running", "first: 2 of 4, running",
    ]  # fmt: skip
    at.button(key="probe_cancel").click().run()  # the first has two of them, and asks for them as before
    assert told[-1] == "2 runs go on, as first has them, too; One run cancels a run for every sweep."
    assert sorted(job.state for job in queue.jobs("later")) == ["cancelled", "cancelled", "queued", "queued"]
    at = page(sweep="first")
    at.button(key="probe_cancel").click().run()
    assert sorted(job.state for job in queue.jobs("first")) == ["cancelled", "cancelled", "done", "done"]
    assert "2 runs are kept, as later has them, too" in unescape(said(at))
    at.button(key="probe_clean").click().run()
    assert not at.exception
    assert {job.sweep for job in queue.jobs()} == {"later"}
    assert len(queue.jobs("later")) == 4
    assert len(list((queue.root / "later").glob("*/spec.json"))) == 4
    assert not (queue.root / "first").exists()


def test_a_run_that_lies_nowhere_is_said(page, queue, served):
    stands(queue, "first", FOUR, ["done"] * 4)
    queue.submit("later", sweep({**FOUR, "width": [16, 24]}))
    shutil.rmtree(queue.root / "first")
    at = page(sweep="later")
    text = unescape(said(at))
    assert "0 of 2 runs" in text
    assert "Nothing can be shown of 2 more runs." in text
    assert "it was deleted, or lies in another sweep's folder" in text
    text = unescape(said(page(sweep="first")))  # all of whose runs are gone
    assert "Nothing can be shown of 4 more runs." in text


def test_a_sweep_that_was_cancelled_says_that_it_stops(page, queue, served):
    stands(queue, "first", FOUR, ["done", "running", "queued", "queued"])
    running, *waiting = (job.key for job in queue.jobs() if job.state in ("running", "queued"))
    queue.cancel([running])
    at = page()
    assert "left." in unescape(said(at))  # two are still to come
    assert "1 stopping, 2 waiting." in unescape(said(at))
    queue.cancel(waiting)
    at = page(sweep="first")
    text = unescape(said(at))
    assert "1 stopping" in text
    assert "2 cancelled." in text
    assert "What stops writes a checkpoint first." in text
    assert "left." not in text
    assert not at.get("progress")
    assert list(at.dataframe[0].value["State"]) == ["Done", "Stopping", "Cancelled", "Cancelled"]
    assert at.dataframe[0].value["Time left"][1] == ""
    assert at.dataframe[0].value["What it says"][1] == "Asked to stop."
    assert "first: 1 of 4, stopping" in at.selectbox(key="probe_menu_first").options
    assert "probe_cancel" not in names(at)


class DrawnAnewError(Exception):
    """The page around was drawn anew."""


def test_a_page_is_drawn_anew_where_its_menu_no_longer_says_how_sweeps_stand(queue, monkeypatch):
    stands(queue, "first", FOUR, ["done", "done", "cancelled", "cancelled"])

    def now():
        return watching.sweeps(queue.root, queue.jobs(), queue.held(), 1)

    def drawn():
        raise DrawnAnewError

    made = []
    monkeypatch.setattr(live, "all_sweeps", now)
    monkeypatch.setattr(live.st, "rerun", drawn)
    monkeypatch.setattr(
        live.st, "fragment", lambda act, run_every: made.append(run_every) or (lambda *a: made.append(a))
    )
    before = now()
    live.look_out(before)
    live.watch("first", None, before)
    every, looked, again, watched = made
    assert every == again == live.SELDOM  # it has ended, and another window may resume it
    live._compared(*looked)  # as it was: nothing is drawn
    queue.retry([job.key for job in queue.jobs()])  # in another window
    for look in (lambda: live._compared(*looked), lambda: live._shown(*watched)):
        with pytest.raises(DrawnAnewError):
            look()
    assert live.titles(now()) == {"first": "first: 2 of 4, running"}


def test_its_runs_become_the_current_data(page, space, queue):
    many = {**FOUR, "width": [8, 12, 16], "tokens": [2e4, 4e4, 8e4]}
    stands(queue, "first", many, ["done"] * 9)
    at = page(sweep="first")
    at.button(key="probe_use").click().run()
    at.switch_page("views/runs.py").run()
    assert "9" in unescape(said(at))
    assert str(workspace.values(space)["source"]).startswith("probe:")


def test_limits_and_corpora_stop_a_launch(page, space, queue):
    for values, sentence in (
        ({"sweep": FOUR, "most_runs": 3}, "at most 3 are launched"),
        ({"sweep": {**FOUR, "tokens": [2e8], "width": [64]}, "most_hours": 0.1}, "the limit is"),
        ({"sweep": FOUR, "keep_free": 1e6}, "are to stay so"),
        ({"sweep": {**FOUR, "corpus": "text:/etc"}}, "outside this workspace"),
        ({"sweep": {**FOUR, "corpus": "text:../../etc"}}, "whole path"),
        ({"sweep": {**FOUR, "corpus": f"text:{space.folder}/../../.."}}, "outside this workspace"),
    ):  # fmt: skip
        keep(space, **values)
        at = page(sweep="new")
        text = unescape(said(at))
        assert sentence in text, (values, text)
        assert "probe_launch" not in names(at), values
    assert not (queue.root / FILE).exists()


def test_the_command_at_the_end_is_kept_as_words(page, space, queue, served):
    at = page()
    at.text_input(key="probe_on_end").input("notify-send 'Isoflop says' ; rm").run()
    assert json.loads(command_of(queue.root).read_text()) == ["notify-send", "Isoflop says", ";", "rm"]
    at.text_input(key="probe_on_end").input("say 'unclosed").run()
    assert toasts(at, "cannot be read")
    assert workspace.values(space)["probe"]["on_end"].startswith("notify-send")


def test_the_dial_follows_the_fields_and_the_json(page, space):
    at = page()
    at.text_area(key="probe_json").input(json.dumps(FOUR)).run()
    assert at.select_slider(key="probe_dial").value == pytest.approx(9.169, abs=1e-3)  # 6 x 6144 x 40000
    at.text_input(key="probe_tokens").input("4e5").run()
    assert at.select_slider(key="probe_dial").value == pytest.approx(10.169, abs=1e-3)
    at.select_slider(key="probe_dial").set_value(11.0).run()
    assert at.select_slider(key="probe_dial").value == 11.0
    sweep = json.loads(at.text_area(key="probe_json").value)
    assert max(sweep["tokens"]) > 4e5
    assert sweep["seq_len"] == 64
    at.button(key="undo").click().run()
    assert at.text_input(key="probe_tokens").value == "400 k"


def test_the_dial_names_the_largest_budget_as_the_field_does(page, space):
    keep(space, sweep={"design": "isoflop", "flops": [1e10, 3e10], "width": [16, 32]})
    dial = page().select_slider(key="probe_dial")
    assert dial.value == 10.5
    assert any(one.startswith("3.0e10 ") for one in dial.options)
    assert not any(one.startswith("3.2e10 ") for one in dial.options)


def test_a_sweep_of_too_many_steps_is_refused_before_it_is_planned(page, space, monkeypatch):
    monkeypatch.setattr("data.probe.schedule.np.full", lambda *given: pytest.fail("its steps were laid out"))
    stages = [{"tokens": 9e9, "batch": 4096}]  # few steps by its largest batch, 560 million by the one it begins with
    for values, sentence in (
        ({"width": 8, "tokens": 1e10, "batch": 1, "seq_len": 16, "stages": stages}, "over 100,000,000 steps"),
        ({"width": 8, "tokens": 5e8, "batch": 1, "seq_len": 16}, "31,250,000 steps in all"),
    ):
        keep(space, sweep=values)
        text = unescape(said(page()))
        assert sentence in text
        assert "“Batch, sequences” under More fields" in text


def test_a_name_is_judged_before_the_press(page, space, queue, served):
    keep(space, sweep=FOUR)
    stands(queue, "first", {**FOUR, "seed": 3}, ["done"] * 4)
    at = page(sweep="new")
    assert "Letters, digits" in unescape(said(at))
    for name, sentence in (("my sweep", "No sweep can be called so"), ("first", "first already"), ("New", "to come")):
        at.text_input(key="probe_name").input(name).run()
        assert sentence in unescape(said(at)), name
        assert at.button(key="probe_launch").disabled
        assert name not in " ".join(e.value for e in at.code) or name == "first"
    at.text_input(key="probe_name").input("second").run()
    assert not at.button(key="probe_launch").disabled
    at.button(key="probe_launch").click().run()
    assert len(queue.jobs("second")) == 4
    keep(space, sweep={**FOUR, "seed": 4})
    assert page(sweep="new").text_input(key="probe_name").value == "grid-1"


def test_using_a_sweep_leads_on_once_it_has_ended(page, queue, served):
    stands(queue, "first", FOUR, ["done", "queued", "queued", "queued"])
    at = page()
    assert at.button(key="probe_use").proto.type == "secondary"
    at.button(key="probe_cancel").click().run()
    assert at.button(key="probe_use").proto.type == "primary"
    at.button(key="probe_use").click().run()
    assert "probe_use" not in names(at)
    assert [e.proto.label for e in at.get("page_link")] == ["See their law on the Fit page"]
    assert unescape(said(at)).split("1 of 4")[0].count("first") == 1  # the chip on top is of them


def test_a_ladder_of_batches_leads_to_the_batch_page(page, space, queue):
    stands(queue, "ladder", {**FOUR, "width": 8, "tokens": 2e4, "batch": [2, 4]}, ["done", "done"])
    at = page(sweep="ladder")
    at.button(key="probe_use").click().run()
    assert [e.proto.label for e in at.get("page_link")] == ["See their batches on the Batch page"]


WIDTHS = {
    **FOUR, "design": "width", "width": [8, 16, 24], "tokens": 2e4, "parametrisation": "standard", "rates": [0.001, 0.002, 0.004, 0.008],
}  # fmt: skip


@pytest.mark.parametrize(
    ("waits", "leads"), [(0, "See their learning rates on the Batch page"), (1, "See their law on the Fit page")]
)
def test_a_width_ladder_leads_to_the_batch_page_once_it_says_something(page, queue, waits, leads):
    """With the last run of the third width there are three widths with four rates each."""
    stands(queue, "ladder", WIDTHS, ["done"] * (12 - waits) + ["queued"] * waits)
    at = page(sweep="ladder")
    at.button(key="probe_use").click().run()
    assert [e.proto.label for e in at.get("page_link")] == [leads]
    at.switch_page("views/batch.py").run()
    assert not at.exception
    assert ("The best learning rate goes as the width" in unescape(said(at))) == (not waits)


def test_each_view_has_a_menu_of_its_own(page, queue, served):
    """What the menu of another view showed is no choice when a busy browser sends it late."""
    stands(queue, "first", FOUR, ["done", "queued", "queued", "queued"])
    at = page(sweep="new")
    at.selectbox(key="probe_menu_new").select("first").run()
    assert at.selectbox(key="probe_menu_first").value == "first"
    assert "1 of 4 runs" in unescape(said(at))
    assert not any(box.key == "probe_menu_new" for box in at.selectbox)
    at.selectbox(key="probe_menu_first").select("new").run()
    assert at.selectbox(key="probe_menu_new").value == "new"
    assert "would take about" in unescape(said(at))


def test_the_folder_of_a_refused_corpus_is_allowed_on_the_spot(page, space, tmp_path):
    """The user was sent to Limits, a closed panel at the bottom under a longer name."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("to be trained on " * 2000)
    keep(space, sweep={**FOUR, "corpus": f"text:{tmp_path / 'corpus'}"})
    at = page(sweep="new")
    assert "Allow its folder, or change “Corpus”" in unescape(said(at))
    at.button(key="probe_allow").click().run()
    assert not at.exception
    assert "lies outside" not in unescape(said(at))
    assert at.text_area(key="probe_folders").value == str((tmp_path / "corpus").resolve())
    assert not [one for one in at.button if one.key == "probe_allow"]


def test_a_corpus_that_is_not_there_has_no_folder_to_allow(page, space):
    keep(space, sweep={**FOUR, "corpus": "text:/nowhere/to/be/found"})
    at = page(sweep="new")
    assert "probe_allow" not in names(at)
    assert "There is no /nowhere/to/be/found on this machine." in unescape(said(at))


def test_a_name_is_proposed_where_the_browser_shows_none(page, space, queue, served):
    """A field in a popover that is opened later shows none of what was written into it before: it was empty, and Launch was open."""
    keep(space, sweep=FOUR, name="mine")
    at = page(sweep="new")
    assert at.text_input(key="probe_name").placeholder == "mine"
    at.session_state["probe_name"] = ""
    at.button(key="probe_launch").click().run()
    assert {job.sweep for job in queue.jobs()} == {"mine"}


def test_an_address_of_a_sweep_that_is_not_here_is_said(page, space):
    at = page(sweep="width")
    assert any("No sweep of this workspace is called width" in one.value for one in at.toast)
