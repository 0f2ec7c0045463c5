"""What a path argument may be, for every command alike: a table, a folder, a folder of probes; or the file of a fit."""

from __future__ import annotations

import json
import shutil

import click
import pytest
from click.testing import CliRunner

from dashboard.cli import group
from dashboard.commands import FitPath, TablePath
from dashboard.workspace import store as workspace
from dashboard.workspace.sources import sources
from data.probe.folder import Folder, Status
from data.probe.sweep import sweep

RUN = CliRunner()


def trained(folder, values, losses):
    """A sweep's folder as the trainer leaves it, with these final losses in order of its runs."""
    for spec, loss in zip(sweep(values), losses, strict=True):
        run = Folder(folder / spec.key)
        run.declare(spec)
        steps = max(1, int(spec.tokens / spec.batch / spec.seq_len))
        for share in (0.5, 1.0):
            run.append(
                {
                    "step": int(steps * share),
                    "tokens": int(spec.tokens * share),
                    "loss": loss / share**0.1,
                    "batch": spec.batch,
                }
            )
        run.say(Status("done", step=steps, steps=steps, device="cpu"))
    return folder


@pytest.fixture
def rates(tmp_path):
    """Two widths at five rates each, the best of them in the middle."""
    values = {"design": "rate", "corpus": "synthetic", "width": [16, 32], "tokens": 2e4, "eval_tokens": 2048}
    return trained(tmp_path / "p" / "lr", values, [3.0 + 0.1 * abs(k - 2) ** 2 for k in range(5)] * 2)


def test_every_path_of_runs_or_of_a_fit_is_one_of_two_kinds():
    """A new command takes folders because it says `type=TABLE`: there is no other way to say a path of runs."""
    odd = {
        name: type(param.type).__name__
        for name in group.list_commands(None)
        for param in group.get_command(None, name).params
        if isinstance(param, click.Argument) and not isinstance(param.type, TablePath | FitPath)
    }
    assert odd == {"probe": "Path"}  # the JSON of a sweep


def test_the_best_rate_of_a_ladder_at_two_widths_is_said_in_the_terminal(rates):
    """The user's first: `isoflop batch p/lr/lr` said that it is a directory."""
    done = RUN.invoke(group, ["batch", str(rates), "--resamples", "100"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["width 16", "width 32"]
    assert "best learning rate 0.0156" in lines[0]
    told = json.loads(RUN.invoke(group, ["batch", str(rates), "--resamples", "100", "--json", "-"]).stdout)
    assert [one["settings"] for one in told["best_rates"]] == [{"width": 16.0}, {"width": 32.0}]


def test_a_folder_in_place_of_a_fit_is_told_how_a_fit_is_made(rates):
    done = RUN.invoke(group, ["plan", str(rates), "--flops", "1e18"])
    assert (done.exit_code, f"isoflop fit {rates} --json fit.json" in done.output) == (2, True)


@pytest.mark.parametrize("name", ["read", "fit", "batch", "compare"])
def test_a_level_too_high_the_sweeps_are_named(rates, name):
    """The user's p: each run's spec.json and log.jsonl was read as a table of its own, with a sentence on its loss."""
    (rates.parent.parent / "q" / "other").mkdir(parents=True)
    trained(
        rates.parent.parent / "q" / "width",
        {"width": [16], "tokens": 2e4, "corpus": "synthetic", "seed": [0, 1]},
        [3.1, 3.2],
    )
    above = rates.parent.parent
    said = RUN.invoke(group, [name, str(above)])
    assert said.exit_code == 1
    assert f"{above} holds the sweeps p/lr, q/width: read one of them" in said.output
    assert len(said.output) < 600


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """What the dashboard would be opened with."""
    asked = []
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("dashboard.server.launch.serve", lambda **given: asked.append(given["query"]))
    return asked


def test_the_page_is_opened_on_a_folder_of_probes(rates, opened):
    for path in (rates, rates.parent, rates.parent.parent):
        done = RUN.invoke(group, [str(path)])
        assert done.exit_code == 0, done.output
        here = workspace.find(opened[-1].removeprefix("w="))
        first = sources(here)[0]
        assert (first.title, first.key) == ("lr", workspace.values(here)["source"])
        assert len(first.read({}).runs) == 10
        assert first.removable
        assert not first.copied
    shutil.rmtree(rates)
    assert not sources(here)[0].mine  # a folder that is gone is no data, and no trouble


def test_a_folder_without_probes_is_not_opened(opened, tmp_path):
    done = RUN.invoke(group, ["open", str(tmp_path)])
    assert (done.exit_code, "holds no probes" in done.output, opened) == (1, True, [])
