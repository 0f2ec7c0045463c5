"""The command line: one file a command, exit codes that scripts can rely on, JSON that any reader takes."""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from dashboard import cli
from dashboard.commands import open as opening
from dashboard.commands._asked import options_for, otherwise
from dashboard.commands.fit import command as fit
from dashboard.server import launch
from dashboard.workspace import store as workspace
from data.errors import Question

TABLE = "run,params,tokens,loss\n" + "".join(f"r{i},{10**i}M,{i}B,{4 - i / 10}\n" for i in range(1, 4))
TWO_LOSSES = "name,N,D,c4_loss,pile_loss\na,1e6,1e9,3.1,3.2\nb,1e7,1e9,2.9,3.0\n"


@pytest.fixture
def run() -> Any:
    def invoke(*args: object) -> Result:
        return CliRunner().invoke(cli.group, [str(arg) for arg in args], prog_name="isoflop")

    return invoke


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(launch, "serve", lambda **given: calls.append(given))
    return calls


def test_each_file_is_a_command(run: Any) -> None:
    said = run("--help")
    assert said.exit_code == 0
    for path in Path(opening.__file__).parent.glob("[a-z]*.py"):
        assert f"  {path.stem.rstrip('_')} " in said.output
        assert run(path.stem.rstrip("_"), "--help").exit_code == 0


def test_each_command_has_a_help_of_one_whole_line(run: Any) -> None:
    listed = run("--help").output.split("Commands:\n")[1].splitlines()
    assert len(listed) == len([*Path(opening.__file__).parent.glob("[a-z]*.py")]), "no help is wrapped"
    for line in listed:
        assert line.endswith("."), line
        assert not line.endswith("..."), line
        assert line.count("(") == line.count(")"), line


def test_no_command_opens_the_page(run: Any, served: list[dict[str, Any]]) -> None:
    assert run().exit_code == 0
    assert run("--no-browser", "--port", 8600).exit_code == 0
    assert served == [
        {"port": None, "browser": True, "query": ""},
        {"port": 8600, "browser": False, "query": ""},
    ]


def test_a_file_is_opened_in_a_workspace_of_its_own(run: Any, served: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(TABLE)
    assert run(tmp_path / "mine.csv").exit_code == 0
    space = workspace.find(served[0]["query"].removeprefix("w="))
    assert space is not None
    (upload,) = workspace.uploads(space)
    assert upload.name == "mine.csv"
    assert workspace.values(space) == {"source": upload.source}


def test_a_file_too_large_to_open_is_refused_unread(
    run: Any, served: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large.csv").write_text(TABLE)
    monkeypatch.setattr(opening, "LARGEST", 10)
    said = run(tmp_path / "large.csv")
    assert said.exit_code == 1
    assert "large.csv is larger than" in said.output
    assert served == []


@pytest.mark.parametrize("args", [("frobnicate",), ("read",), ("--port", "0"), ("read", "x", "--column", "loss")])
def test_wrong_use_is_exit_code_2(run: Any, args: tuple[str, ...], served: list[dict[str, Any]]) -> None:
    assert run(*args).exit_code == 2
    assert served == []


def test_read_says_what_a_table_holds(run: Any, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(TABLE)
    said = run("read", tmp_path / "runs.csv")
    assert said.exit_code == 0
    assert "runs.csv: 3 runs kept, 0 set aside" in said.output
    found = json.loads(run("read", tmp_path / "runs.csv", "--json", "-", "--rows").output)
    assert found["kept"] == 3
    assert [row["params"] for row in found["runs"]] == [1e7, 1e8, 1e9]
    out = tmp_path / "out.json"
    written = run("read", tmp_path / "runs.csv", "--json", out)
    assert (written.stdout, written.stderr) == ("", f"Written: {out}\n")
    assert json.loads(out.read_text())["kept"] == 3


def test_what_is_open_is_exit_code_1_with_the_question(run: Any, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(TWO_LOSSES)
    said = run("read", tmp_path / "runs.csv")
    assert said.exit_code == 1
    assert "Which column holds the loss" in said.output
    assert "Traceback" not in said.output
    answered = run("read", tmp_path / "runs.csv", "--column", "loss=c4_loss", "--unit", "params=1")
    assert answered.exit_code == 0, answered.output
    assert run("read", tmp_path / "missing.csv").exit_code == 1


@pytest.mark.parametrize("command", ["read", "fit", "batch"])
def test_a_question_names_the_option_that_answers_it(run: Any, tmp_path: Path, command: str) -> None:
    (tmp_path / "runs.csv").write_text(TWO_LOSSES)
    assert "Give --column loss=c4_loss." in run(command, tmp_path / "runs.csv").output


def test_every_answer_of_a_reader_has_an_option_and_a_repeated_question_its_file() -> None:
    keys = (
        "loss_unit", "bytes_per_token", "count", "rows", "orientation", "batch", "devices", "split", "epochs", "unknown_states",
        "tokens_from",
    )  # fmt: skip
    twice = [Question("columns.loss", "?", ("a b", "c"), "a b", files=(f,)) for f in ("one.csv", "two.csv")]
    with click.Context(fit):
        for key in (*keys, "columns.loss", "units.tokens"):
            assert options_for([Question(key, "?", ("runs",))]).startswith("Give --"), key
        assert options_for([Question("rows", "?", ("runs",))]) == "Give --rows-are runs."
        assert options_for(twice) == "Give --for one.csv 'columns.loss=a b' --for two.csv 'columns.loss=a b'."
        assert otherwise(Question("rows", "Runs?", ("checkpoints", "runs"), "checkpoints", False)).endswith(
            "Runs? To answer otherwise, give --rows-are runs."
        )
    assert options_for(twice) == ""


def test_a_logarithm_is_named_as_a_unit(run: Any, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("log N,tokens,loss\n12,1e9,3.9\n12.3,2e9,3.5\n12.6,4e9,3.2\n")
    assert "Which logarithm is 'log N'" in run("read", tmp_path / "runs.csv").output
    done = run("read", tmp_path / "runs.csv", "--unit", "params=ln")
    assert done.exit_code == 0, done.output
    wrong = run("read", tmp_path / "runs.csv", "--unit", "params=log7")
    assert wrong.exit_code == 2
    assert "log10" in wrong.output


def test_an_error_that_is_not_for_people_is_not_dressed_up_as_one(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import data.summary

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(data.summary, "read_summary", broken)
    assert isinstance(run("read", "x.csv").exception, ZeroDivisionError)


def test_what_a_table_leaves_open_is_answered_by_options(run: Any, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(
        "run,params,batch_size,gradient_accumulation_steps,num_gpus,seq_len,steps,loss,State\n"
        "a,1e8,2,4,8,1024,50000,3.1,finished\nb,2e8,2,4,8,1024,50000,2.9,crashed\n"
    )
    asked = run("read", tmp_path / "b.csv", "--json", "-")
    assert asked.exit_code == 1
    assert json.loads(asked.stdout)["questions"][0]["key"] == "batch"
    found = json.loads(
        run("read", tmp_path / "b.csv", "--batch-is", "device", "--keep-state", "crashed", "--json", "-").stdout
    )
    assert (found["kept"], found["set_aside"]) == (2, 0)
    batch = next(c for c in found["columns"] if c["column"] == "batch_sequences")
    assert (batch["min"], batch["how"]) == (64, "batch_size × gradient_accumulation_steps × num_gpus")
    curve = "run,params,step,loss\n" + "".join(f"a,1e8,{s},{v}\n" for s, v in ((1, 4.0), (2, 3.0), (3, 3.2)))
    (tmp_path / "c.csv").write_text(curve)
    least = json.loads(run("read", tmp_path / "c.csv", "--history", "least", "--rows", "--json", "-").stdout)
    assert [r["loss"] for r in least["runs"]] == [3.0]
    apart = json.loads(run("read", tmp_path / "c.csv", "--rows-are", "runs", "--json", "-").stdout)
    assert apart["kept"] == 3


@pytest.mark.parametrize("name", sorted(cli.group.list_commands(None)))
def test_an_option_of_one_value_is_given_once(name: str) -> None:
    """Of every command: the last of two would be answered alone, and unsaid."""
    command = cli.group.get_command(None, name)
    once = [p for p in command.params if isinstance(p, click.Option) and not (p.multiple or p.is_flag or p.count)]
    assert once
    for option in once:
        value = option.type.choices[0] if isinstance(option.type, click.Choice) else "0.5"
        said = CliRunner().invoke(cli.group, [name, "x.json", *2 * [option.opts[0], value]], prog_name="isoflop")
        assert said.exit_code == 2
        assert f"{option.opts[0]} may be given once" in said.output


def test_an_option_of_many_values_is_given_as_often(run: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c,d\n" + "".join(f"r{i},{10**i}e6,{i}e9,{4 - i / 10}\n" for i in range(1, 4)))
    columns = [part for pair in ("run=a", "params=b", "tokens=c", "loss=d") for part in ("--column", pair)]
    assert run("read", tmp_path / "t.csv", *columns).exit_code == 0


def test_ends_that_are_no_numbers_are_null_in_every_commands_json(run: Any, tmp_path: Path) -> None:
    """A fit without draws has values and no ends; each command answers it in JSON that any reader takes, and in words."""
    rng = np.random.default_rng(3)
    n, d = 10 ** rng.uniform(7.5, 9.5, 40), 10 ** rng.uniform(9, 11, 40)
    loss = (1.7 + 400 * n**-0.34 + 1500 * d**-0.36) * np.exp(0.005 * rng.standard_normal(40))
    table, saved = tmp_path / "runs.csv", tmp_path / "fit.json"
    frame = pd.DataFrame({"params": n, "tokens": d, "loss": loss, "arch": np.where(np.arange(40) % 2, "old", "new")})
    frame.to_csv(table, index=False)
    assert run("fit", table, "--law", "chinchilla", "--resamples", 0, "--json", saved).exit_code == 0
    for arguments, at in (
        (("plan", saved, "--flops", 1e22), ("loss",)),
        (("plan", saved, "--loss", 2.2), ("params",)),
        (("hours", saved, "--hours", 24), ("classes", 0, "loss")),
        (("lifetime", saved, "--loss", 2.2, "--served", 1e12), ("params",)),
        (("approaches", table, "--law", "chinchilla", "--resamples", 0, "--flops", 1e21), ("rows", -1, "loss")),
        (("compare", table, "--by", "arch", "--resamples", 0), ("versus", 0, "multiplier")),
    ):
        done = run(*arguments, "--json", "-")
        assert done.exit_code == 0, (arguments, done.output)
        band = json.loads(done.stdout, parse_constant=pytest.fail)
        for key in at:
            band = band[key]
        assert band["value"] > 0, arguments
        assert band["low"] is None, arguments
        assert band["high"] is None, arguments
        assert run(*arguments).exit_code == 0, arguments
