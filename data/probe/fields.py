"""The fields of a probe's spec as data/README.md lists them, there being no other list, and what other projects call them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data.spelling import nearest

_TABLE = ("<!-- fields of a run -->", "<!-- end of fields -->")
MOST_NAMED = 8  # unknown fields that one message names

#: The field's usual names (nanoGPT, Hugging Face, GPT-NeoX, Megatron, modded-nanogpt), by what they are here.
MEANT = {
    "width": ("d_model", "hidden_size", "hidden_dim", "n_embd", "n_embed", "embed_dim", "model_dim", "dim", "widths"),
    "depth": ("n_layer", "n_layers", "num_layers", "num_hidden_layers", "layers", "depths"),
    "heads": ("n_head", "n_heads", "num_heads", "num_attention_heads", "nheads"),
    "seq_len": ("max_seq_len", "max_seq_length", "seq_length", "sequence_length", "block_size", "context", "context_length", "n_ctx"),
    "vocab": ("vocab_size", "n_vocab", "padded_vocab_size"),
    "ffn_ratio": ("mlp_ratio", "ffn_mult", "mlp_mult"),
    "activation": ("act", "activation_function", "hidden_act", "mlp_type"),
    "lr": ("learning_rate", "learningrate", "max_lr", "peak_lr", "base_lr", "lrs"),
    "batch": ("batch_size", "batchsize", "bs", "global_batch_size", "train_batch_size", "batches"),
    "tokens": ("n_tokens", "num_tokens", "train_tokens", "total_tokens", "max_tokens", "token_budget"),
    "warmup": ("warmup_ratio", "warmup_fraction", "warmup_frac"),
    "decay": ("cooldown", "decay_fraction", "cooldown_frac"),
    "final": ("final_lr_fraction", "min_lr_ratio", "final_lr_frac"),
    "schedule": ("lr_schedule", "lr_scheduler", "lr_scheduler_type", "scheduler", "lr_decay_style"),
    "optimiser": ("optimizer", "optim", "opt"),
    "weight_decay": ("wd", "weightdecay", "l2"),
    "clip": ("grad_clip", "max_grad_norm", "gradient_clipping", "clip_grad", "grad_norm_clip"),
    "beta1": ("adam_beta1",),
    "beta2": ("adam_beta2",),
    "eps": ("adam_eps", "adam_epsilon", "epsilon"),
    "parametrisation": ("parametrization", "parameterization", "mup"),
    "corpus": ("dataset", "data", "data_path", "text"),
    "seed": ("seeds", "random_seed"),
    "eval_tokens": ("eval_size", "val_tokens"),
    "evals": ("n_evals", "num_evals"),
    "micro": ("micro_batch", "micro_batch_size", "device_batch_size"),
    "pools": ("mixture",),
    "averages": ("ema", "lawa", "swa"),
}  # fmt: skip
_HERE = {other: name for name, others in MEANT.items() for other in others}

_SIZE = "a model's size follows from 'width' and 'depth': 12 depth width² parameters without embeddings"
_STEPS = "how long a run is follows from 'tokens': steps are tokens / (batch seq_len)"
_FLOPS = "compute follows from size and 'tokens'; the design isoflop takes budgets, as 'flops'"
#: What has no field of its own, and what it follows from.
FOLLOWS = {
    **dict.fromkeys(
        ("params", "n_params", "num_params", "parameters", "n_parameters", "params_nonembed", "params_total", "model_size", "size", "n"),
        _SIZE,
    ),
    **dict.fromkeys(("steps", "n_steps", "max_steps", "num_steps", "iters", "max_iters", "num_iterations", "train_steps"), _STEPS),
    **dict.fromkeys(("epochs", "n_epochs", "num_epochs", "num_train_epochs"), "passes follow from 'tokens' / 'unique_tokens'"),
    **dict.fromkeys(("compute", "flop", "budget", "budgets", "flops_budget"), _FLOPS),
    **dict.fromkeys(("warmup_steps", "warmup_iters"), "a warm-up is 'warmup', a share of the run, or 'warmup_tokens'"),
    "d_ff": "the hidden layer is 'ffn_ratio' times the width", "ffn": "the hidden layer is 'ffn_ratio' times the width",
    "intermediate_size": "the hidden layer is 'ffn_ratio' times the width",
    "head_dim": "a head is as wide as 'width' / 'heads'", "min_lr": "the last rate is 'final', a share of the peak",
    "betas": "they are 'beta1' and 'beta2'", "dropout": "nothing is dropped out", "device": "`isoflop probe --devices` says it",
    "dtype": "the device decides it", "precision": "the device decides it",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A field: its `name`, its `unit` ("" for none), its `default` as JSON or in words, and what it is."""

    name: str
    unit: str
    default: str
    meaning: str


@cache
def listed() -> tuple[Field, ...]:
    """Every field of the table, in its order."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    table = text.partition(_TABLE[0])[2].partition(_TABLE[1])[0]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
    return tuple(
        Field(name.strip("`"), unit, default.replace("`", ""), meaning.replace("`", ""))
        for name, unit, default, meaning in (row for row in rows if row[0].startswith("`"))
    )


def unknown(names: Sequence[str], known: Collection[str]) -> str:
    """Which fields there are not, as the end of a sentence, each with what it is called here, follows from or is spelled like."""
    odd = [str(name)[:60] for name in names]
    if len(odd) == 1:
        return f"has no field {odd[0]!r}{_hint(odd[0], known, '; ', '')}"
    each = [f"{name!r}{_hint(name, known, ' (', ')')}" for name in odd[:MOST_NAMED]]
    more = f" and {len(odd) - MOST_NAMED} more" if len(odd) > MOST_NAMED else ""
    return f"has none of the fields {', '.join(each)}{more}"


def _hint(name: str, known: Collection[str], before: str, behind: str) -> str:
    plain = name.lower().replace("-", "_").replace(" ", "_").strip("_")
    if (here := _HERE.get(plain, plain if plain != name else "")) in known:
        return f"{before}it is called {here!r} here{behind}"
    if why := FOLLOWS.get(plain):
        return f"{before}{why}{behind}"
    return nearest(name, known, before, behind)


def as_text(designs: Iterable[tuple[str, str, dict[str, str]]] = ()) -> str:
    """The table for a terminal, and under it each of the `designs`: its name, its title, its own fields with what they mean."""
    width, long = (
        max(len(value) for value in column) for column in zip(*((f.name, f.default) for f in listed()), strict=True)
    )
    lines = [f"{f.name:<{width}}  {f.default:<{long}}  {f.meaning}{f' [{f.unit}]' if f.unit else ''}" for f in listed()]
    for name, title, own in designs:
        lines += [
            "",
            f'"design": "{name}"  {title}',
            *(f"  {field:<{width}}{meaning}" for field, meaning in own.items()),
        ]
    return "\n".join(lines)
