"""The decoder: RMS norms without parameters, rotary positions, normalised queries and keys, no biases, a head of its own.

Weights are a dictionary of tensors (k, in, out), k models of one shape; hidden states are (k, batch, length, width). What writes
to the residual stream begins at zero, and so does the head: the first loss is the log of the vocabulary.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from data.probe.spec import Spec

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


def losses(spec: Spec, weights: Weights, tokens: Tensor, *, each: bool = False) -> Tensor:
    """Mean loss per token of each model (k,), in nats, on sequences (k, batch, length + 1); `each` sequence's (k, batch)."""
    inputs, targets = tokens[..., :-1], tokens[..., 1:]
    logits = forward(spec, weights, inputs)
    k, b, t, v = logits.shape
    lost = functional.cross_entropy(logits.float().reshape(-1, v), targets.reshape(-1), reduction="none").reshape(
        k, b, t
    )
    return lost.mean(-1) if each else lost.mean((-1, -2))


def forward(spec: Spec, weights: Weights, inputs: Tensor, seen: dict[str, Tensor] | None = None) -> Tensor:
    """Logits (k, batch, length, vocabulary); `seen` is given the hidden states after each part, by name."""
    shape = spec.shape
    k, b, t = inputs.shape
    which = torch.arange(k, device=inputs.device)[:, None, None]
    x = _norm(weights["embedding"][which, inputs])
    turn = _rotation(t, shape.d_attn // shape.heads, x.device)
    branch = math.sqrt(spec.base_depth / spec.depth) if spec.parametrisation == "mup_depth" else 1.0
    _note(seen, "embedding", x)
    for i in range(shape.layers):
        h = _norm(x)
        q, key, v = (_heads(_by(h, weights[f"{i}.{name}"]), shape.heads) for name in ("query", "key", "value"))
        q, key = _turned(_norm(q), turn), _turned(_norm(key), turn)
        attended = functional.scaled_dot_product_attention(q, key, v.to(q.dtype), is_causal=True)
        x = x + branch * _by(
            attended.reshape(k, b, shape.heads, t, -1).transpose(2, 3).reshape(k, b, t, -1), weights[f"{i}.attended"]
        )
        _note(seen, f"{i}.attention", x)
        h = _norm(x)
        up = _by(h, weights[f"{i}.up"])
        up = functional.silu(_by(h, weights[f"{i}.gate"])) * up if shape.gated else functional.relu(up).square()
        x = x + branch * _by(up, weights[f"{i}.down"])
        _note(seen, f"{i}.ffn", x)
    logits = _by(_norm(x), weights["head"])
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
