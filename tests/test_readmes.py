"""The READMEs: every Python block runs, every `isoflop` line too, and every path and option that they name exists."""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest

import fitting
from dashboard.cli import DEFAULT, group
from fitting.batch import KAPLAN, RULES, Optimiser
from fitting.diagnostics import calibration

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "data/README.md", "fitting/README.md", "dashboard/README.md", "tests/benchmarks/README.md")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BENCHMARKS = ROOT / "tests" / "benchmarks"
NOT_OURS = {"data.py"}  # what somebody else's file may be called
TOOLS = {".venv/bin/pip", "pip", ".venv/bin/ruff", ".venv/bin/mypy", "wait"}
PROGRAMS = ("isoflop", ".venv/bin/isoflop")

# --- what stands under the names that the blocks use --------------------------------------------------------------------


def ladder() -> pd.DataFrame:
    """The bundled simulated ladder as a file of one's own: with names, stated errors, and two families alike."""
    table = pd.read_csv(ROOT / "data" / "published" / "simulated_ladder.csv")
    names = [f"run-{i}" for i in range(1, len(table) + 1)]
    family = np.where(np.arange(len(table)) % 2, "new", "old")
    return table.assign(run=names, architecture=family, loss_std=0.004 * table["loss"]).drop(columns="group")


def per_byte(table: pd.DataFrame) -> pd.DataFrame:
    """The same losses in bits per byte of text that has 4.2 bytes a token."""
    table = table.assign(**{"loss (bits per byte)": table["loss"] / 4.2 / np.log(2)})
    return table.drop(columns=["loss", "loss_std"])


def curves() -> pd.DataFrame:
    """Training curves of three sizes at four batches, exactly as Kaplan's constants have them."""
    parts = []
    for size in (1e7, 3e7, 1e8):
        for batch in (1e5, 4e5, 1.6e6, 6.4e6):
            step = np.geomspace(1e2, 1e5, 14)
            loss = KAPLAN.curve(size, batch, step).value
            name = f"{size:g}-{batch:g}"
            parts.append(
                pd.DataFrame({"run": name, "params": size, "batch": batch, "step": step.round(), "loss": loss})
            )
    return pd.concat(parts, ignore_index=True)


def final() -> pd.DataFrame:
    """Final losses of five batches on five amounts of data, whose critical batch is 5e5 tokens."""
    batch, tokens = (v.ravel() for v in np.meshgrid(np.geomspace(3e4, 3e6, 5), np.geomspace(2e9, 4e10, 5)))
    loss = 1.8 + 9e3 * (1 + batch / 5e5) ** 0.4 * tokens**-0.4
    return pd.DataFrame({"batch": batch, "tokens": tokens, "loss": loss * np.exp(0.001 * np.cos(np.arange(25)))})


def rates() -> pd.DataFrame:
    """A grid of learning rates and batches for six pairs of size and data, lowest where a planted rule says."""
    rows = []
    for size, tokens in ((1e8, 2e9), (1e8, 1e10), (2e8, 4e9), (4e8, 8e9), (4e8, 4e10), (1e9, 2e10)):
        best_lr, best_batch = 40 * size**-0.6 * tokens**0.1, 0.6 * tokens**0.57
        for i in range(-3, 4):
            for j in range(-2, 3):
                loss = 2 + 300 * tokens**-0.3 + 0.01 * (0.7 * i) ** 2 + 0.005 * (0.7 * j) ** 2
                lr, batch = best_lr * np.exp(0.7 * i), best_batch * np.exp(0.7 * j)
                rows.append({"params": size, "tokens": tokens, "lr": lr, "batch": batch, "loss": loss})
    return pd.DataFrame(rows)


def widths() -> pd.DataFrame:
    """Seven learning rates at each of three widths, lowest where a rate of .5 / width says."""
    tried = [(width, 2.0**-k) for width in (64, 128, 256) for k in range(5, 12)]
    losses = [3.0 + 0.01 * np.log2(lr * width / 0.5) ** 2 for width, lr in tried]
    return pd.DataFrame(tried, columns=["width", "lr"]).assign(loss=losses)


def timed() -> pd.DataFrame:
    """Seconds a step of 24 shapes, at 500 TFLOP/s and 2 ms a step, times agreeing to 1 %."""
    rng = np.random.default_rng(0)
    layers, width, batch = rng.integers(4, 32, 24), 128 * rng.integers(4, 24, 24), 1024 * 2 ** rng.integers(0, 6, 24)
    shapes = {"layers": layers, "width": width, "heads": width // 128, "ffn": 4 * width}
    work = 6 * 12 * layers * width**2 * batch
    seconds = (2e-3 + work / 500e12) * np.exp(0.01 * rng.standard_normal(24))
    return pd.DataFrame({**shapes, "vocab": 50_304, "seq_len": 1024, "batch": batch, "step_seconds": seconds})


def timed_sizes() -> pd.DataFrame:
    """Seconds a step by model size alone, at 300 TFLOP/s and 50 ms a step."""
    params, batch = np.geomspace(1e8, 3e9, 12), 1024 * 2 ** (np.arange(12) % 5 + 2)
    return pd.DataFrame({"params": params, "batch": batch, "step_seconds": 0.05 + 6 * params * batch / 300e12})


def scheduled() -> pd.DataFrame:
    """Loss curves that log their rates: two constant, cosine and linear, falling with the rates' sum and with each decay."""
    steps, parts = np.arange(200, 8001, 200), []
    for name, after in {
        "constant": np.ones(40),
        "cosine": 0.55 + 0.45 * np.cos(np.pi * steps / 8000),
        "linear": 1 - 0.9 * steps / 8000,
    }.items():
        lr = 3e-4 * after * np.minimum(1, steps / 500)
        loss = 2.5 + 0.6 * np.cumsum(200 * lr) ** -0.5 - 0.1 * (1 - after)
        parts.append(pd.DataFrame({"run": name, "params": 1e8, "steps": steps, "lr": lr, "loss": loss}))
    return pd.concat(parts, ignore_index=True)


def steps(critical: float = 500) -> pd.DataFrame:
    """Steps to one loss at seven batches in sequences, as the critical batch has them."""
    batch = 64 * 2 ** np.arange(7)
    return pd.DataFrame({"batch_size": batch, "steps_to_target": (2000 * (1 + critical / batch)).round()})


def two_sizes() -> pd.DataFrame:
    """Such tables of two models in one."""
    return pd.concat([steps().assign(params=1e8), steps(700).assign(params=4e8)])


NAMES: dict[str, Any] = {
    "steps": steps(),
    "curves": curves(),
    "final": final(),
    "frame": rates(),
    "widths": widths(),
    "timed": timed(),
    "timed_sizes": timed_sizes(),
    "scheduled": scheduled(),
    "progress": np.linspace(0, 1000, 101),
    "critical": 1e5 + 1e6 * np.linspace(0, 1, 101),
    "optimiser": Optimiser(batch=65_536, lr=3e-4),
    "rule": RULES[0],
}
FILES: dict[str, pd.DataFrame] = {
    "runs.csv": ladder(),
    "sweeps/new.csv": ladder().iloc[::2],
    "sweeps/old.csv": per_byte(ladder().iloc[1::2]),
    "steps.csv": two_sizes(),
    "curves.csv": curves(),
    "schedules.csv": scheduled(),
    "final.csv": final(),
    "widths.csv": widths(),
    "speed.csv": timed_sizes(),
}
FEW = 40  # refits in place of each default
QUICK = ((fitting.fit, {"resamples": FEW}), (calibration.calibrate, {"outer": 40, "inner": 40}))


def blocks(text: str) -> Iterator[tuple[str, str, int]]:
    """Each fenced block as (language, text, line of its first line)."""
    for found in BLOCK.finditer(text):
        yield found[1], found[2], text[: found.start(2)].count("\n") + 1


def commands(script: str) -> Iterator[list[str]]:
    """The commands of a shell block in words, comments and what stands before them left out."""
    for line in re.split(r"&&\n?| & |; }|\n", script):
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*|{|nice", words[0]):
            words = words[1:]
        if words:
            yield words


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the READMEs name."""
    made = tmp_path_factory.mktemp("prepared")
    for name, table in FILES.items():
        path = made / name
        path.parent.mkdir(exist_ok=True)
        table.to_csv(path, index=False)
    (made / "sweep.json").write_text('{"width": [16, 32], "tokens": [2.5e5, 5e5]}')
    fitting.fit(FILES["runs.csv"], law="chinchilla", resamples=FEW).to_json(str(made / "fit.json"))
    return made


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Such a folder as the current one; bootstraps are short in it."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    for function, fewer in QUICK:
        for argument, value in fewer.items():
            monkeypatch.setitem(inspect.unwrap(function).__kwdefaults__, argument, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("readme", READMES)
def test_every_python_block_runs(readme: str, folder: Path) -> None:
    """In order, in one namespace a file, on small prepared inputs."""
    space = dict(NAMES)
    for language, text, line in blocks((ROOT / readme).read_text("utf-8")):
        if language == "python":
            code = compile("\n" * (line - 1) + text, str(ROOT / readme), "exec")
            exec(code, space)


# --- what the blocks and sentences name -------------------------------------------------------------------------------------


def options(words: list[str]) -> list[str]:
    return [word.split("=")[0] for word in words if word.startswith("--")]


def known_to(name: str) -> set[str]:
    """The options of `isoflop NAME`."""
    context = click.Context(group)
    command = group.get_command(context, name)
    assert command is not None, name
    return {option for param in command.get_params(context) for option in param.opts}


def isoflop(arguments: list[str]) -> str:
    """The name of the command that the arguments of `isoflop` call; fails where it has no such option."""
    listed = group.list_commands(click.Context(group))
    name = arguments[0] if arguments and arguments[0] in listed else DEFAULT
    assert set(options(arguments)) <= known_to(name), f"isoflop {shlex.join(arguments)}"
    return name


def script(words: list[str]) -> None:
    """Fails where `python -m MODULE` or `python FILE` names no file, or an option that its source does not hold."""
    place = ROOT / (words[1].replace(".", "/") if words[0] == "-m" else words[0])
    source = next(p for p in (place / "__main__.py", place.with_suffix(".py"), place) if p.is_file()).read_text("utf-8")
    for option in options(words):
        assert f'"{option}"' in source, f"{place} has no {option}"


def pytest_line(words: list[str]) -> None:
    """Fails where pytest is told of a path that is not there, or of a test that no file below it has."""
    paths = [ROOT / word for word in words if word.startswith("tests/")]
    assert all(path.exists() for path in paths), words
    if "-k" in words:
        below = "".join(f.read_text("utf-8") for path in paths for f in path.rglob("test_*.py"))
        for name in words[words.index("-k") + 1].split(" or "):
            assert re.search(rf"def test_\w*{name}", below), name


def check(words: list[str]) -> None:
    """Fails where a command of a README names what is not there, or is of a kind that nothing here checks."""
    program, rest = words[0], words[1:]
    if program in PROGRAMS:
        isoflop(rest)
    elif program == "python":
        script(rest)
    elif program == ".venv/bin/pytest":
        pytest_line(rest)
    else:
        assert program in TOOLS or words[:3] == ["python3", "-m", "venv"], words


@pytest.mark.parametrize("readme", READMES)
def test_every_command_names_what_exists(readme: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line of a shell block, and each command within a sentence; those of `isoflop` run, but for the server."""
    text = (ROOT / readme).read_text("utf-8")
    sentences = BLOCK.sub("", text)
    for span in re.findall(r"`((?:isoflop|python|\.venv/bin/pytest) [^`]*)`", sentences):
        check(shlex.split(span))
    somewhere = set().union(*map(known_to, group.list_commands(click.Context(group))))
    somewhere |= set(re.findall(r'"(--\w+)"', "".join(p.read_text("utf-8") for p in BENCHMARKS.rglob("*.py"))))
    assert {option for span in re.findall(r"`(--[^`]*)`", sentences) for option in options(span.split())} <= somewhere
    for language, block, _ in blocks(text):
        for words in commands(block) if language == "bash" else ():
            check(words)
            if words[0] == "isoflop" and (name := isoflop(words[1:])) != DEFAULT:  # which starts the server
                few = ["--resamples", str(FEW)] if "--resamples" in known_to(name) else []
                group.main([*words[1:], *few], standalone_mode=False)
                assert capsys.readouterr().out.strip() or words[-1] != "-", words


def headings(text: str) -> set[str]:
    """The anchors of a Markdown file, as they are made of its headings."""
    found = re.findall(r"^#+ (.*)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in found}


@pytest.mark.parametrize("readme", READMES)
def test_every_path_leads_somewhere(readme: str) -> None:
    """Links with their anchors, and paths within sentences: from the root or from the README's own folder."""
    path = ROOT / readme
    text = BLOCK.sub("", path.read_text("utf-8"))
    for link in re.findall(r"\]\(([^)]+)\)", text):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in headings(target.read_text("utf-8")), link
    sentences = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    for span in re.findall(r"`([\w./-]+)`", sentences):
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/|[\w-]+(/[\w.-]+)+|\w+\.py", span):
            assert span in NOT_OURS or (ROOT / span).exists() or (path.parent / span).exists(), span


def test_the_map_is_the_house() -> None:
    """Every folder and file on the map is there, and every folder of modules is on the map."""
    text = (ROOT / "README.md").read_text("utf-8")
    drawn = next(block for language, block, _ in blocks(text) if not language)
    for room in re.split(r"^(?=\w)", drawn, flags=re.MULTILINE)[1:]:
        top = ROOT / room.split("/")[0]
        named = set(re.findall(r"\b\w+/|\b\w+\.py\b", room.partition("/")[2]))
        for name in named:
            assert (top / name).exists(), f"{top.name}/{name}"
        if top.name != "tests":
            folders = {f"{path.parent.name}/" for path in top.glob("*/*.py")}
            assert folders <= named, f"{top.name}: not on the map: {sorted(folders - named)}"


def test_the_first_page_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150
