"""The coordinate check of muP: how what a few steps change in hidden states and logits grows with width, or with depth.

    python -m tests.benchmarks.coordinate_check --seeds 4        # one minute of a core

Each figure is the slope of log RMS of the change on log width (or depth). It is 0 where steps do the same at every size.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np
import torch

from data.probe.corpus import Synthetic
from data.probe.spec import Spec, spec
from data.probe.trainer.model import begun, forward, losses
from data.probe.trainer.optimisers import Optimiser, clip_weights

RATES = {"adamw": 0.01, "muon": 0.02, "adafactor": 0.01, "sgd": 0.3}
LENGTH, BATCH, CLIP = 32, 16, 1.0
STEPS = (1, 2, 3, 5, 10)


def changes(one: Spec, seeds: int, steps: Sequence[int], *, plain_clip: bool = False) -> dict[tuple[str, int], float]:
    """RMS over seeds of what changed in each hidden state, and in the logits, after so many steps."""
    text, held = Synthetic(), torch.from_numpy(Synthetic().held_out(0, 16, LENGTH))[:, :-1]
    weights, optimiser = begun(one, list(range(seeds)), torch.device("cpu")), Optimiser(one)
    held = held.expand(seeds, *held.shape)
    counts = torch.tensor([1.0] * len(weights) if plain_clip else clip_weights(one, weights))
    before: dict[str, torch.Tensor] = {}
    found = {}
    with torch.no_grad():
        forward(one, weights, held, before)
    for t in range(max(steps)):
        numbers = BATCH * t + np.arange(BATCH)
        tokens = torch.from_numpy(np.stack([text.train(numbers + 10**6 * i, LENGTH) for i in range(seeds)]))
        gradients = torch.autograd.grad(losses(one, weights, tokens).sum(), list(weights.values()))
        norm = torch.stack([g.square().sum((1, 2)) for g in gradients], 1) @ counts
        clip = (CLIP / norm.sqrt()).clamp(max=1.0)[:, None, None]
        with torch.no_grad():
            clipped = {name: g * clip for name, g in zip(weights, gradients, strict=True)}
            optimiser.step(weights, clipped, torch.full((seeds,), one.lr))
            if t + 1 in steps:
                after: dict[str, torch.Tensor] = {}
                forward(one, weights, held, after)
                for name in (n for n in after if "/" not in n):
                    found[name, t + 1] = float((after[name] - before[name]).square().mean().sqrt())
    return found


def slopes(
    optimiser: str, parametrisation: str, sizes: Sequence[int], *, along: str = "width", seeds: int = 2,
    steps: Sequence[int] = STEPS, plain_clip: bool = False, **fields: object,
) -> dict[tuple[str, int], float]:  # fmt: skip
    """The slope for each hidden state and step; those that change nothing at any size have none. Along depth, of the last block's."""
    found = []
    for size in sizes:
        base = {"base_width": sizes[0]} if along == "width" else {"width": 32, "base_width": 32, "base_depth": sizes[0]}
        one = spec(
            {
                "optimiser": optimiser, "parametrisation": parametrisation, "seq_len": LENGTH, "vocab": 32,
                "lr": RATES[optimiser], **base, **fields, along: size,
            }
        )  # fmt: skip
        changed = changes(one, seeds, steps, plain_clip=plain_clip)
        last = f"{one.depth - 1}.ffn"
        found.append({(("last" if name == last else name), t): x for (name, t), x in changed.items()})
    x = np.log(sizes)
    shared = set.intersection(*(set(one) for one in found))
    return {
        key: float(np.polyfit(x, [math.log(one[key]) for one in found], 1)[0])
        for key in sorted(shared)
        if all(one[key] > 0 for one in found)
    }


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--seeds", type=int, default=4)
    seeds = given.parse_args().seeds
    torch.set_num_threads(1)
    print(
        "along      optimiser  parametrisation  clip      "
        + "  ".join(f"{n:>16}" for n in ("hidden", "last", "logits"))
    )
    cases = [(o, p, "width", (32, 64, 128, 256), False) for o in RATES for p in ("mup", "standard")]
    cases += [("sgd", "mup", "width", (32, 64, 128, 256), True)]
    cases += [(o, p, "depth", (2, 4, 8, 16), False) for o in RATES for p in ("mup_depth", "mup")]
    for optimiser, parametrisation, along, sizes, plain in cases:
        found = slopes(optimiser, parametrisation, sizes, along=along, seeds=seeds, plain_clip=plain)
        parts: dict[str, list[float]] = {"hidden": [], "last": [], "logits": []}
        for (name, _), slope in found.items():
            # Along depth an early block's share falls as it should: only the sum of all says something.
            parts[name if name in parts else "hidden"].append(slope if along == "width" or name in parts else math.nan)
        said = "  ".join(f"{min(v):+6.2f} to {max(v):+6.2f}" for v in parts.values())
        print(f"{along:10} {optimiser:10} {parametrisation:16} {'plain' if plain else 'weighted':9} {said}", flush=True)


if __name__ == "__main__":
    main()
