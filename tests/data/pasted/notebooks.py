"""What notebooks and scripts leave behind: printed frames, JSON of every orient, printed dictionaries, folders of runs."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd

from tests.data.pasted.world import case, curve, loss

Made = tuple[dict[str, str | bytes], dict[str, Any]]


def ladder(rng: np.random.Generator) -> pd.DataFrame:
    """Eight runs as a notebook has them."""
    grid = [(s, r) for s in (3_214_592, 12_648_448, 50_331_648, 124_439_808) for r in (20, 60)]
    rows = [
        (f"d{i}-r{r}", s, s * r, 0.002 if s < 2e7 else 0.001, round(loss(rng, s, s * r), 4))
        for i, (s, r) in enumerate(grid)
    ]
    return pd.DataFrame(rows, columns=["run", "n_params", "tokens", "lr", "val_loss"])


def wanted(frame: pd.DataFrame) -> dict[str, list[float]]:
    return {
        "params": frame["n_params"].tolist(),
        "tokens": frame["tokens"].tolist(),
        "lr": frame["lr"].tolist(),
        "loss": frame["val_loss"].tolist(),
    }


@case
def printed_frame_and_describe(rng: np.random.Generator) -> Made:
    frame = ladder(rng)
    text = (
        f"In [4]: df\nOut[4]:\n{frame.to_string()}\n\nIn [5]: df.describe()\nOut[5]:\n{frame.describe().to_string()}\n"
    )
    return {"notebook_output.txt": text}, {
        "what": "Output copied from a notebook: a frame of eight runs and below it its describe().",
        "path": "notebook_output.txt",
        "runs": 8,
        "set_aside": [0, 8],
        "columns": wanted(frame),
        "history": None,
        "must_not": ["count, mean, std or quartiles kept as runs"],
    }


@case
def frame_in_every_orient(rng: np.random.Generator) -> Made:
    frame = ladder(rng)
    files: dict[str, str | bytes] = {}
    for orient in ("split", "records", "index", "columns", "table"):
        files[f"to_json_{orient}.json"] = frame.to_json(orient=orient)
    files["to_json_lines.json"] = frame.to_json(orient="records", lines=True)
    cells = [[str(i), *(str(v) for v in row)] for i, row in enumerate(frame.itertuples(index=False, name=None))]
    head = ["", *frame.columns]
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---:", ":---", "---:", "---:", "---:", "---:"], *cells]]
    files["to_markdown.md"] = "\n".join(lines) + "\n"
    return files, {
        "what": "One frame of eight runs as to_json writes it in five orients and in lines, and as to_markdown does.",
        "path": sorted(files),
        "runs": 8,
        "set_aside": [0, 0],
        "columns": wanted(frame),
        "history": None,
        "must_not": ["the index taken for a measured column", "columns taken for runs"],
    }


@case
def frame_values_only(rng: np.random.Generator) -> Made:
    frame = ladder(rng)
    return {"to_json_values.json": frame.to_json(orient="values")}, {
        "what": "The same frame as to_json writes its values, without any header: nobody can say which column is which.",
        "path": "to_json_values.json",
        "outcome": "refused or asked",
        "must_not": ["columns assumed in silence", "the first run taken for a header"],
    }


@case
def printed_dictionaries(rng: np.random.Generator) -> Made:
    lines, params, tokens, losses = [], [], [], []
    for size, data in (
        (7_340_032, 2e8),
        (7_340_032, 8e8),
        (25_165_824, 1e9),
        (25_165_824, 2e9),
        (84_934_656, 2e9),
        (84_934_656, 8e9),
    ):
        diverged = size == 25_165_824 and data == 2e9
        value = float("nan") if diverged else round(loss(rng, size, data), 4)
        entry = {"model": "gpt", "n_params": size, "tokens": data, "resume": None, "amp": True, "val_loss": value}
        lines.append(f"[rank0] done in {rng.integers(20, 400)} min")
        lines.append(str(entry))
        if not diverged:
            params.append(size)
            tokens.append(data)
            losses.append(value)
    return {"stdout.txt": "\n".join(lines) + "\n"}, {
        "what": "Dictionaries that a script printed among other lines; the loss of one of six is nan.",
        "path": "stdout.txt",
        "runs": 5,
        "set_aside": [1, 7],
        "reasons": {"loss": 1},
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "must_not": ["the diverged run dropped without a word"],
    }


@case
def nested_jsonl(rng: np.random.Generator) -> Made:
    lines, params, tokens, losses, batches, rates = [], [], [], [], [], []
    for i, (size, data, batch) in enumerate(
        [
            (16.8e6, 3.4e8, 131072),
            (16.8e6, 1.4e9, 131072),
            (58.7e6, 1.2e9, 262144),
            (58.7e6, 4.7e9, 262144),
            (190e6, 3.8e9, 524288),
        ]
    ):
        value = round(loss(rng, size, data), 5)
        config = {
            "model": {"n_params": int(size), "d_model": 384, "n_layer": 8},
            "train": {"lr": 0.0015, "seq_len": 1024, "batch_tokens": batch},
        }
        summary = {"tokens": int(data), "train": {"loss": round(value - 0.03, 5)}, "eval": {"loss": value}}
        lines.append(json.dumps({"name": f"run{i}", "state": "finished", "config": config, "summary": summary}))
        params.append(int(size))
        tokens.append(int(data))
        losses.append(value)
        batches.append(batch)
        rates.append(0.0015)
    return {"runs.jsonl": "\n".join(lines) + "\n"}, {
        "what": "JSON lines with config and summary nested two deep; the loss stands under train and under eval.",
        "path": "runs.jsonl",
        "runs": 5,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "batch": batches, "lr": rates},
        "history": None,
        "may_ask": ["columns.loss"],
        "given": {"columns.loss": "summary.eval.loss"},
        "must_not": ["the training loss in place of the evaluation loss"],
    }


@case
def folder_of_stats(rng: np.random.Generator) -> Made:
    files: dict[str, str | bytes] = {}
    params, tokens, losses = [], [], []
    for size, batch, steps in (
        ("19M", 128, 5000),
        ("19M", 256, 10000),
        ("125M", 256, 10000),
        ("125M", 512, 20000),
        ("350M", 512, 20000),
    ):
        seen = batch * 1024 * steps
        value = round(loss(rng, float(size[:-1]) * 1e6, seen), 4)
        stats = {
            "tokens_seen": seen,
            "final_val_loss": value,
            "final_train_loss": round(value - 0.02, 4),
            "steps": steps,
        }
        files[f"sweep/gpt-{size}-bs{batch}/stats.json"] = json.dumps(stats, indent=1) + "\n"
        params.append(float(size[:-1]) * 1e6)
        tokens.append(seen)
        losses.append(value)
    return files, {
        "what": "Five folders named after size and batch, each with a small stats.json that does not repeat the size.",
        "path": "sweep",
        "runs": 5,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "never": {"batch": [128, 256, 512]},
        "history": None,
        "may_ask": ["columns.loss", "columns.params"],
        "given": {"columns.loss": "final_val_loss"},
        "must_not": ["runs without the size that their folder's name says", "bs256 taken for 256 tokens"],
    }


@case
def folder_of_curves(rng: np.random.Generator) -> Made:
    files: dict[str, str | bytes] = {}
    params, tokens, losses = [], [], []
    for size, data in (("31M", 6.2e8), ("70M", 1.4e9), ("160M", 3.2e9), ("410M", 8.2e9)):
        at = [round(data * (i + 1) / 12) for i in range(12)]
        values = curve(rng, float(size[:-1]) * 1e6, np.array(at, dtype=float))
        buffer = io.StringIO()
        pd.DataFrame({"tokens_seen": at, "loss": np.round(values, 4)}).to_csv(buffer, index=False, lineterminator="\n")
        files[f"curves/{size}.csv"] = buffer.getvalue()
        params.append(float(size[:-1]) * 1e6)
        tokens.append(at[-1])
        losses.append(round(values[-1], 4))
    return files, {
        "what": "Four files named by their size alone, each a curve of tokens seen and loss.",
        "path": "curves",
        "runs": 4,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": [48, 48],
        "may_ask": ["rows", "history", "columns.params"],
        "given": {"rows": "checkpoint", "history": "last"},
        "must_not": ["48 checkpoints taken for runs", "runs without the size that their file's name says"],
    }
