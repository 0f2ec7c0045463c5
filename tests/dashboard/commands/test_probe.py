"""`isoflop probe` in a terminal: what a sweep costs before it is made, and a refusal in one sentence."""

from __future__ import annotations

import importlib.util
import json

import pytest
from click.testing import CliRunner

from dashboard.commands.probe import command
from dashboard.probe import dry_run, launched, on_slurm
from dashboard.probe.estimate import Target
from data.probe.cost import cost, memory
from data.probe.folder import CHECKPOINT, Folder, Status
from data.probe.queue.store import Store
from data.probe.sweep import sweep

RUN = CliRunner()
FOUR = {"corpus": "synthetic", "width": [16, 32], "tokens": [2e4, 4e4], "seq_len": 64, "eval_tokens": 2048}


@pytest.fixture
def asked(tmp_path):
    def ask(values, *options):
        (tmp_path / "sweep.json").write_text(values if isinstance(values, str) else json.dumps(values))
        return RUN.invoke(command, [str(tmp_path / "sweep.json"), "--out", str(tmp_path / "out"), *options])

    return ask


def test_a_dry_run_says_the_cost_and_makes_nothing(asked, tmp_path):
    done = asked(FOUR, "--dry-run")
    assert done.exit_code == 0, done.output
    assert done.output.replace("\u202f", " ").startswith("4 runs of 6.1 k to 25 k parameters without embeddings")
    assert not (tmp_path / "out").exists()
    price = cost(sweep(FOUR))
    assert price.tokens == pytest.approx(1.2e5, rel=0.03)
    assert price.flops == pytest.approx(6 * (6144 + 24576) * 6e4, rel=0.03)


def test_a_dry_run_for_slurm_says_what_slurm_has_at_once(asked, tmp_path):
    (tmp_path / "cl.toml").write_text("throttle = 2\n")
    seeds = {**FOUR, "seed": [0, 1, 2]}
    done = asked(seeds, "--dry-run", "--slurm", str(tmp_path / "cl.toml"))
    assert done.exit_code == 0, done.output
    assert "on 2 Slurm jobs at once." in done.output
    assert "with 2 Slurm jobs at once, within" in done.output
    assert "share" not in done.output  # each run is a task of its own
    found = json.loads(asked(seeds, "--dry-run", "--json", "-", "--slurm", str(tmp_path / "cl.toml")).stdout)
    assert (found["slots"], {one["at_once"] for one in found["runs"]}) == (2, {1})
    found = json.loads(asked(seeds, "--dry-run", "--json", "-", "--slurm", "").stdout)
    assert found["slots"] == 12  # all that there are


def stands(root, spec, state, step=0, **row):
    folder = Folder(root / "s" / spec.key)
    folder.declare(spec)
    known = {"step": 1, "tokens": 512, "loss": 2.0, "step_seconds": cost([spec]).seconds, "peak_memory": 6e8}
    folder.write_rows([known | row])
    folder.say(Status(state, step=step, device="cpu"))
    (folder.path / CHECKPOINT).write_bytes(b"")
    return folder


def test_a_dry_run_counts_what_is_left(asked, tmp_path):
    specs, out = sweep(FOUR), tmp_path / "out"
    whole = json.loads(asked(FOUR, "--dry-run", "--json", "-").stdout)
    stands(out, specs[0], "done")
    stands(out, specs[1], "cancelled", step=30)
    stands(out, specs[2], "queued", step=20)
    done = asked(FOUR, "--dry-run")
    assert (
        "1 of 4 runs is done already; 1 ended otherwise and is made again with --retry alone; 1 goes on from its checkpoint; left: "
        in done.output
    )
    found = json.loads(asked(FOUR, "--dry-run", "--json", "-").stdout)
    assert (found["count"], found["done"], found["ended"]) == (4, 1, 1)
    assert [(one["key"], one["begin"]) for one in found["runs"]] == [(specs[2].key, 20), (specs[3].key, 0)]
    assert found["runs"][0]["tokens"] == whole["runs"][2]["tokens"] - 20 * 512
    assert found["runs"][0]["flops"]["6ND"] == 6 * specs[2].counts.nonembed * found["runs"][0]["tokens"]
    again = json.loads(asked(FOUR, "--dry-run", "--retry", "--json", "-").stdout)
    assert [one["begin"] for one in again["runs"]] == [30, 20, 0]
    stands(out, specs[0], "done", step=39)  # whose log ends before that: --retry makes it anew
    for flags, (count, made) in {(): (0, 2), ("--retry",): (0, 4)}.items():
        found = json.loads(asked(FOUR, "--dry-run", *flags, "--json", "-").stdout)
        assert (found["done"], len(found["runs"])) == (count, made)
    for one in specs:
        stands(out, one, "done")
    done = asked(FOUR, "--dry-run")
    assert (done.exit_code, "; all are done already." in done.output) == (0, True)
    assert "Nothing is left to make." in done.output


def test_what_was_said_is_held_against_what_was_measured_at_the_end(tmp_path):
    specs = sweep(FOUR)
    said = dry_run.told(specs, Target(), 1, tmp_path)
    launched.remember(tmp_path / "s", said)
    for one in specs[1:]:
        stands(tmp_path, one, "done")
    assert dry_run.afterwards(said, tmp_path / "s", tmp_path, 60.0) == ""
    stands(tmp_path, specs[0], "done")
    found = dry_run.afterwards(said, tmp_path / "s", tmp_path, 60.0)
    assert found.startswith("Made in ")
    assert " was said; in 4 runs a step took " in found
    assert found.endswith(" the memory.")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ("{", "is no JSON"),
        ([1], "A sweep is an object"),
        ({"width": 5}, "an even multiple of heads"),
        ({"depht": 2}, "no field 'depht'"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(asked, values, sentence):
    done = asked(values)
    assert done.exit_code == 1
    assert sentence in done.output


@pytest.mark.parametrize("corpus", ["no\nwhere\x1b[2J", "bin:no\nwhere", "text:a\x07"])
def test_what_a_terminal_acts_on_is_not_printed(asked, corpus):
    done = asked({"corpus": corpus}, "--dry-run")
    assert done.exit_code == 1
    assert done.output.rstrip("\n").isprintable()
    assert "corpus should be text on one line" in done.output


@pytest.mark.parametrize("name", ["...json", ".hid.json", "open.json.json"])
def test_a_file_whose_name_is_no_folder_s_is_refused(tmp_path, name):
    (tmp_path / name).write_text(json.dumps(FOUR))
    for options in ((), ("--dry-run",), ("--print", "slurm")):
        done = RUN.invoke(command, [str(tmp_path / name), "--out", str(tmp_path / "out"), *options])
        assert done.exit_code == 1
        assert "No sweep can be called" in done.output
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_without_torch_it_says_what_to_install(asked, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = asked(FOUR)
    assert done.exit_code == 1
    assert "pip install -e '.[probe]'" in done.output
    assert not (tmp_path / "out").exists()


def test_a_sweep_is_made_followed_and_not_made_twice(asked, tmp_path):
    pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")
    for _ in range(2):
        done = asked(FOUR, "--cores", "2", "--json", "-")
        assert done.exit_code == 0, done.output
        assert done.output.count('"done"') == 4
    jobs = Store(tmp_path / "out").jobs("sweep")
    assert [job.attempts for job in jobs] == [1] * 4


def test_a_job_is_printed_and_its_runs_are_declared(asked, tmp_path):
    (tmp_path / "cluster.toml").write_text('partition = "gpu"\nsetup = ["module load python"]\n')
    done = asked(FOUR, "--print", "slurm", "--slurm", str(tmp_path / "cluster.toml"))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("#!/bin/bash\n#SBATCH ")
    assert "\nmodule load python\n" in done.stdout
    assert "#SBATCH --array=0-3\n" in done.stdout
    folders = sorted(str(path.parent) for path in (tmp_path / "out").glob("sweep/*/spec.json"))
    assert len(folders) == 4
    assert all(folder in done.stdout for folder in folders)
    assert {path.name for path in (tmp_path / "out").glob("*/*/*")} == {"spec.json"}
    (tmp_path / "cluster.toml").write_text('partition = "a b"')
    done = asked(FOUR, "--print", "slurm", "--slurm", str(tmp_path / "cluster.toml"))
    assert done.exit_code == 1
    assert "partition should be like gpu-long" in done.output


def test_a_dry_run_of_a_job_for_another_machine_says_the_time_of_all_runs_one_after_the_other(asked):
    options = ("--dry-run", "--print", "slurm", "--cores", "4")
    found = json.loads(asked(FOUR, *options, "--json", "-").stdout)
    assert found["slots"] == 1
    assert found["seconds"] == pytest.approx(sum(one["seconds"] for one in found["runs"]), abs=2.0)
    assert " with one run after the other, within a factor of " in asked(FOUR, *options).stdout


def test_a_folder_has_one_queue(asked, tmp_path, monkeypatch):
    Store(tmp_path / "out").submit("sweep", sweep(FOUR))
    done = asked(FOUR, "--slurm")
    assert done.exit_code == 1
    assert "are in this machine's queue: leave out --slurm" in done.output
    (tmp_path / "out" / "queue.sqlite").unlink()
    (tmp_path / "out" / "slurm.json").write_text("{}")
    done = asked(FOUR)
    assert done.exit_code == 1
    assert "are on Slurm: give --slurm" in done.output
    monkeypatch.setenv("PATH", str(tmp_path))
    done = asked(FOUR, "--slurm")
    assert done.exit_code == 1
    assert "squeue is not installed here" in done.output


def test_memory_grows_with_the_model_the_batch_and_the_state_of_the_optimiser():
    small, wide, batch, plain = (
        memory(sweep({"width": 64, **other})[0]) for other in ({}, {"width": 128}, {"batch": 64}, {"optimiser": "sgd"})
    )
    assert plain < small < min(wide, batch)


def test_lines_that_came_with_a_folder_of_slurm_s_are_said(tmp_path):
    assert on_slurm.begun_with(tmp_path) == ""
    (tmp_path / "slurm.json").write_text(json.dumps({"setup": ["module load cuda"]}))
    assert (
        on_slurm.begun_with(tmp_path)
        == f"Jobs have the settings of {tmp_path / 'slurm.json'}, and run module load cuda."
    )
