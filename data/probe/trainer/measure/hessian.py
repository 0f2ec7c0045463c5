"""The Hessian of the training loss on a batch and on a larger set: its outermost eigenvalues and its trace.

What the batch's has beyond the larger set's is noise: of interest to the largest rate at which training is stable (Granziol et al.
2022, arXiv 2006.09092).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from data.probe.trainer.measure.lanczos import lanczos, trace
from data.probe.trainer.measure.moment import Moment, leaves, parts
from data.probe.trainer.model import losses

STEPS, PROBES = 20, 8  # applications for eigenvalues, and for the trace
TOP = 5  # largest eigenvalues that are logged
HELD = 2**30  # bytes of Lanczos vectors
FULL = 4  # batches in the larger set, at least


def hessian(moment: Moment) -> dict[str, Any]:
    """Eigenvalues and trace for one batch of the next step's size, and for the larger set, in nats per token."""
    size = max(moment.spec.measure_batch, FULL * moment.batch)
    rng = moment.random()
    row: dict[str, Any] = {}
    for name, tokens in (("batch", moment.fresh(moment.batch)), ("full", moment.fresh(size))):
        apply, n = applied(moment, tokens)
        like = next(iter(moment.weights.values())).new_zeros(())
        start = torch.randn(n, generator=rng, dtype=torch.float64).to(like)
        most = max(3, min(STEPS, HELD // (n * like.element_size())))
        ritz = lanczos(apply, start, most)
        mean, error = trace(apply, n, PROBES, rng, like)
        row |= {
            f"hessian_{name}_sequences": tokens.shape[1],
            f"hessian_{name}_max": float(ritz.values[-1]),
            f"hessian_{name}_max_error": float(ritz.errors[-1]),
            f"hessian_{name}_min": float(ritz.values[0]),
            f"hessian_{name}_min_error": float(ritz.errors[0]),
            f"hessian_{name}_top": ritz.values.flip(0)[:TOP].tolist(),
            f"hessian_{name}_trace": mean,
            f"hessian_{name}_trace_se": error,
        }
    return row


def applied(moment: Moment, tokens: Tensor) -> tuple[Callable[[Tensor], Tensor], int]:
    """The Hessian of the mean loss as a function of vectors (n,), in the order of the weights' names, and n."""
    shapes = {name: w.shape for name, w in moment.weights.items()}
    sizes = [shape.numel() for shape in shapes.values()]

    def apply(v: Tensor) -> Tensor:
        out = torch.zeros_like(v)
        pieces = [one.view(shape) for one, shape in zip(v.split(sizes), shapes.values(), strict=True)]
        for part in parts(tokens):
            copies = leaves(moment.weights)
            # Only the plain attention can be differentiated twice; and no rounding to bfloat16, which is no derivative of anything.
            with sdpa_kernel(SDPBackend.MATH):
                lost = losses(moment.spec, copies, part).sum() * (part.shape[1] / tokens.shape[1])
                slopes = torch.autograd.grad(lost, list(copies.values()), create_graph=True)
                along = torch.stack([(g * p).sum() for g, p in zip(slopes, pieces, strict=True)]).sum()
                bent = torch.autograd.grad(along, list(copies.values()), allow_unused=True, materialize_grads=True)
            out += torch.cat([one.reshape(-1) for one in bent])
        return out

    return apply, sum(sizes)
