"""`isoflop lifetime` in a terminal: what the library says, as JSON and as a table, and a refusal in one sentence."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dashboard.commands.lifetime import command
from data.library import load
from fitting import fit, load_fit
from fitting.planning.lifetime import lifetime

RUN = CliRunner()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("lifetime") / "fit.json"
    fit(load("simulated-ladder"), "chinchilla", resamples=50).to_json(path)
    return str(path)


def test_it_is_what_the_library_says(saved):
    done = RUN.invoke(command, [saved, "--loss", "2.3", "--served", "1e13", "--json", "-"])
    assert done.exit_code == 0, done.output
    body, found = json.loads(done.output), lifetime(load_fit(saved), loss=2.3, served=1e13)
    for name in ("params", "tokens", "flops", "saved"):
        band = getattr(found, name)
        assert body[name] == {"value": band.value, "low": band.low, "high": band.high, "level": 0.95}
    assert body["trained_alone"]["params"] == found.trained.params.value > found.params.value
    assert body["notes"] == list(found.notes)
    told = RUN.invoke(command, [saved, "--loss", "2.3", "--served", "1e13"]).output
    assert "saved over the training optimum" in told
    assert "times the most tokens of any run fitted" in told


def test_a_loss_out_of_reach_is_refused(saved):
    done = RUN.invoke(command, [saved, "--loss", "1", "--served", "1e12"])
    assert done.exit_code == 1
    assert "No budget reaches a loss of 1" in done.output
