"""What `isoflop probe` says at the end: which run ended how, under the name that tables have, and what comes next."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dashboard.commands import probe
from dashboard.probe import followed
from data.probe.folder import Folder
from data.probe.queue.store import Store
from data.probe.sweep import sweep
from tests.dashboard.probe.fake import stands

TINY = {"design": "rate", "width": 16, "rates": [1, 300], "tokens": 2e4, "seq_len": 64, "eval_tokens": 1024, "evals": 2}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The command on a queue that nobody serves: what stands in it is all that happens."""
    monkeypatch.setattr("data.probe.queue.local.ensure_served", lambda root, **how: None)
    monkeypatch.setattr(probe, "_has_torch", lambda: True)

    def ask(values, *options, name="lr"):
        (tmp_path / f"{name}.json").write_text(json.dumps(values))
        return CliRunner().invoke(
            probe.command, [str(tmp_path / f"{name}.json"), "--out", str(tmp_path / "out"), *options]
        )

    return ask


def test_a_run_that_diverged_is_named_and_what_to_change_is_said(asked, tmp_path):
    stands(Store(tmp_path / "out"), "lr", TINY, ["done", "diverged"], "The held-out loss was 84.7 at step 2.")
    done = asked(TINY, "--json", str(tmp_path / "to.json"))
    one, two = sweep(TINY)
    assert done.exit_code == 1
    assert (
        f"w16-d2-20k-b8-lr{two.rate:.2g}-s0-{two.key[:4]} ({two.key}): diverged at a learning rate of {two.rate:.3g}."
        in done.output
    )
    assert "1 of 2 runs is done. 1 run that diverged would diverge again" in done.output
    assert "--retry" not in done.output.partition("ended\n")[2]
    told = json.loads((tmp_path / "to.json").read_text())
    assert [set(each) for each in told] == [
        {"name", "key", "sweep", "folder", "state", "sentence", "loss", "fields"}
    ] * 2
    by = {each["key"]: each for each in told}
    assert by[one.key]["fields"] == {"lr": one.rate}
    assert by[two.key]["name"].startswith("w16-d2-20k")
    assert Folder(tmp_path / "out" / "lr" / one.key).path.samefile(by[one.key]["folder"])


def test_retry_of_one_run_speaks_of_one_and_of_a_checkpoint_where_there_is_one(asked, tmp_path):
    alone = {**TINY, "rates": [1]}
    stands(Store(tmp_path / "out"), "lr", alone, ["failed"])
    assert "0 of 1 run is done. `--retry` makes it again.\n" in asked(alone).output
    (run,) = sweep(alone)
    (tmp_path / "out" / "lr" / run.key / "checkpoint.npz").touch()
    assert "`--retry` makes it again, from its checkpoint." in asked(alone).output


def test_what_is_done_is_counted_and_the_next_command_is_named(asked, tmp_path):
    """The user's nine minutes showed the word Runs, and nothing at the end."""
    stands(Store(tmp_path / "out"), "lr", TINY, ["done", "done"])
    done = asked(TINY)
    assert done.exit_code == 0, done.output
    assert "2 of 2 runs ended" in done.output
    assert done.output.rstrip().endswith(f"2 of 2 runs are done. Next: isoflop batch {tmp_path / 'out' / 'lr'}")
    assert followed.done(12, tmp_path, "isoflop").endswith(f"12 of 12 runs are done. Next: isoflop fit {tmp_path}")


def test_runs_that_join_a_sweep_of_the_same_name_are_announced(asked, tmp_path):
    stands(Store(tmp_path / "out"), "lr", TINY, ["done", "done"])
    other = {**TINY, "seed": 1}
    assert f"They join the sweep lr in {tmp_path / 'out'}, which has 2 other runs" in asked(other, "--dry-run").output
    assert "join" not in asked(TINY, "--dry-run").output
    assert "join" not in asked(other, "--dry-run", name="b").output


def test_settings_of_a_cluster_are_looked_at_before_anything_is_priced(asked, tmp_path):
    (tmp_path / "cl.toml").write_text("gpu = 1\n")
    done = asked(TINY, "--slurm", str(tmp_path / "cl.toml"))
    assert done.exit_code == 1
    assert done.output.startswith(
        f"Error: {tmp_path / 'cl.toml'} of the cluster's settings cannot be read: it has no field 'gpu'"
    )
    assert "the nearest by spelling is 'gpus'" in done.output
