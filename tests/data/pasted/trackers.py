"""Exports of experiment trackers and trainers: W&B, MLflow, TensorBoard, ClearML, Neptune, Transformers, Lightning, Trackio."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tests.data.pasted.world import case, curve, loss

Made = tuple[dict[str, str | bytes], dict[str, Any]]


@case
def wandb_runs(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, rates = [], [], [], [], []
    names = [
        "fresh-sun",
        "dry-river",
        "bold-moon",
        "calm-fog",
        "late-elm",
        "wise-owl",
        "odd-pine",
        "red-lake",
        "old-star",
    ]
    grid = [(s, r) for s in (12_582_912, 50_331_648, 151_000_064) for r in (10, 20, 60)]
    plan = [(n, "finished", s, s * r) for n, (s, r) in zip(names, grid, strict=True)]
    plan[3:3] = [("tidy-hill", "crashed", 50_331_648, 503_316_480)]
    plan[6:6] = [("sad-cloud", "failed", 151_000_064, 3_020_001_280)]
    plan.append(("new-dawn", "running", 151_000_064, 9_060_003_840))
    for i, (name, state, size, data) in enumerate(plan):
        value = loss(rng, size, data) * {"crashed": 1.21, "running": 1.13}.get(state, 1.0)
        shown = "" if state == "failed" else f"{value:.6f}"
        train = "" if state == "failed" else f"{value - 0.04:.6f}"
        rate = 0.001 if size < 1e8 else 0.0006
        fields = [
            f"{name}-{i + 1}",
            state,
            "",
            "team",
            "",
            f"2024-03-{i + 2:02d}T10:21:44.000Z",
            3600 + 411 * i,
            "ladder-v2",
        ]
        rows.append(",".join(f'"{x}"' for x in [*fields, rate, size, data, data // 524288, train, shown]))
        if state == "finished":
            params.append(size)
            tokens.append(data)
            losses.append(float(shown))
            rates.append(rate)
    head = '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","optim.lr","model.n_params",'
    head += '"data.total_tokens","_step","train/loss","val/loss"\n'
    return {"wandb_export_2024-03-14T11_02_51.csv": head + "\n".join(rows) + "\n"}, {
        "what": "The table of runs that W&B exports: nine finished, one crashed, one failed, one still running.",
        "path": "wandb_export_2024-03-14T11_02_51.csv",
        "runs": 9,
        "set_aside": [3, 3],
        "reasons": {"crash": 1, "fail|no loss|loss": 1, "running": 1},
        "columns": {"params": params, "tokens": tokens, "loss": losses, "lr": rates},
        "history": None,
        "may_ask": ["columns.loss"],
        "given": {"columns.loss": "val/loss"},
        "must_not": ["a crashed run with its planned tokens", "the training loss in place of the validation loss"],
    }


@case
def wandb_panel(rng: np.random.Generator) -> Made:
    names = {"d6-14M": 14e6, "d8-33M": 33e6, "d10-64M": 64e6, "d12-124M": 124e6}
    ends = [20, 20, 30, 40]
    grid = [(i + 1) * 65_536_000 for i in range(40)]
    curves = [curve(rng, n, np.array(grid[:e])) for n, e in zip(names.values(), ends, strict=True)]
    rows = []
    for i, seen in enumerate(grid):
        line = [str(seen)]
        for values in curves:
            line += [f"{values[i]:.5f}"] * 3 if i < len(values) else ["", "", ""]
        rows.append(",".join(f'"{x}"' for x in line))
    head = ["tokens_seen"] + [f"{n} - val/loss{tail}" for n in names for tail in ("", "__MIN", "__MAX")]
    text = ",".join(f'"{x}"' for x in head) + "\n" + "\n".join(rows) + "\n"
    return {"wandb_panel.csv": text}, {
        "what": "A line chart's data from W&B: tokens on the left, three columns for each of four runs named after their size.",
        "path": "wandb_panel.csv",
        "runs": 4,
        "set_aside": [0, 0],
        "columns": {
            "params": list(names.values()),
            "tokens": [grid[e - 1] for e in ends],
            "loss": [round(c[-1], 5) for c in curves],
        },
        "history": [110, 110],
        "may_ask": ["orientation", "history", "columns.params"],
        "given": {"orientation": "column", "history": "last"},
        "must_not": ["forty rows taken for forty runs", "__MIN and __MAX taken for runs"],
    }


@case
def mlflow_runs(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, rates = [], [], [], [], []
    grid = [
        ("31M", "620M"),
        ("31M", "2.5B"),
        ("88M", "1.8B"),
        ("88M", "7B"),
        ("125M", "2.5B"),
        ("350M", "7B"),
        ("350M", "28B"),
    ]
    states = ["FINISHED"] * 7
    grid[4:4] = [("125M", "10B"), ("125M", "10B")]
    states[4:4] = ["FAILED", "RUNNING"]
    for i, ((size, data), state) in enumerate(zip(grid, states, strict=True)):
        number = float(size[:-1]) * 1e6
        seen = float(data[:-1]) * (1e6 if data[-1] == "M" else 1e9)
        value = loss(rng, number, seen) * (1.2 if state == "RUNNING" else 1.0)
        shown = "" if state == "FAILED" else f"{value:.5f}"
        train = "" if state == "FAILED" else f"{value - 0.027:.5f}"
        rate = "0.0012" if number < 1e8 else "0.0006"
        key = "".join(rng.choice(list("0123456789abcdef"), 32))
        end = "" if state == "RUNNING" else f"2024-06-0{i + 1} 19:44:01.113000+00:00"
        rows.append(
            f"{i},{key},3,{state},s3://runs/3/{key}/artifacts,2024-06-0{i + 1} 08:10:22.401000+00:00,{end},{train},{shown},"
            f"{size},{data},{rate},AdamW,gpt-{size}-{data},train.py"
        )
        if state == "FINISHED":
            params.append(number)
            tokens.append(seen)
            losses.append(float(shown))
            rates.append(float(rate))
    head = ",run_id,experiment_id,status,artifact_uri,start_time,end_time,metrics.train_loss,metrics.val_loss,"
    head += (
        "params.model_size,params.max_tokens,params.lr,params.optimizer,tags.mlflow.runName,tags.mlflow.source.name\n"
    )
    return {"mlflow_runs.csv": head + "\n".join(rows) + "\n"}, {
        "what": "MLflow's search_runs as CSV: seven finished, one failed, one running; 'params.' is a prefix, not a size.",
        "path": "mlflow_runs.csv",
        "runs": 7,
        "set_aside": [2, 2],
        "reasons": {"fail|no loss|loss": 1, "running": 1},
        "columns": {"params": params, "tokens": tokens, "loss": losses, "lr": rates},
        "history": None,
        "may_ask": ["columns.loss"],
        "given": {"columns.loss": "metrics.val_loss"},
        "must_not": ["params.lr or params.max_tokens taken for the size", "a running run kept"],
    }


@case
def tensorboard_folder(rng: np.random.Generator) -> Made:
    files: dict[str, str | bytes] = {}
    params, tokens, losses = [], [], []
    for size, data in ((1.2e7, 3e8), (1.2e7, 1.2e9), (4.7e7, 1e9), (4.7e7, 4e9), (1.6e8, 3.2e9)):
        shares = np.linspace(0.125, 1, 8)
        values = [f"{v:.6f}" for v in curve(rng, size, data * shares)]
        clock, lines = 1712131200.5, ["Wall time,Step,Value"]
        for share, value in zip(shares, values, strict=True):
            clock += 313.25
            lines.append(f"{clock},{round(data * share / 131072)},{value}")
        shown = f"curve_N{size:.1e}_D{data:.0e}".replace("e+0", "e")
        if data not in (3e8, 1e9, 4e9):
            shown = f"curve_N{size:.1e}_D{data:.1e}".replace("e+0", "e")
        files[f"tb_curves/{shown}.csv"] = "\n".join(lines) + "\n"
        params.append(size)
        tokens.append(data)
        losses.append(float(values[-1]))
    return files, {
        "what": "Five curves saved from TensorBoard, whose file names carry N and D and whose column is just Value.",
        "path": "tb_curves",
        "runs": 5,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": [40, 40],
        "may_ask": ["columns.loss", "rows", "history", "columns.params", "columns.tokens"],
        "given": {"columns.loss": "Value", "rows": "checkpoint", "history": "last"},
        "must_not": [
            "runs without the size that their file's name says",
            "a wall-clock stamp taken for a wall-clock time",
        ],
    }


@case
def clearml_table(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses = [], [], [], []
    plan = [
        ("Completed", 33e6, 6.6e8),
        ("Completed", 33e6, 2.64e9),
        ("Aborted", 91e6, 1.82e9),
        ("Completed", 91e6, 1.82e9),
    ]
    plan += [
        ("Completed", 91e6, 7.28e9),
        ("Completed", 260e6, 5.2e9),
        ("Failed", 260e6, 2.08e10),
        ("Completed", 260e6, 2.08e10),
    ]
    for i, (state, size, data) in enumerate(plan):
        value = loss(rng, size, data) * (1.0 if state == "Completed" else 1.17)
        rows.append(
            f"Training\tlm-{i:03d}\t{state}\tA. Person\t{i + 1} days ago\t{int(data // 262144)}\t{int(size)}\t{int(data)}\t"
            f"{value - 0.05:.4f}\t{value:.4f}"
        )
        if state == "Completed":
            params.append(size)
            tokens.append(data)
            losses.append(round(value, 4))
    head = "TYPE\tNAME\tSTATUS\tUSER\tUPDATED\tITERATION\tGeneral/n_params\tGeneral/train_tokens\tloss: train (last)\tloss: val (last)\n"
    return {"clearml_experiments.tsv": head + "\n".join(rows) + "\n"}, {
        "what": "ClearML's table of experiments: six completed, one aborted and one failed that have a loss all the same.",
        "path": "clearml_experiments.tsv",
        "runs": 6,
        "set_aside": [2, 2],
        "reasons": {"abort": 1, "fail": 1},
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "may_ask": ["columns.loss"],
        "given": {"columns.loss": "loss: val (last)"},
        "must_not": ["an aborted run kept", "the training loss in place of the validation loss"],
    }


@case
def neptune_table(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses = [], [], [], []
    grid = [
        (22e6, 4.4e8),
        (22e6, 1.76e9),
        (71e6, 1.42e9),
        (71e6, 5.68e9),
        (210e6, 4.2e9),
        (210e6, 1.68e10),
        (210e6, 4.2e9),
    ]
    for i, (size, data) in enumerate(grid):
        state, failed = ("Active", "false") if i == 5 else ("Inactive", "true" if i == 6 else "false")
        value = loss(rng, size, data) * {5: 1.08, 6: 1.6}.get(i, 1.0)
        rows.append(
            f"LM-{i + 17},sweep-{i},{state},{failed},2024-02-{i + 10}T08:00:00Z,{int(size)},{int(data)},"
            f"{value - 0.03:.5f},{value:.5f}"
        )
        if i < 5:
            params.append(size)
            tokens.append(data)
            losses.append(round(value, 5))
    head = "sys/id,sys/name,sys/state,sys/failed,sys/creation_time,parameters/n_parameters,parameters/total_tokens,"
    head += "train/loss (last),val/loss (last)\n"
    return {"neptune.csv": head + "\n".join(rows) + "\n"}, {
        "what": "Neptune's table of runs: Inactive says that a run has ended; one is Active, one has failed.",
        "path": "neptune.csv",
        "runs": 5,
        "set_aside": [2, 2],
        "reasons": {"active|running": 1, "fail": 1},
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "may_ask": ["columns.loss"],
        "given": {"columns.loss": "val/loss (last)"},
        "must_not": ["every ended run set aside as inactive", "the failed run kept"],
    }


@case
def trainer_states(rng: np.random.Generator) -> Made:
    files: dict[str, str | bytes] = {}
    params, tokens, losses, rates = [], [], [], []
    for size, steps in ((30, 2000), (60, 4000), (124, 8000), (350, 8000)):
        log: list[dict[str, Any]] = []
        at = np.arange(500, steps + 1, 500)
        values = curve(rng, size * 1e6, at * 262144.0)
        for step, value in zip(at.tolist(), values, strict=True):
            epoch = round(step / steps, 4)
            rate = 6e-4 * (1 - step / steps)
            log.append(
                {
                    "epoch": epoch,
                    "grad_norm": round(float(rng.uniform(0.3, 0.6)), 6),
                    "learning_rate": rate,
                    "loss": round(value - 0.06 + float(rng.normal(0, 0.02)), 4),
                    "num_input_tokens_seen": step * 262144,
                    "step": step,
                }
            )
            log.append(
                {
                    "epoch": epoch,
                    "eval_loss": value,
                    "eval_runtime": round(float(rng.uniform(20, 22)), 4),
                    "eval_samples_per_second": 94.1,
                    "eval_steps_per_second": 5.9,
                    "num_input_tokens_seen": step * 262144,
                    "step": step,
                }
            )
        state = {
            "best_global_step": None,
            "best_metric": None,
            "best_model_checkpoint": None,
            "epoch": 1.0,
            "eval_steps": 500,
            "global_step": steps,
            "is_hyper_param_search": False,
            "is_local_process_zero": True,
            "is_world_process_zero": True,
            "log_history": log,
            "logging_steps": 500,
            "max_steps": steps,
            "num_input_tokens_seen": steps * 262144,
            "num_train_epochs": 1,
            "save_steps": 1000,
            "train_batch_size": 16,
            "trial_name": None,
            "trial_params": None,
        }
        files[f"hf_runs/gpt2-{size}M/trainer_state.json"] = json.dumps(state, indent=2) + "\n"
        params.append(size * 1e6)
        tokens.append(steps * 262144)
        losses.append(values[-1])
        rates.append(steps)
    return files, {
        "what": "Four folders with the trainer_state.json of Transformers: training and evaluation lines alternate in one log.",
        "path": "hf_runs",
        "runs": 4,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "steps": rates},
        "history": [44, 88],
        "may_ask": ["columns.loss", "history", "rows"],
        "given": {"columns.loss": "eval_loss", "history": "last", "rows": "checkpoint"},
        "never": {"batch": [16]},
        "must_not": [
            "the training loss of the last log line",
            "train_batch_size, which is per device, taken for a batch in tokens",
        ],
    }


@case
def lightning_metrics(rng: np.random.Generator) -> Made:
    files: dict[str, str | bytes] = {}
    params, tokens, losses = [], [], []
    for size, steps in ((19, 3000), (52, 6000), (140, 9000)):
        lines = ["epoch,lr-AdamW,step,tokens,train_loss,val_loss"]
        at = np.arange(300, steps + 1, 300)
        for step, value in zip(at.tolist(), curve(rng, size * 1e6, at * 131072.0), strict=True):
            lines.append(f",{1e-3 * (1 - 0.9 * step / steps)},{step - 1},,,")
            lines.append(f"0,,{step - 1},{float(step * 131072)},{value - 0.05 + float(rng.normal(0, 0.02))},")
            lines.append(f"0,,{step - 1},{float(step * 131072)},,{value}")
        files[f"csv_logs/pico-{size}M/version_0/metrics.csv"] = "\n".join(lines) + "\n"
        params.append(size * 1e6)
        tokens.append(steps * 131072)
        losses.append(value)
    return files, {
        "what": "Three runs of Lightning's CSVLogger: learning rate, training and validation in rows of their own.",
        "path": "csv_logs",
        "runs": 3,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": [60, 180],
        "may_ask": ["columns.loss", "history", "rows"],
        "given": {"columns.loss": "val_loss", "history": "last", "rows": "checkpoint"},
        "must_not": ["the training loss of one batch taken for the run's loss"],
    }


@case
def trackio_rows(rng: np.random.Generator) -> Made:
    lines, params, tokens, losses, every = ["timestamp,run_name,step,train_loss,val_loss,tokens_seen,lr"], [], [], [], 0
    for name, size, steps in (("23M-cosine", 23e6, 4000), ("60M-cosine", 60e6, 8000), ("180M-cosine", 180e6, 12000)):
        at = np.arange(1000, steps + 1, 1000)
        for step, value in zip(at.tolist(), curve(rng, size, at * 98304.0), strict=True):
            stamp = f"2025-09-{3 + step // 4000:02d}T{step // 1000 % 24:02d}:15:02.118342"
            rate = 8e-4 * 0.5 * (1 + np.cos(np.pi * step / steps)) + 8e-5
            lines.append(f"{stamp},{name},{step},{value - 0.04:.5f},{value:.5f},{step * 98304},{rate:.6f}")
            every += 1
        params.append(size)
        tokens.append(steps * 98304)
        losses.append(round(value, 5))
    return {"trackio_metrics.csv": "\n".join(lines) + "\n"}, {
        "what": "Trackio's rows of three runs, whose names carry the sizes: the last row of each is its end.",
        "path": "trackio_metrics.csv",
        "runs": 3,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": [every, every],
        "may_ask": ["columns.loss", "history", "columns.params"],
        "given": {"columns.loss": "val_loss", "history": "last", "columns.params": "run_name"},
        "must_not": ["24 rows taken for 24 runs", "runs without the size that their name says"],
    }
