"""Tables as they stand in READMEs and in the appendices of papers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.data.pasted.world import case, loss

Made = tuple[dict[str, str | bytes], dict[str, Any]]


@case
def readme_results(rng: np.random.Generator) -> Made:
    sizes = [("nano", 11, 20), ("nano", 11, 80), ("micro", 26, 20), ("micro", 26, 80), ("mini", 58, 20)]
    sizes += [("mini", 58, 40), ("small", 124, 20), ("small", 124, 40), ("medium", 354, 20)]
    rows, params, tokens, losses = [], [], [], []
    for name, size, ratio in sizes:
        shown = f"{size * ratio / 1000:.2f}B"
        value = f"{loss(rng, size * 1e6, size * ratio * 1e6):.3f}"
        bold = f"**{value}**" if name == "medium" else value
        rows.append(f"| [{name}](configs/{name}.yaml) | {size}M | {shown} | {bold} |")
        params.append(size * 1e6)
        tokens.append(float(shown[:-1]) * 1e9)
        losses.append(float(value))
    text = "\n".join(
        [
            "# tinyladder",
            "",
            "Small decoder-only models on FineWeb-Edu. Install with `pip install -e .` and run `./train.sh nano`.",
            "",
            "| Flag | Meaning | Default |",
            "|------|---------|---------|",
            "| `--config` | yaml of a model | `configs/nano.yaml` |",
            "| `--compile` | use `torch.compile` | off |",
            "",
            "## Results",
            "",
            "All runs use cosine decay to 10% of the peak learning rate; every row is a run of its own.",
            "",
            "| Model | #Params | Train tokens | Val loss ↓ |",
            "|:------|--------:|-------------:|:----------:|",
            *rows,
            "",
            "Validation is on 10M held-out tokens. See [LICENSE](LICENSE).",
            "",
        ]
    )
    return {"README.md": text}, {
        "what": "A README with two Markdown tables, of which the second holds nine runs; the best loss is bold.",
        "path": "README.md",
        "runs": 9,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "must_not": ["the table of flags taken for runs", "rows of one model taken for checkpoints"],
    }


@case
def latex_multirow(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, rates = [], [], [], [], []
    for name, size, rate in (("XS", 41, "1.5"), ("S", 99, "1.0"), ("M", 240, "0.6")):
        for i, data in enumerate((0.8, 2.4, 7.2)):
            value = f"{loss(rng, size * 1e6, data * 1e9):.3f}"
            error = f"{abs(rng.normal(0.004, 0.001)):.3f}"[1:]
            best = name == "M" and i == 2
            written = f"$\\mathbf{{{value}}}_{{\\pm {error}}}$" if best else f"${value}_{{\\pm {error}}}$"
            front = f"\\multirow{{3}}{{*}}{{{name}}} & \\multirow{{3}}{{*}}{{{size}M}}" if i == 0 else " & "
            rows.append(f"{front} & {data} & ${rate}\\times 10^{{-3}}$ & {written} \\\\")
            params.append(size * 1e6)
            tokens.append(data * 1e9)
            losses.append(float(value))
            rates.append(float(rate) * 1e-3)
        rows.append("\\midrule" if name != "M" else "\\bottomrule")
    text = "\n".join(
        [
            "\\begin{table}[t]",
            "\\centering",
            "\\caption{Validation loss of all nine runs (mean and standard error over three seeds).}",
            "\\label{tab:ladder}",
            "\\begin{tabular}{@{}llrcc@{}}",
            "\\toprule",
            "Model & $N$ & $D$ (B tokens) & Peak LR & Val.\\ loss \\\\",
            "\\midrule",
            *rows,
            "\\end{tabular}",
            "\\end{table}",
            "",
        ]
    )
    return {"ladder.tex": text}, {
        "what": "A booktabs tabular of nine runs: model and N span three rows each, losses carry errors, one is bold.",
        "path": "ladder.tex",
        "runs": 9,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "lr": rates},
        "history": None,
        "must_not": ["a standard error read as the loss", "rows without their N"],
    }


@case
def appendix_pf_days(rng: np.random.Generator) -> Made:
    rows, params, flops, losses, tokens = [], [], [], [], []
    for size, layers, width in (
        (6.3, 8, 256),
        (14.2, 8, 384),
        (25.2, 8, 512),
        (42.5, 6, 768),
        (85, 12, 768),
        (302, 24, 1024),
    ):
        for data in (2e9, 8e9):
            days = f"{6 * size * 1e6 * data / 8.64e19:.2e}"
            value = f"{loss(rng, size * 1e6, data):.2f}"
            rows.append(f"{size}M,{layers},{width},{days},{value}")
            params.append(size * 1e6)
            flops.append(float(days) * 8.64e19)
            losses.append(float(value))
            tokens.append(float(days) * 8.64e19 / (6 * size * 1e6))
    text = "n_params (non-embedding),n_layers,d_model,Compute (PF-days),Test loss\n" + "\n".join(rows) + "\n"
    return {"appendix_table7.csv": text}, {
        "what": "Twelve runs with sizes without embeddings and compute in petaflop/s-days; no tokens.",
        "path": "appendix_table7.csv",
        "runs": 12,
        "set_aside": [0, 0],
        "columns": {"params": params, "params_nonembed": params, "flops": flops, "loss": losses},
        "if_present": {"tokens": tokens},
        "history": None,
        "must_not": ["PF-days taken for FLOP or for a wall-clock time"],
    }


@case
def merged_and_sections(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses = [], [], [], []
    for title, factor in (("*Transformer++*", 1.0), ("*Linear attention*", 1.03)):
        rows.append(f"| {title} | | | | |")
        for size in ("85M", "302M", "1.1B"):
            number = float(size[:-1]) * (1e6 if size[-1] == "M" else 1e9)
            for i, data in enumerate((5, 10, 20)):
                value = f"{loss(rng, number, data * 1e9) * factor:.3f}"
                rows.append(f"| {size if i == 0 else ''} | {data}B | {value} | {math.exp(float(value)):.2f} | |")
                params.append(number)
                tokens.append(data * 1e9)
                losses.append(float(value))
        rows.append(f"| Average | | {np.mean(losses[-9:]):.3f} | {np.exp(np.mean(losses[-9:])):.2f} | |")
    text = "\n".join(
        [
            "| Params | Tokens | Val loss | Val ppl | Notes |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Notes: every row is trained from scratch with its own cosine schedule. Perplexity is exp(loss).",
            "",
        ]
    )
    return {"table_4.md": text}, {
        "what": "Two sections of nine runs, each with a heading row, sizes only on the first row of three, and an average.",
        "path": "table_4.md",
        "runs": 18,
        "set_aside": [0, 4],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "must_not": [
            "an average kept as a run",
            "a size carried past its section",
            "rows set aside for want of a size",
        ],
    }


@case
def footnotes_and_errors(rng: np.random.Generator) -> Made:
    sizes = ["19.2M", "44.7M", "96M", "211M", "410M*", "838M", "1.4B", "1.4B"]
    data = ["4", "4", "8", "8", "16†", "16", "32", "64"]
    rows, params, tokens, losses = [], [], [], []
    for size, amount in zip(sizes, data, strict=True):
        plain, billions = size.rstrip("*"), float(amount.rstrip("†"))
        number = round(float(plain[:-1]) * (1e6 if plain[-1] == "M" else 1e9))
        value = f"{loss(rng, number, billions * 1e9):.3f}"
        sign = " ± " + f"{abs(rng.normal(0.003, 0.001)) + 0.001:.3f}"
        rows.append(f"{size}\t{amount}\t{value}{sign}")
        params.append(number)
        tokens.append(billions * 1e9)
        losses.append(float(value))
    text = "Model size\tTraining tokens (B)\tFinal loss\n" + "\n".join(rows)
    text += "\n* shape as in GPT-3 Medium\n† restarted once from a checkpoint after a hardware failure\n"
    return {"table_a3.txt": text}, {
        "what": "Eight runs pasted from a PDF: ± errors, a star and a dagger behind numbers, two footnotes below.",
        "path": "table_a3.txt",
        "runs": 8,
        "set_aside": [0, 2],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "must_not": ["a footnote kept as a run", "a run set aside for its mark"],
    }


@case
def transposed_log2(rng: np.random.Generator) -> Made:
    names = ["d64", "d128", "d192", "d256", "d384", "d512"]
    sizes = ["3.2M", "9.8M", "19.5M", "34.1M", "77M", "141M"]
    data = [0.4, 0.4, 0.8, 0.8, 1.6, 3.2]
    bits = [f"{loss(rng, float(s[:-1]) * 1e6, d * 1e9) / math.log(2):.3f}" for s, d in zip(sizes, data, strict=True)]
    rates = ["3e-3", "3e-3", "2e-3", "2e-3", "1e-3", "1e-3"]
    lines = [["", *names], ["Parameters", *sizes], ["Tokens (B)", *map(str, data)], ["Peak learning rate", *rates]]
    lines.append(["log2 ppl", *bits])
    return {"by_width.csv": "\n".join(",".join(line) for line in lines) + "\n"}, {
        "what": "Six runs side by side, one a column; the loss is the binary logarithm of perplexity.",
        "path": "by_width.csv",
        "runs": 6,
        "set_aside": [0, 0],
        "columns": {
            "params": [float(s[:-1]) * 1e6 for s in sizes],
            "tokens": [d * 1e9 for d in data],
            "loss": [float(b) * math.log(2) for b in bits],
            "lr": [float(r) for r in rates],
        },
        "history": None,
        "may_ask": ["loss_unit", "orientation"],
        "given": {"loss_unit": "bits", "orientation": "column"},
        "must_not": ["bits taken for nats", "log2 ppl taken for perplexity"],
    }


@case
def tidy_long(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, rates = [], [], [], [], []
    for i, (size, data) in enumerate(
        [(8e6, 2e8), (8e6, 8e8), (3e7, 6e8), (3e7, 2.4e9), (1.1e8, 2.2e9), (1.1e8, 8.8e9)]
    ):
        value = f"{loss(rng, size, data):.4f}"
        rate = ["0.003", "0.003", "0.002", "0.002", "0.001", "0.001"][i]
        measured = [("n_params", int(size)), ("n_tokens", int(data)), ("eval_loss", value), ("learning_rate", rate)]
        rows += [f"run_{i:02d},{metric},{shown}" for metric, shown in measured]
        params.append(size)
        tokens.append(data)
        losses.append(float(value))
        rates.append(float(rate))
    return {"results_long.csv": "run,metric,value\n" + "\n".join(rows) + "\n"}, {
        "what": "A tidy long table: run, metric, value; six runs of four metrics.",
        "path": "results_long.csv",
        "runs": 6,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "lr": rates},
        "history": None,
        "may_ask": ["orientation"],
        "given": {"orientation": "long"},
        "must_not": ["the column of values taken for losses"],
    }


@case
def bits_per_byte(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses = [], [], [], []
    for size, data in ((70, 10), (160, 10), (160, 30), (410, 30), (410, 90), (1010, 90), (1400, 300)):
        value = f"{loss(rng, size * 1e6, data * 1e9) / math.log(2) / 4.31:.4f}"
        rows.append(f"| {size} | {data} | {value} | 4.31 |")
        params.append(size * 1e6)
        tokens.append(data * 1e9)
        losses.append(float(value) * math.log(2) * 4.31)
    text = (
        "| Params (M) | Tokens (B) | Pile BPB | bytes/token |\n| ---: | ---: | ---: | ---: |\n" + "\n".join(rows) + "\n"
    )
    return {"pile_bpb.md": text}, {
        "what": "Seven runs with bits per byte, and the bytes of a token in a column beside it.",
        "path": "pile_bpb.md",
        "runs": 7,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "may_ask": ["bytes_per_token", "loss_unit"],
        "given": {"bytes_per_token": 4.31, "loss_unit": "bits per byte"},
        "must_not": ["bits per byte taken for nats or for bits per token"],
    }


@case
def compute_times_1e18(rng: np.random.Generator) -> Made:
    rows, total, bare, flops, losses = [], [], [], [], []
    for layers, width in ((4, 256), (6, 384), (8, 512), (12, 768), (16, 1024)):
        inner = 12 * layers * width**2
        whole = inner + 50257 * width
        for data in (1e9, 4e9):
            spent = f"{6 * inner * data / 1e18:.4f}"
            value = f"{loss(rng, whole, data):.3f}"
            rows.append(f"{layers}L-{width},{whole / 1e6:.2f},{inner / 1e6:.2f},{spent},{value}")
            total.append(round(whole / 1e6, 2) * 1e6)
            bare.append(round(inner / 1e6, 2) * 1e6)
            flops.append(float(spent) * 1e18)
            losses.append(float(value))
    text = "Model,Total params (M),Non-emb. params (M),FLOPs (×10¹⁸),Loss (nats/tok)\n" + "\n".join(rows) + "\n"
    return {"isoflop_appendix.csv": text}, {
        "what": "Ten runs with all parameters and those without embeddings, and compute in units of 10^18 FLOP.",
        "path": "isoflop_appendix.csv",
        "runs": 10,
        "set_aside": [0, 0],
        "columns": {"params_total": total, "params_nonembed": bare, "flops": flops, "loss": losses},
        "either": {"params": ["params_total", "params_nonembed"]},
        "history": None,
        "may_ask": ["count"],
        "given": {"count": "params_nonembed"},
        "must_not": ["FLOP off by 10^18", "one count taken for the other"],
    }


@case
def ambiguous_losses(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses = [], [], [], []
    for size, data in ((25, 1), (25, 4), (80, 2), (80, 8), (250, 5), (250, 20)):
        base = loss(rng, size * 1e6, data * 1e9)
        shown = [f"{base * factor:.3f}" for factor in (1.05, 0.84, 1.21)]
        rows.append(f"{size}M,{data}B,{','.join(shown)}")
        params.append(size * 1e6)
        tokens.append(data * 1e9)
        losses.append(float(shown[1]))
    return {"three_domains.csv": "Params,Tokens,C4 loss,Pile loss,WikiText loss\n" + "\n".join(rows) + "\n"}, {
        "what": "Six runs with losses on three sets, none of them marked as the one: the person must say which.",
        "path": "three_domains.csv",
        "runs": 6,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "asks": ["columns.loss"],
        "given": {"columns.loss": "Pile loss"},
        "must_not": ["one of three losses taken without asking"],
    }


@case
def size_without_unit(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses = [], [], [], []
    for size, data in ((70, 1.5), (70, 6), (160, 3), (160, 12), (410, 8), (410, 32), (1000, 20)):
        value = f"{loss(rng, size * 1e6, data * 1e9):.3f}"
        rows.append(f"{size}\t{data}\t{value}")
        params.append(size * 1e6)
        tokens.append(data * 1e9)
        losses.append(float(value))
    return {"from_chat.tsv": "size\tdata\tloss\n" + "\n".join(rows) + "\n"}, {
        "what": "Seven runs whose size and data have no unit at all: 1.5 may be billions of tokens, gigabytes or epochs.",
        "path": "from_chat.tsv",
        "runs": 7,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": None,
        "asks": ["units.tokens|columns.tokens"],
        "may_ask": ["units.params", "columns.params"],
        "given": {"units.tokens": 1e9, "units.params": 1e6, "columns.tokens": "data", "columns.params": "size"},
        "must_not": ["1.5 taken for one and a half tokens", "a unit assumed in silence"],
    }


@case
def checkpoints_in_a_summary(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, every = [], [], [], [], 0
    for name, size in (("lm-70m", 70.4), ("lm-160m", 162.3), ("lm-410m", 405.3)):
        for step in (1000, 4000, 16000, 64000, 143000):
            seen = step * 2097152
            value = f"{loss(rng, size * 1e6, seen):.3f}"
            rows.append(f"| {name} | {size}M | step{step} | {seen / 1e9:.1f} | {value} |")
            every += 1
        params.append(size * 1e6)
        tokens.append(299.9e9)
        losses.append(float(value))
    text = "| Model | Params | Checkpoint | Tokens (B) | Val loss |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    return {"checkpoints.md": text}, {
        "what": "Five checkpoints of three models each: three runs that end at 300B tokens, not fifteen.",
        "path": "checkpoints.md",
        "runs": 3,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses},
        "history": [15, 15],
        "may_ask": ["rows", "history"],
        "given": {"rows": "checkpoint", "history": "last"},
        "must_not": ["fifteen checkpoints fitted as fifteen runs in silence"],
    }


@case
def seeds_rounded(rng: np.random.Generator) -> Made:
    rows, params, tokens, losses, seeds = [], [], [], [], []
    for size, data in ((12.5, 0.25), (12.5, 1.0), (48, 1.0), (48, 4.0)):
        base = loss(rng, size * 1e6, data * 1e9)
        for seed in (0, 1, 2):
            value = f"{base + (0.012 if seed == 2 else 0.0):.2f}"
            rows.append(f"{size},{data},{seed},{value},{round(size * data * 3.1, 1)}")
            params.append(size * 1e6)
            tokens.append(data * 1e9)
            losses.append(float(value))
            seeds.append(seed)
    return {"seeds.csv": "mdl_sz_mln,Data seen [Gtok],seed,val xent,wall (min)\n" + "\n".join(rows) + "\n"}, {
        "what": "Four settings with three seeds each and losses rounded to two places: twelve runs, some alike.",
        "path": "seeds.csv",
        "runs": 12,
        "set_aside": [0, 0],
        "columns": {"params": params, "tokens": tokens, "loss": losses, "seed": seeds},
        "if_present": {
            "wall_seconds": [round(p / 1e6 * t / 1e9 * 3.1, 1) * 60 for p, t in zip(params, tokens, strict=True)]
        },
        "history": None,
        "must_not": ["runs of other seeds set aside as copies"],
    }
