"""How fast the trainer is beside a plain loop of the same model, and several runs in one process beside one after another.

python -m tests.benchmarks.probe_speed            # seconds of one thread's own time, in turns, so that others' work does not count
python -m tests.benchmarks.probe_speed --device cuda --runs 1 8 32
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from data.probe.spec import Spec, spec
from data.probe.trainer.device import Device, device, repeatable
from data.probe.trainer.state import Run, joined
from data.probe.trainer.step import step


class Plain(nn.Module):
    """The same decoder as a module, one model, as one would write it down."""

    def __init__(self, one: Spec) -> None:
        super().__init__()
        d, f, self.one = one.width, one.shape.d_ffn, one
        self.embedding = nn.Embedding(one.vocab, d)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"qkv": nn.Linear(d, 3 * d, False), "out": nn.Linear(d, d, False),
                           "up": nn.Linear(d, f, False), "down": nn.Linear(f, d, False)})
            for _ in range(one.depth)
        )  # fmt: skip
        self.head = nn.Linear(d, one.vocab, False)
        half = d // one.shape.heads // 2
        angle = torch.arange(one.seq_len)[:, None] * 10_000.0 ** (-torch.arange(half) / half)
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())

    def turned(self, x: Tensor) -> Tensor:
        """Rotary positions."""
        a, b = x.chunk(2, -1)
        return torch.cat([a * self.cos - b * self.sin, a * self.sin + b * self.cos], -1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Mean loss."""
        norm = lambda x: functional.rms_norm(x, x.shape[-1:])  # noqa: E731
        x = norm(self.embedding(tokens[:, :-1]))
        b, t, d = x.shape
        for block in self.blocks:
            q, k, v = (
                y.view(b, t, self.one.shape.heads, -1).transpose(1, 2) for y in block["qkv"](norm(x)).chunk(3, -1)
            )
            y = functional.scaled_dot_product_attention(self.turned(norm(q)), self.turned(norm(k)), v, is_causal=True)
            x = x + block["out"](y.transpose(1, 2).reshape(b, t, d))
            x = x + block["down"](functional.relu(block["up"](norm(x))).square())
        return functional.cross_entropy(self.head(norm(x)).flatten(0, 1), tokens[:, 1:].flatten())


def plain(one: Spec, where: Device) -> Callable[[], None]:
    """One step of a plain loop: draw, forward, backward, clip, AdamW."""
    run, model, done = Run.begin(one, where), Plain(one).to(where.torch), [0]
    optimiser = torch.optim.AdamW(model.parameters(), one.rate, betas=(one.beta1, one.beta2), weight_decay=0.0)

    def turn() -> None:
        drawn = run.feeds[0].elsewhere(done[0] * one.batch, one.batch)
        tokens = torch.from_numpy(drawn).to(where.torch)
        with where.products():
            loss = model(tokens)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        done[0] += 1
        loss.item()

    return turn


def ours(one: Spec, where: Device, runs: int) -> Callable[[], None]:
    """One step of so many runs at once."""
    run = joined([Run.begin(one.with_(seed=seed), where) for seed in range(runs)])
    return lambda: (step(run), None)[1]


def seconds(turns: Sequence[Callable[[], None]], where: Device, steps: int, rounds: int) -> list[float]:
    """Seconds of a step of each, the median of rounds in which they take turns."""
    clock = time.process_time if where.name == "cpu" else time.perf_counter
    found: list[list[float]] = [[] for _ in turns]
    for number in range(rounds + 1):
        for turn, held in zip(turns, found, strict=True):
            where.wait()
            began = clock()
            for _ in range(steps):
                turn()
            where.wait()
            if number:  # the first warms up
                held.append((clock() - began) / steps)
    return [statistics.median(held) for held in found]


def main() -> None:
    """A row for each size and batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--runs", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 22, 32, 48, 64, 96])
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    where = device(given.device)
    print("parameters  batch  ms of a plain step  " + "  ".join(f"{k} at once, times as fast" for k in given.runs))
    with repeatable():
        for width in given.widths:
            for batch in given.batches:
                one = spec({"width": width, "heads": max(1, width // 16), "batch": batch, "vocab": 32, "tokens": 1e9})
                base, *found = seconds(
                    [plain(one, where), *(ours(one, where, k) for k in given.runs)], where, given.steps, given.rounds
                )
                alone = found[0] / given.runs[0]
                said = [
                    f"{k * base / s:.2f} (of one at a time: {k * alone / s:.2f})"
                    for k, s in zip(given.runs, found, strict=True)
                ]
                print(
                    f"{one.counts.nonembed + one.counts.head:>10,}  {batch:>5}  {1e3 * base:>18.2f}  {'  '.join(said)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
