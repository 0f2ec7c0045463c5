"""The decoder: RMS norms without parameters, rotary positions, normalised queries and keys, no biases, a head of its own.

Weights are a dictionary of tensors (k, in, out), k models of one shape; hidden states are (k, batch, length, width). What writes
to the residual stream begins at zero, and so does the head: the first loss is the log of the vocabulary.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from data.probe.spec import HEAD, Spec

Weights = dict[str, Tensor]

PERIOD = 10_000.0  # of the slowest rotation, in positions over 2 pi (Su et al. 2021, arXiv 2104.09864)


def begun(spec: Spec, seeds: list[int], device: torch.device) -> Weights:
    """Weights at the start of k models: rows of the embedding have unit variance, matrices 1 / fan-in."""
    drawn = [_one(spec, torch.Generator().manual_seed(seed)) for seed in seeds]
    return {name: torch.stack([one[name] for one in drawn]).to(device).requires_grad_() for name in drawn[0]}


def _one(spec: Spec, rng: torch.Generator) -> Weights:
    shape = spec.shape
    d, f, a = shape.width, shape.d_ffn, shape.d_attn

    def matrix(rows: int, columns: int) -> Tensor:
        return torch.randn(rows, columns, generator=rng) / math.sqrt(rows)

    out: Weights = {"embedding": torch.randn(shape.vocab, d, generator=rng)}
    for i in range(shape.layers):
        for name in ("query", "key", "value"):
            out[f"{i}.{name}"] = matrix(d, a)
        out[f"{i}.attended"] = torch.zeros(a, d)
        out[f"{i}.up"] = matrix(d, f)
        if shape.gated:
            out[f"{i}.gate"] = matrix(d, f)
        out[f"{i}.down"] = torch.zeros(f, d)
    out["head"] = torch.zeros(d, shape.vocab)
    return out


def role(name: str) -> str:
    """What a weight is to a parametrisation: "embedding", "hidden" or "head"."""
    return name if name in ("embedding", "head") else "hidden"


def group(name: str) -> str:
    """The group of a weight: the weights of that name in all blocks ("query", "up"), or "embedding" or "head"."""
    return name.partition(".")[2] or name


def attention_scale(spec: Spec) -> float:
    """By what products of queries and keys are multiplied: 1 / sqrt(d) for heads of width d; sqrt(16) / d under muP.

    Products of independent vectors grow as sqrt(d), those of vectors that training has aligned as d: hence 1 / d in Yang et al.
    2022 (arXiv 2203.03466, definition 4.1). Normalising queries and keys changes nothing of it: it settles their lengths, not the
    angle between them, so that 1 / sqrt(d) would let scores reach sqrt(d). The constant makes both the same at d = 16, the
    width of heads that nobody says; there scores reach 4. It hangs on d alone: widths that differ in the number of heads keep it.
    """
    d = spec.shape.head_dim
    return 1.0 / math.sqrt(d) if spec.parametrisation == "standard" else math.sqrt(HEAD) / d


def losses(spec: Spec, weights: Weights, tokens: Tensor, *, each: bool = False) -> Tensor:
    """Mean loss per token of each model (k,), in nats, on sequences (k, batch, length + 1); `each` sequence's (k, batch)."""
    inputs, targets = tokens[..., :-1], tokens[..., 1:]
    logits = forward(spec, weights, inputs)
    k, b, t, v = logits.shape
    logits = logits if logits.dtype == torch.float64 else logits.float()
    lost = functional.cross_entropy(logits.reshape(-1, v), targets.reshape(-1), reduction="none").reshape(k, b, t)
    return lost.mean(-1) if each else lost.mean((-1, -2))


def forward(spec: Spec, weights: Weights, inputs: Tensor, seen: dict[str, Tensor] | None = None) -> Tensor:
    """Logits (k, batch, length, vocabulary).

    `seen` is given what each matrix takes and gives, as "0.query/in" and "0.query/out", and the hidden states after each part, as
    "embedding", "0.attention", "0.ffn" and "logits".
    """
    shape = spec.shape
    k, b, t = inputs.shape
    which = torch.arange(k, device=inputs.device)[:, None, None]
    x = _norm(weights["embedding"][which, inputs])
    turn = _rotation(t, shape.d_attn // shape.heads, x.device)
    branch = math.sqrt(spec.base_depth / spec.depth) if spec.parametrisation == "mup_depth" else 1.0
    sharp = attention_scale(spec)

    def through(name: str, x: Tensor) -> Tensor:
        out = _by(x, weights[name])
        _note(seen, f"{name}/in", x)
        _note(seen, f"{name}/out", out)
        return out

    _note(seen, "embedding", x)
    for i in range(shape.layers):
        h = _norm(x)
        q, key, v = (_heads(through(f"{i}.{name}", h), shape.heads) for name in ("query", "key", "value"))
        q, key = _turned(_norm(q), turn), _turned(_norm(key), turn)
        attended = functional.scaled_dot_product_attention(q, key, v.to(q.dtype), is_causal=True, scale=sharp)
        together = attended.reshape(k, b, shape.heads, t, -1).transpose(2, 3).reshape(k, b, t, -1)
        x = x + branch * through(f"{i}.attended", together)
        _note(seen, f"{i}.attention", x)
        h = _norm(x)
        up = through(f"{i}.up", h)
        up = functional.silu(through(f"{i}.gate", h)) * up if shape.gated else functional.relu(up).square()
        x = x + branch * through(f"{i}.down", up)
        _note(seen, f"{i}.ffn", x)
    logits = through("head", _norm(x))
    _note(seen, "logits", logits)
    return logits


def _note(seen: dict[str, Tensor] | None, name: str, x: Tensor) -> None:
    if seen is not None:
        seen[name] = x.detach()


def _by(x: Tensor, matrix: Tensor) -> Tensor:
    """x (k, b, t, m) times each model's own matrix (k, m, n)."""
    k, b, t, m = x.shape
    if k == 1:  # a product of two matrices is cheaper than a stack of one
        return (x.reshape(b * t, m) @ matrix[0]).reshape(1, b, t, -1)
    return torch.bmm(x.reshape(k, b * t, m), matrix).reshape(k, b, t, -1)


def _norm(x: Tensor) -> Tensor:
    return functional.rms_norm(x, x.shape[-1:])


def _heads(x: Tensor, heads: int) -> Tensor:
    k, b, t, _ = x.shape
    return x.reshape(k * b, t, heads, -1).transpose(1, 2)


def _rotation(length: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines (length, width / 2) of the angles by which pairs of coordinates turn with position."""
    speed = PERIOD ** (-torch.arange(0, width, 2, device=device, dtype=torch.float32) / width)
    angle = torch.arange(length, device=device, dtype=torch.float32)[:, None] * speed
    return angle.cos(), angle.sin()


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = turn
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
