"""Tables as they come out of spreadsheets: Excel in two languages, a pasted sheet, workbooks, and one's own short words."""

from __future__ import annotations

import io
import math
from datetime import datetime
from typing import Any

import numpy as np
import openpyxl
from openpyxl.styles import Font

from tests.data.pasted.world import case, loss

Made = tuple[dict[str, str | bytes], dict[str, Any]]


def german(number: float, places: int) -> str:
    """A number as German Excel shows it: dots between thousands, a decimal comma."""
    return f"{number:,.{places}f}".translate(str.maketrans(",.", ".,"))


def saved(book: openpyxl.Workbook) -> bytes:
    """The bytes of a workbook, whose clock stands still."""
    book.properties.created = book.properties.modified = datetime(2024, 5, 2, 9, 30)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


@case
def german_excel(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, rates = [], [], [], [], []
    for name, size, data, rate in (
        ("klein-1", 19_313_664, 0.5, 1e-3),
        ("klein-2", 19_313_664, 2.0, 1e-3),
        ("mittel-1", 124_439_808, 2.5, 6e-4),
        ("mittel-2", 124_439_808, 10.0, 6e-4),
        ("groß-1", 354_823_168, 7.1, 3e-4),
        ("groß-2", 354_823_168, 28.4, 3e-4),
        ("XL", 1_557_611_200, 31.2, 2e-4),
    ):
        value = round(loss(rng, size, data * 1e9), 3)
        written = f"{rate:.1E}".replace(".", ",")
        rows.append(f"{name};{german(size, 0)};{german(data, 1)};{written};{german(value, 3)}")
        params.append(size)
        tokens.append(data * 1e9)
        losses.append(value)
        rates.append(rate)
    text = "Modell;Parameter;Tokens (Mrd.);Lernrate;Val.-Loss\r\n" + "\r\n".join(rows) + "\r\n"
    return {"Ergebnisse.csv": text.encode("cp1252")}, {
        "what": "CSV saved by German Excel: semicolons, cp1252, dots between thousands, decimal commas, Mrd. for billions.",
        "path": "Ergebnisse.csv",
        "runs": 7,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "lr": rates},
        "history": None,
        "may_ask": ["units.tokens", "columns.lr"],
        "given": {"units.tokens": 1e9, "columns.lr": "Lernrate"},
        "must_not": ["3,214 read as three thousand", "2,5 read as 25", "Mrd. read as millions or as nothing"],
    }


@case
def french_excel(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses = [], [], [], []
    for name, size, data in (
        ("petit", 28_400_000, 0.6),
        ("petit", 28_400_000, 2.4),
        ("moyen", 163_000_000, 3.3),
        ("moyen", 163_000_000, 13.0),
        ("grand", 1_300_000_000, 26.0),
    ):
        shown = f"{math.exp(loss(rng, size, data * 1e9)):.2f}"
        spaced = f"{size:,}".replace(",", "\u202f")
        rows.append(f"{name};{spaced};{data:.1f};{shown}".replace(".", ","))
        params.append(size)
        tokens.append(data * 1e9)
        losses.append(math.log(float(shown)))
    text = "Modèle;Nb de paramètres;Tokens (milliards);Perplexité valid.\r\n" + "\r\n".join(rows) + "\r\n"
    return {"resultats.csv": b"\xef\xbb\xbf" + text.encode()}, {
        "what": "CSV saved by French Excel: narrow no-break spaces between thousands, decimal commas, a perplexity.",
        "path": "resultats.csv",
        "runs": 5,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "may_ask": ["loss_unit", "units.tokens", "columns.loss", "columns.params"],
        "given": {
            "loss_unit": "perplexity",
            "units.tokens": 1e9,
            "columns.loss": "Perplexité valid.",
            "columns.params": "Nb de paramètres",
        },
        "must_not": ["perplexity taken for a loss", "a size cut at its first space"],
    }


@case
def sheet_with_units_row(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, batches, rates = [], [], [], [], [], []
    for i, (size, data, batch, rate) in enumerate(
        [
            (14, 0.3, 65.5, 20),
            (14, 1.2, 65.5, 20),
            (41, 0.8, 131, 12),
            (41, 3.2, 131, 12),
            (128, 2.5, 262, 6),
            (128, 10, 262, 6),
        ]
    ):
        value = f"{loss(rng, size * 1e6, data * 1e9):.3f}"
        rows.append(f"r{i + 1}\t{size}\t{data}\t{batch}\t{rate}\t{value}")
        params.append(size * 1e6)
        tokens.append(data * 1e9)
        batches.append(batch * 1e3)
        rates.append(rate * 1e-4)
        losses.append(float(value))
    head = "run\tsize\tdata\tbatch\tlr\tval loss\n\tM params\tB tokens\tk tokens\t×1e-4\tnats\n"
    return {"pasted_sheet.tsv": head + "\n".join(rows) + "\n"}, {
        "what": "Six runs pasted from a sheet whose second row says the units.",
        "path": "pasted_sheet.tsv",
        "runs": 6,
        "set_aside": [0, 1],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "batch": batches, "lr": rates},
        "history": None,
        "may_ask": ["units.params", "units.tokens", "units.batch", "units.lr"],
        "given": {"units.params": 1e6, "units.tokens": 1e9, "units.batch": 1e3, "units.lr": 1e-4},
        "must_not": ["learning rates of 20", "the row of units kept as a run"],
    }


@case
def workbook_with_title_and_mean(rng: np.random.Generator) -> Made:
    book = openpyxl.Workbook()
    notes = book.active
    notes.title = "Read me"
    notes.append(["Scaling ladder, spring"])
    notes.append(["All runs on 8 x A100; losses on the held-out shard in nats."])
    sheet = book.create_sheet("Ladder")
    sheet["A1"] = "Scaling ladder: final results"
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append([])
    sheet.append(["Family", "Run", "Parameters", "Tokens", "Final val loss"])
    params, tokens, losses = [], [], []
    for family, sizes in (("dense", (9_437_184, 33_554_432, 124_439_808)), ("sliding window", (9_437_184, 33_554_432))):
        first = sheet.max_row + 1
        for size in sizes:
            for ratio in (20, 80):
                value = round(loss(rng, size, size * ratio), 4)
                sheet.append([family, f"{family[:2]}-{size // 10**6}-{ratio}", size, size * ratio, value])
                params.append(size)
                tokens.append(size * ratio)
                losses.append(value)
        sheet.merge_cells(start_row=first, end_row=sheet.max_row, start_column=1, end_column=1)
    for row in sheet.iter_rows(min_row=4, min_col=3, max_col=4):
        for cell in row:
            cell.number_format = "#,##0"
    sheet.append(["Mean", None, None, None, round(float(np.mean(losses)), 4)])
    sheet.append([])
    sheet.append(["Two runs were repeated after the move to the new cluster; the repeats are shown."])
    return {"ladder.xlsx": saved(book)}, {
        "what": "A workbook whose second sheet has a title, a header, ten runs with merged family cells, a mean and a remark.",
        "path": "ladder.xlsx",
        "runs": 10,
        "set_aside": [0, 2],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "must_not": ["the mean kept as a run", "the first sheet read and the second not"],
    }


@case
def workbook_two_header_rows(rng: np.random.Generator) -> Made:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "runs"
    sheet.append(["Model", None, None, "Data", None, "Loss", None])
    sheet.append(["name", "N [M]", "layers", "tokens [B]", "steps", "train", "val"])
    for merged in ("A1:C1", "D1:E1", "F1:G1"):
        sheet.merge_cells(merged)
    params, tokens, losses, steps = [], [], [], []
    for size, layers in ((17.1, 6), (49.8, 8), (151.0, 12), (407.5, 24)):
        for data, taken in ((1.31, 5000), (5.24, 20000)):
            value = round(loss(rng, size * 1e6, data * 1e9), 3)
            sheet.append([f"m{layers}-{taken}", size, layers, data, taken, round(value - 0.031, 3), value])
            params.append(size * 1e6)
            tokens.append(data * 1e9)
            losses.append(value)
            steps.append(taken)
    return {"two_header_rows.xlsx": saved(book)}, {
        "what": "A workbook with two header rows, the upper one merged; loss has a train and a val column.",
        "path": "two_header_rows.xlsx",
        "runs": 8,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "steps": steps},
        "history": None,
        "may_ask": ["columns.loss"],
        "given": {"columns.loss": "val"},
        "must_not": [
            "the training loss taken where a validation loss stands beside it",
            "the second header row kept as a run",
        ],
    }


@case
def batch_context_steps(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, rates, hours, batches = [], [], [], [], [], [], []
    for size, batch, context, steps, rate in (
        (5.7, 64, 512, 10000, "2e-3"),
        (5.7, 64, 512, 40000, "2e-3"),
        (21.3, 128, 512, 15000, "1.4e-3"),
        (21.3, 128, 1024, 30000, "1.4e-3"),
        (76.9, 256, 1024, 12000, "8e-4"),
        (76.9, 256, 1024, 48000, "8e-4"),
        (243, 512, 1024, 20000, "5e-4"),
    ):
        seen = batch * context * steps
        value, spent = f"{loss(rng, size * 1e6, seen):.3f}", round(size * seen / 9e9, 2)
        rows.append(f"{size},{batch},{context},{steps},{rate},{spent},{value}")
        params.append(size * 1e6)
        tokens.append(seen)
        losses.append(float(value))
        rates.append(float(rate))
        hours.append(spent * 3600)
        batches.append(batch * context)
    head = "#par (mln),GBS,ctx,n_iters,peak LR,wall (h),val xent\n"
    return {"sweep_jan.csv": head + "\n".join(rows) + "\n"}, {
        "what": "Seven runs with the global batch in sequences, the context and the iterations in place of tokens.",
        "path": "sweep_jan.csv",
        "runs": 7,
        "set_aside": [0, 0],
        "columns": {
            "params": params,
            "tokens": tokens,
            "loss": losses,
            "lr": rates,
            "wall_seconds": hours,
            "batch": batches,
        },
        "history": None,
        "may_ask": ["columns.tokens"],
        "given": {"columns.tokens": None},
        "must_not": ["a batch of 64 tokens", "hours taken for seconds"],
    }


@case
def micro_batches(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, batches = [], [], [], [], []
    for size, micro, accumulation, devices, steps in (
        (12_600_000, 16, 1, 4, 6000),
        (12_600_000, 16, 1, 4, 24000),
        (50_900_000, 8, 2, 8, 10000),
        (50_900_000, 8, 4, 8, 20000),
        (201_000_000, 4, 8, 8, 16000),
        (201_000_000, 4, 8, 16, 32000),
    ):
        batch = micro * accumulation * devices * 1024
        value = f"{loss(rng, size, batch * steps):.4f}"
        rows.append(f"{size},{micro},{accumulation},{devices},1024,{steps},{value}")
        params.append(size)
        tokens.append(batch * steps)
        losses.append(float(value))
        batches.append(batch)
    head = "n_params,per_device_batch_size,grad_accum_steps,num_gpus,seq_len,max_steps,eval_loss\n"
    return {"launcher.csv": head + "\n".join(rows) + "\n"}, {
        "what": "Six runs with a batch per device, accumulation and devices: tokens are the product of five columns.",
        "path": "launcher.csv",
        "runs": 6,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "batch": batches},
        "history": None,
        "must_not": ["tokens short of a factor of accumulation or devices"],
    }


@case
def batch_global_or_per_device(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses = [], [], [], []
    for size, batch, devices, steps in (
        (18, 32, 4, 8000),
        (18, 32, 4, 32000),
        (62, 32, 8, 12000),
        (62, 32, 8, 48000),
        (190, 32, 16, 20000),
        (190, 32, 16, 60000),
    ):
        seen = batch * devices * 1024 * steps
        value = f"{loss(rng, size * 1e6, seen):.3f}"
        rows.append(f"{size}M,{batch},{devices},1024,{steps},{value}")
        params.append(size * 1e6)
        tokens.append(seen)
        losses.append(float(value))
    return {"gpu_runs.csv": "model_size,batch_size,gpus,seq_len,steps,val_loss\n" + "\n".join(rows) + "\n"}, {
        "what": "A batch size beside a number of devices: global or per device, which only the person knows (here: per device).",
        "path": "gpu_runs.csv",
        "runs": 6,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "asks": ["batch"],
        "given": {"batch": "device"},
        "must_not": ["tokens worked out from a batch that may be per device, without asking"],
    }
