"""Tables of runs in varied writing, each with its planted truth: headers, units, locales, marks, conventions and formats.

A variant is drawn from one number: which form the sizes, the data and the losses have, how numbers are written, what else
stands in the table, and the file it comes in. The answer holds what the written digits say, in canonical units. Any question
may be asked; its right answer is there as far as a person would know it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tests.data.pasted.world import loss
from tests.data.variant_formats import FORMATS, MARKUP, NATIVE, Grid
from tests.data.variant_numbers import LOCALES, Cell, number, scientific, suffixed

BYTES_PER_TOKEN = 4.0
WORDS_PER_TOKEN = 0.75


@dataclass(frozen=True)
class Field:
    """A column as it is written: its header, its cells, and what the answer says of it."""

    header: str
    cells: list[Cell]
    column: str = ""  # the canonical column whose values `truth` has
    truth: list[Any] = field(default_factory=list)
    scale: float = 1.0
    bare: str = ""  # the header without its unit, where the unit can stand in a row of its own
    unit: str = ""


@dataclass(frozen=True)
class Variant:
    """A file, its right answer, and what was drawn for it."""

    name: str
    content: bytes
    answer: dict[str, Any]
    drawn: dict[str, str]


@dataclass(frozen=True)
class Draw:
    """The planted runs and the means to write them."""

    rng: np.random.Generator
    params: list[float]
    tokens: list[float]
    locale: str

    def pick(self, options: list[Any] | tuple[Any, ...]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def scaled(self, values: list[float], unit: float, digits: int = 3) -> tuple[list[Cell], list[float]]:
        """Values in a unit, rounded to some significant digits, and what the digits say."""
        shown = [float(f"{v / unit:.{digits}g}") for v in values]
        return [number(v, self.locale) for v in shown], [v * unit for v in shown]


RAW_PARAMS = [
    "params",
    "n_params",
    "Parameters",
    "# params",
    "#Params",
    "num_parameters",
    "N",
    "model.n_params",
    "Model size",
]
M_PARAMS = [
    ("params (M)", "params", "M"),
    ("Parameters [M]", "Parameters", "M"),
    ("N (millions)", "N", "millions"),
    ("Params, M", "Params", "M"),
    ("n_params_M", "", ""),
    ("Model size (M params)", "Model size", "M params"),
    ("#par (mln)", "#par", "mln"),
    ("Params (×10⁶)", "Params", "×10⁶"),
    ("params [10^6]", "params", "10^6"),
]
RAW_TOKENS = [
    "tokens",
    "n_tokens",
    "Training tokens",
    "tokens_seen",
    "D",
    "total_tokens",
    "#tokens",
    "#tok",
    "train_tokens",
]
B_TOKENS = [
    ("tokens (B)", "tokens", "B"),
    ("D [B tokens]", "D", "B tokens"),
    ("Tokens, billions", "Tokens", "billions"),
    ("Data seen [Gtok]", "Data seen", "Gtok"),
    ("tokens_B", "", ""),
    ("Training tokens (×10⁹)", "Training tokens", "×10⁹"),
    ("D (10^9 tokens)", "D", "10^9 tokens"),
]


def _params_raw(d: Draw) -> list[Field]:
    shown = [round(n) for n in d.params]
    return [Field(d.pick(RAW_PARAMS), [number(n, d.locale) for n in shown], "params", shown)]


def _params_m(d: Draw) -> list[Field]:
    header, bare, unit = d.pick(M_PARAMS)
    cells, truth = d.scaled(d.params, 1e6)
    return [Field(header, cells, "params", truth, 1e6, bare, unit)]


def _params_b(d: Draw) -> list[Field]:
    header, bare, unit = d.pick(
        [("params (B)", "params", "B"), ("N [B]", "N", "B"), ("Parameters (billions)", "Parameters", "billions")]
    )
    cells, truth = d.scaled(d.params, 1e9)
    return [Field(header, cells, "params", truth, 1e9, bare, unit)]


def _params_suffix(d: Draw) -> list[Field]:
    style = d.pick(["{}M", "{}M", "{} M", "{}m"])
    cells, truth = suffixed(d.params, style, d.locale)
    return [Field(d.pick(RAW_PARAMS), cells, "params", truth)]


def _own_unit(d: Draw, headers: list[tuple[str, float]], values: list[float], column: str) -> list[Field]:
    """A column in a header's unit of which some cells name their own."""
    header, unit = d.pick(headers)
    cells, truth = d.scaled(values, unit)
    own, said = suffixed(values, d.pick(["{}M", "{} M"]), d.locale)
    odd = [bool(d.rng.random() < 0.3) for _ in values]
    return [
        Field(
            header,
            [b if o else a for a, b, o in zip(cells, own, odd, strict=True)],
            column,
            [b if o else a for a, b, o in zip(truth, said, odd, strict=True)],
            unit,
        )
    ]


def _params_own(d: Draw) -> list[Field]:
    return _own_unit(d, [("params (M)", 1e6), ("N (B)", 1e9), ("params", 1.0)], d.params, "params")


def _tokens_own(d: Draw) -> list[Field]:
    return _own_unit(d, [("tokens (M)", 1e6), ("tokens (B)", 1e9), ("D", 1.0)], d.tokens, "tokens")


def _logarithm(d: Draw, headers: list[tuple[str, float]], values: list[float], column: str) -> list[Field]:
    """A column of logarithms, four decimals each."""
    header, base = d.pick(headers)
    shown = [round(math.log(v) / math.log(base), 4) for v in values]
    return [Field(header, [number(v, d.locale, 4) for v in shown], column, [base**v for v in shown])]


def _params_log(d: Draw) -> list[Field]:
    return _logarithm(d, LOG_PARAMS, d.params, "params")


def _tokens_log(d: Draw) -> list[Field]:
    return _logarithm(d, LOG_TOKENS, d.tokens, "tokens")


LOG_PARAMS = [
    ("log10 N", 10.0), ("log10(params)", 10.0), ("log2 params", 2.0), ("ln N", math.e), ("log(params)", 10.0), ("log N", math.e),
    ("log_params", 10.0), ("N (log10)", 10.0), ("params_log10", 10.0), ("lg N", 10.0),
]  # fmt: skip
LOG_TOKENS = [
    ("log10 D", 10.0), ("log10(tokens)", 10.0), ("log2 tokens", 2.0), ("ln D", math.e), ("log(tokens)", 10.0), ("log D", math.e),
    ("log_tokens", 10.0), ("tokens (log10)", 10.0), ("log10_tokens", 10.0),
]  # fmt: skip


def _params_sci(d: Draw) -> list[Field]:
    cells, truth = scientific(d.params, d.locale, d.pick(["e", "e+", "×"]))
    return [Field(d.pick(RAW_PARAMS), cells, "params", truth)]


def _params_nonembed(d: Draw) -> list[Field]:
    header, unit = d.pick(
        [
            ("Non-embedding params (M)", 1e6),
            ("n_params (non-emb.)", 1.0),
            ("params_nonembed", 1.0),
            ("N (excl. embeddings) [M]", 1e6),
            ("non_embedding_params", 1.0),
            ("Params w/o embeddings (M)", 1e6),
        ]
    )
    cells, truth = (
        d.scaled(d.params, unit)
        if unit > 1
        else ([number(round(n), d.locale) for n in d.params], [round(n) for n in d.params])
    )
    return [Field(header, cells, "params_nonembed", truth, unit)]


def _params_both(d: Draw) -> list[Field]:
    total, bare = d.pick(
        [
            ("Total params (M)", "Non-emb. params (M)"),
            ("params_total [M]", "params_non_embedding [M]"),
            ("N (M)", "N non-embedding (M)"),
        ]
    )
    whole, truth = d.scaled(d.params, 1e6, 4)
    part, without = d.scaled([n * (1 - 2.2 / n**0.2) for n in d.params], 1e6, 4)
    name = "params_total" if "otal" in total else ""
    return [Field(total, whole, name, truth, 1e6), Field(bare, part, "params_nonembed", without, 1e6)]


def _tokens_raw(d: Draw) -> list[Field]:
    shown = [round(t) for t in d.tokens]
    return [Field(d.pick(RAW_TOKENS), [number(t, d.locale) for t in shown], "tokens", shown)]


def _tokens_b(d: Draw) -> list[Field]:
    header, bare, unit = d.pick(B_TOKENS)
    cells, truth = d.scaled(d.tokens, 1e9)
    return [Field(header, cells, "tokens", truth, 1e9, bare, unit)]


def _tokens_m(d: Draw) -> list[Field]:
    header, bare, unit = d.pick(
        [("tokens (M)", "tokens", "M"), ("D [Mtok]", "D", "Mtok"), ("Tokens (millions)", "Tokens", "millions")]
    )
    cells, truth = d.scaled(d.tokens, 1e6)
    return [Field(header, cells, "tokens", truth, 1e6, bare, unit)]


def _tokens_suffix(d: Draw) -> list[Field]:
    cells, truth = suffixed(d.tokens, d.pick(["{}B", "{}B", "{} B", "{}B tokens"]), d.locale)
    return [Field(d.pick(RAW_TOKENS), cells, "tokens", truth)]


def _tokens_sci(d: Draw) -> list[Field]:
    cells, truth = scientific(d.tokens, d.locale, d.pick(["e", "e+", "×"]))
    return [Field(d.pick(RAW_TOKENS), cells, "tokens", truth)]


def _schedule(d: Draw, split: int) -> tuple[list[int], list[int], list[int]]:
    """Batches in sequences, contexts and steps that come near the planted tokens."""
    batches = [int(2 ** round(math.log2(max(split, 32) * (n / 1e7) ** 0.4))) for n in d.params]
    batches = [max(split, b) for b in batches]
    context = d.pick([512, 1024, 2048])
    steps = [max(100, round(t / (b * context) / 100) * 100) for t, b in zip(d.tokens, batches, strict=True)]
    return batches, [context] * len(batches), steps


def _whole(header: str, values: list[int], d: Draw, column: str = "") -> Field:
    return Field(header, [number(v, d.locale) for v in values], column, list(values) if column else [])


def _batch_seq_steps(d: Draw) -> list[Field]:
    batches, context, steps = _schedule(d, 32)
    heads = d.pick(
        [
            ("batch_size", "seq_len", "steps"),
            ("GBS", "ctx", "n_iters"),
            ("bsz", "context length", "iterations"),
            ("global batch (seqs)", "sequence length", "train steps"),
            ("Batch size (sequences)", "Seq. length", "Steps"),
        ]
    )
    seen = [b * c * s for b, c, s in zip(batches, context, steps, strict=True)]
    fields = [_whole(h, v, d) for h, v in zip(heads, (batches, context, steps), strict=True)]
    return [replace(fields[0], column="tokens", truth=seen), *fields[1:]]


def _batch_tokens_steps(d: Draw) -> list[Field]:
    batches, context, steps = _schedule(d, 32)
    tokens = [b * c for b, c in zip(batches, context, strict=True)]
    heads = d.pick(
        [
            ("batch (tokens)", "steps"),
            ("tokens per step", "n_steps"),
            ("batch_size_tokens", "iterations"),
            ("Batch [tok]", "Steps"),
        ]
    )
    seen = [b * s for b, s in zip(tokens, steps, strict=True)]
    return [replace(_whole(heads[0], tokens, d), column="tokens", truth=seen), _whole(heads[1], steps, d)]


def _micro_batches(d: Draw) -> list[Field]:
    batches, context, steps = _schedule(d, 64)
    devices = [d.pick([2, 4, 8]) for _ in batches]
    micro = [4] * len(batches)
    accumulation = [max(1, b // (4 * n)) for b, n in zip(batches, devices, strict=True)]
    heads = d.pick(
        [
            ("per_device_batch_size", "grad_accum", "n_gpus", "seq_len", "steps"),
            ("micro batch", "gradient accumulation", "GPUs", "ctx", "iters"),
            ("mbs", "grad_accum_steps", "num_devices", "context_length", "max_steps"),
        ]
    )
    columns = (micro, accumulation, devices, context, steps)
    seen = [math.prod(row) for row in zip(*columns, strict=True)]
    fields = [_whole(h, v, d) for h, v in zip(heads, columns, strict=True)]
    return [replace(fields[0], column="tokens", truth=seen), *fields[1:]]


def _batch_unclear(d: Draw) -> list[Field]:
    batches, context, steps = _schedule(d, 32)
    devices = [d.pick([4, 8, 16]) for _ in batches]
    seen = [math.prod(row) for row in zip(batches, devices, context, steps, strict=True)]
    heads = d.pick(
        [
            ("batch_size", "gpus", "seq_len", "steps"),
            ("bs", "n_gpus", "ctx", "iters"),
            ("Batch", "#GPUs", "Context", "Steps"),
        ]
    )
    fields = [_whole(h, v, d) for h, v in zip(heads, (batches, devices, context, steps), strict=True)]
    return [replace(fields[0], column="tokens", truth=seen), *fields[1:]]


def _flops(d: Draw) -> list[Field]:
    spent = [6 * n * t for n, t in zip(d.params, d.tokens, strict=True)]
    header, unit = d.pick(
        [
            ("FLOPs", 1.0),
            ("Compute (FLOPs)", 1.0),
            ("C", 1.0),
            ("train_flops", 1.0),
            ("Compute (PF-days)", 8.64e19),
            ("PF-days", 8.64e19),
            ("EFLOPs", 1e18),
            ("Training compute [EFLOP]", 1e18),
            ("FLOPs (×10¹⁸)", 1e18),
            ("FLOPs (1e18)", 1e18),
            ("C [10^18 FLOPs]", 1e18),
        ]
    )
    cells, truth = d.scaled(spent, unit) if unit > 1 else scientific(spent, d.locale, d.pick(["e", "e+", "×"]))
    return [Field(header, cells, "flops", truth, unit)]


def _per_param(d: Draw) -> list[Field]:
    cells, truth = d.scaled([t / n for n, t in zip(d.params, d.tokens, strict=True)], 1.0)
    return [Field(d.pick(["tokens/param", "Tokens per parameter", "D/N"]), cells, "ratio", truth)]


NATS = [
    "loss",
    "val_loss",
    "Validation loss",
    "eval/loss",
    "Final loss",
    "test loss",
    "val xent",
    "cross-entropy",
    "Loss (nats/token)",
    "val loss ↓",
]


def _loss(
    headers: list[str], shown: Callable[[float], float], back: Callable[[float], float], unit: str
) -> Callable[[Draw], list[Field]]:
    def build(d: Draw) -> list[Field]:
        places = d.pick([3, 4])
        values = [round(shown(loss(d.rng, n, t)), places) for n, t in zip(d.params, d.tokens, strict=True)]
        return [
            Field(
                d.pick(headers),
                [number(v, d.locale, places) for v in values],
                "loss",
                [back(v) for v in values],
                unit=unit,
            )
        ]

    return build


PARAMS: dict[str, Callable[[Draw], list[Field]]] = {
    "count": _params_raw,
    "M in header": _params_m,
    "B in header": _params_b,
    "suffix in cell": _params_suffix,
    "scientific": _params_sci,
    "non-embedding": _params_nonembed,
    "total and non-embedding": _params_both,
    "own suffix under a unit": _params_own,
    "logarithm": _params_log,
}
TOKENS: dict[str, Callable[[Draw], list[Field]]] = {
    "count": _tokens_raw,
    "B in header": _tokens_b,
    "M in header": _tokens_m,
    "suffix in cell": _tokens_suffix,
    "scientific": _tokens_sci,
    "batch × seq × steps": _batch_seq_steps,
    "batch in tokens × steps": _batch_tokens_steps,
    "micro × accum × devices": _micro_batches,
    "batch of unclear scope": _batch_unclear,
    "FLOPs": _flops,
    "tokens per parameter": _per_param,
    "own suffix under a unit": _tokens_own,
    "logarithm": _tokens_log,
}
LOSSES: dict[str, Callable[[Draw], list[Field]]] = {
    "nats": _loss(NATS, lambda v: v, lambda v: v, "nats"),
    "perplexity": _loss(
        ["ppl", "Perplexity", "val ppl", "PPL ↓", "valid perplexity"], math.exp, math.log, "perplexity"
    ),
    "bits per token": _loss(
        ["loss (bits)", "bits per token", "CE [bits/token]", "log2 ppl", "log2(perplexity)"],
        lambda v: v / math.log(2),
        lambda v: v * math.log(2),
        "bits",
    ),
    "bits per byte": _loss(
        ["BPB", "bits per byte", "val_bpb", "bits/byte"],
        lambda v: v / math.log(2) / BYTES_PER_TOKEN,
        lambda v: v * math.log(2) * BYTES_PER_TOKEN,
        "bits per byte",
    ),
    "perplexity of words": _loss(
        ["word-level ppl", "ppl per word", "word_perplexity", "PPL/word", "perplexity (per word)"],
        lambda v: math.exp(v / WORDS_PER_TOKEN),
        lambda v: math.log(v) * WORDS_PER_TOKEN,
        "perplexity per word",
    ),
    "times a hundred": _loss(
        ["loss (%)", "loss (x100)", "100 x loss", "val loss × 100", "loss (10^-2)", "val_loss_x100"],
        lambda v: 100 * v,
        lambda v: v / 100,
        "nats",
    ),
    "logarithm": _loss(
        ["log10 loss", "log10(val loss)", "loss (log10)", "log10_loss"],
        lambda v: math.log10(v),
        lambda v: 10**v,
        "nats",
    ),
}
TRAINING = {
    "nats": ["train_loss", "Training loss", "train/loss"],
    "perplexity": ["train ppl", "Training perplexity"],
    "bits": ["train bits per token", "training loss (bits)"],
    "bits per byte": ["train bpb", "train_bits_per_byte"],
    "perplexity per word": ["train word ppl"],
}
MARKS = ["none", "none", "best in bold", "±", "+/-", "error in parentheses", "footnote marks", "about"]
ROWS = ["none", "none", "mean", "sections", "title", "footnotes", "merged sizes", "units row", "blank lines"]
COLUMNS = ["none", "name", "name and lr", "seed", "training loss", "perplexity beside", "shape", "hours", "remarks"]


def variant(seed: int, index: int) -> Variant:
    """The variant of a seed and an index: always the same one."""
    rng = np.random.default_rng([seed, index])

    def pick(options: Any) -> Any:
        options = list(options)
        return options[int(rng.integers(len(options)))]

    drawn = {"format": pick(FORMATS), "params": pick(PARAMS), "data": pick(TOKENS)}
    drawn["loss"] = pick(["nats", "nats", *LOSSES])
    if drawn["params"] == "total and non-embedding" and drawn["data"] == "tokens per parameter":
        drawn["data"] = "count"  # of which parameters, nobody could say
    native = drawn["format"] in NATIVE
    drawn["locale"] = "native" if native else pick([name for name in LOCALES if name != "native"])
    drawn["marks"] = pick(MARKS)
    drawn["rows"] = pick(ROWS) if drawn["format"] in MARKUP else "none"
    drawn["columns"] = pick(COLUMNS)
    straight = drawn["format"] in MARKUP and drawn["rows"] == "none"
    drawn["orientation"] = pick(["rows", "rows", "rows", "transposed"]) if straight else "rows"
    count, ratios = int(rng.integers(3, 6)), pick([(20,), (10, 40), (5, 20, 80)])
    sizes = np.sort(10 ** rng.uniform(7.0, 9.3, count + (2 if len(ratios) == 1 else 0)))
    pairs = [(float(n), float(n * r * rng.uniform(0.9, 1.1))) for n in sizes for r in ratios]
    if drawn["rows"] != "merged sizes" and rng.random() < 0.4:
        pairs = [pairs[i] for i in rng.permutation(len(pairs))]
    d = Draw(rng, [n for n, _ in pairs], [t for _, t in pairs], drawn["locale"])
    return _written(f"v{seed}_{index:05d}", d, drawn)


def _written(name: str, d: Draw, drawn: dict[str, str]) -> Variant:
    params, data = PARAMS[drawn["params"]](d), TOKENS[drawn["data"]](d)
    seen = (
        data[0].truth if data[0].column == "tokens" else d.tokens
    )  # whole steps of whole batches come near the plan only
    losses = LOSSES[drawn["loss"]](replace(d, tokens=seen))
    answer = _answer(d, params, data, losses, drawn)
    losses = [replace(losses[0], cells=_marked(losses[0].cells, d, drawn["marks"]))]
    if drawn["marks"] == "about":
        params = [replace(f, cells=[c.around("~", "") for c in f.cells]) for f in params]
    fields = [*params, *data, *losses]
    beside = _beside(d, drawn["columns"], losses[0], answer)
    fields = [*beside[0], *fields, *beside[1]]
    grid = _arranged(fields, {f.header for f in params}, d, drawn, answer)
    ending, write = FORMATS[drawn["format"]]
    return Variant(f"{name}.{ending}", write(grid, d.locale), answer, drawn)


def _answer(
    d: Draw, params: list[Field], data: list[Field], losses: list[Field], drawn: dict[str, str]
) -> dict[str, Any]:
    columns = {f.column: f.truth for f in (*params, *data, *losses) if f.column}
    shown = params[0].truth
    if "ratio" in columns:
        columns["tokens"] = [r * n for r, n in zip(columns.pop("ratio"), shown, strict=True)]
    given: dict[str, Any] = {
        "loss_unit": losses[0].unit,
        "bytes_per_token": BYTES_PER_TOKEN,
        "count": params[-1].column or "params",
        "rows": "runs",
        "history": "last",
        "orientation": "column" if drawn["orientation"] == "transposed" else "row",
        "batch": "device" if drawn["data"] in ("batch of unclear scope", "micro × accum × devices") else "global",
        "columns.loss": losses[0].header,
        "columns.params": params[0].header,
        f"columns.{params[-1].column or 'params'}": params[-1].header,
        "units.params": params[0].scale,
        "units.params_nonembed": params[-1].scale,
        "units.params_total": params[0].scale,
        "units.loss": 1.0,
    }
    given["columns.tokens"] = given["columns.flops"] = None
    if data[0].column in ("tokens", "flops"):
        given[f"units.{data[0].column}"] = data[0].scale
    if len(data) == 1 and data[0].column in ("tokens", "flops"):
        given[f"columns.{data[0].column}"] = data[0].header
    asks = ["batch"] if drawn["data"] == "batch of unclear scope" else []
    if losses[0].unit == "perplexity per word":
        given["bytes_per_token"] = WORDS_PER_TOKEN
    if drawn["loss"] in ("bits per byte", "perplexity of words") and drawn["columns"] != "perplexity beside":
        asks.append("bytes_per_token")
    answer: dict[str, Any] = {
        "runs": len(shown),
        "set_aside": [0, 0],
        "columns": columns,
        "history": None,
        "asks": asks,
        "may_ask": ["*"],
        "given": given,
    }
    if "flops" in columns and drawn["params"] != "total and non-embedding":
        answer["if_present"] = {"tokens": [c / 6 / n for c, n in zip(columns["flops"], shown, strict=True)]}
    return answer


def _marked(cells: list[Cell], d: Draw, marks: str) -> list[Cell]:
    """The losses with their marks: a bold best, errors, footnotes."""
    if marks == "best in bold":
        best = int(np.argmin([c.value for c in cells]))
        return [replace(c, bold=i == best) for i, c in enumerate(cells)]
    if marks in ("±", "+/-", "error in parentheses"):
        before, after = {"±": (" ± ", ""), "+/-": (" +/- ", ""), "error in parentheses": (" (", ")")}[marks]
        errors = [number(round(float(d.rng.uniform(0.002, 0.009)), 3), d.locale, 3).text for _ in cells]
        return [c.around("", f"{before}{error}{after}") for c, error in zip(cells, errors, strict=True)]
    if marks == "footnote marks":
        marked = set(d.rng.choice(len(cells), 2, replace=False).tolist())
        sign = d.pick(["*", "†", "‡", "**", " †"])
        return [c.around("", sign) if i in marked else c for i, c in enumerate(cells)]
    return cells


def _beside(d: Draw, kind: str, losses: Field, answer: dict[str, Any]) -> tuple[list[Field], list[Field]]:
    """Columns that stand before and after those that matter, and what the answer must say of them."""
    count = len(d.params)
    names = Field(d.pick(["run", "name", "Run", "model"]), [Cell(f"r{i:02d}-{'abcd'[i % 4]}") for i in range(count)])
    if kind == "name":
        return [names], []
    if kind == "name and lr":
        rates = [float(f"{0.4 * n**-0.35:.1e}") for n in d.params]
        answer["columns"]["lr"] = rates
        answer["given"]["units.lr"] = 1.0
        cells = (
            scientific(rates, d.locale, "e")[0]
            if d.rng.random() < 0.5
            else [number(r, d.locale, 8, trim=True) for r in rates]
        )
        header = d.pick(["lr", "learning_rate", "peak LR", "Learning rate"])
        answer["given"]["columns.lr"] = header
        return [names], [Field(header, cells)]
    if kind == "seed":
        seeds = [i % 3 for i in range(count)]
        answer["columns"]["seed"] = seeds
        return [Field("seed", [number(s, d.locale) for s in seeds])], []
    if kind == "training loss":
        cells = [number(round(c.value * 0.98, 3), d.locale, 3) for c in losses.cells]
        return [names], [Field(d.pick(TRAINING[losses.unit]), cells)]
    if kind == "perplexity beside":
        cells = [number(round(math.exp(v), 3), d.locale, 3) for v in answer["columns"]["loss"]]
        return [], [Field("C4 ppl" if losses.unit.startswith("perplexity") else "ppl", cells)]
    if kind == "shape":
        layers = [max(2, round(n**0.2 / 3)) for n in d.params]
        return [], [
            Field("n_layers", [number(v, d.locale) for v in layers]),
            Field("d_model", [number(v * 64, d.locale) for v in layers]),
        ]
    if kind == "hours":
        hours = [round(0.4 * (i + 1), 1) for i in range(count)]
        answer["if_present"] = {**answer.get("if_present", {}), "wall_seconds": [h * 3600 for h in hours]}
        return [], [Field(d.pick(["wall (h)", "hours", "Time [h]"]), [number(h, d.locale, 1) for h in hours])]
    if kind == "remarks":
        words = ["", "ok", "restarted once", "fp8"]
        return [], [Field(d.pick(["notes", "Comment"]), [Cell(words[i % 4]) for i in range(count)])]
    return [], []


def _arranged(fields: list[Field], sizes: set[str], d: Draw, drawn: dict[str, str], answer: dict[str, Any]) -> Grid:
    """The cells as they stand in the file, with the rows that are no runs."""
    heads = [[f.header for f in fields]]
    rows = [list(row) for row in zip(*(f.cells for f in fields), strict=True)]
    width, extra = len(fields), drawn["rows"]
    above: list[str] = []
    below: list[str] = []
    losses = next(i for i, f in enumerate(fields) if f.column == "loss")
    if extra == "mean":
        mean = [Cell("") for _ in fields]
        mean[0] = Cell(d.pick(["Mean", "Average", "avg"]))
        mean[losses] = number(round(float(np.mean([r[losses].value for r in rows])), 3), d.locale, 3)
        rows.append(mean if losses else mean[:1] + mean[1:])
        answer["set_aside"] = [0, 1]
    elif extra == "sections":
        half = len(rows) // 2
        for at, title in ((half, "Second sweep"), (0, "First sweep")):
            rows.insert(at, [Cell(title), *(Cell("") for _ in range(width - 1))])
        answer["set_aside"] = [0, 2]
    elif extra == "title":
        above = ["Table 3. Final losses of all runs"]
    elif extra == "footnotes":
        below = ["* restarted from a checkpoint", "Losses are on the held-out split."]
        answer["set_aside"] = [0, 2]
    elif extra == "merged sizes":
        at = {i for i, f in enumerate(fields) if f.header in sizes}
        last = None
        for i, row in enumerate(rows):
            same = d.params[i] == last
            last = d.params[i]
            if same:
                rows[i] = [Cell("") if j in at else c for j, c in enumerate(row)]
    elif extra == "units row" and any(f.bare for f in fields):
        heads = [[f.bare or f.header for f in fields], [f.unit if f.bare else "" for f in fields]]
        for f in fields:
            if f.bare:
                answer["given"][f"columns.{f.column}"] = f.bare
        answer["set_aside"] = [0, 1]
    elif extra == "blank lines":
        rows.insert(len(rows) // 2, [Cell("") for _ in fields])
        answer["set_aside"] = [0, 1]
    if drawn["orientation"] == "transposed":
        lines = [[Cell(h), *column] for h, column in zip(heads[0], zip(*rows, strict=True), strict=True)]
        return Grid([["", *(f"run {i + 1}" for i in range(len(rows)))]], lines, above, below)
    return Grid(heads, rows, above, below)
