"""One run, from its first step or from where it stopped: the same weights bit for bit, whenever it was stopped on the way."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data.probe.corpus import Corpus, corpus, order
from data.probe.folder import CHECKPOINT, Folder, Status, now
from data.probe.schedule import NOISE_EVERY, Plan, planned
from data.probe.spec import Spec
from data.probe.trainer import checkpoint, measure
from data.probe.trainer.apart import apart
from data.probe.trainer.device import Device
from data.probe.trainer.measure.energy import Meter
from data.probe.trainer.measure.moment import Moment
from data.probe.trainer.model import Weights, begun, group, losses
from data.probe.trainer.optimisers import Optimiser, clip_weights

KEEP_EVERY = 30.0  # seconds from one checkpoint to the next
SAY_EVERY = 5.0  # seconds from one heartbeat to the next
SHARDS = 4  # parts of a batch whose gradients are told apart
WARM = 3  # steps that count in no time of a step: what is compiled is compiled in them
ABOVE = 1.0  # nats above those of a guess from which a run has diverged


class StopRunError(Exception):
    """Somebody asked the run to stop; it goes on from its checkpoint."""


class DivergedError(Exception):
    """The loss is no number any more, or above a guess."""


@dataclass
class Since:
    """What was seen since the last evaluation: sums that belong to the run, and times that do not."""

    steps: int = 0
    loss: float = 0.0
    clipped: int = 0
    factor: float = 0.0
    small: float = 0.0
    big: float = 0.0
    noisy: int = 0
    parts: dict[str, list[float]] = field(default_factory=dict)
    batch_small: float = 0.0
    batch_big: float = 0.0
    seconds: list[float] = field(default_factory=list)
    data_seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {name: value for name, value in self.__dict__.items() if name not in ("seconds", "data_seconds")}


@dataclass
class Run:
    """A run as it is in memory."""

    spec: Spec
    plan: Plan
    text: Corpus
    device: Device
    weights: Weights
    optimiser: Optimiser
    averages: list[Weights]
    done: int = 0
    since: Since = field(default_factory=Since)
    lengths: Tensor | None = None  # what each weight counts in the norm that is clipped; None where all count alike
    meter: Meter = field(default_factory=Meter)

    @classmethod
    def begin(cls, spec: Spec, device: Device) -> Run:
        """The run before its first step."""
        text = corpus(spec)
        spec = replace(spec, vocab=spec.vocab or text.vocab)
        weights = begun(spec, [spec.seed], device.torch)
        averages = [{name: w.detach().clone() for name, w in weights.items()} for _ in spec.averages]
        lengths = None if spec.parametrisation == "standard" else torch.tensor(clip_weights(spec, weights))
        lengths = lengths if lengths is None else lengths.to(device.torch)
        return cls(
            spec,
            planned(spec),
            text,
            device,
            weights,
            Optimiser(spec),
            averages,
            lengths=lengths,
            meter=Meter.begin(device),
        )

    def save(self, folder: Folder) -> None:
        """Write down where it stands."""
        tensors = {f"weight/{name}": w for name, w in self.weights.items()}
        tensors |= {f"state/{name}": s for name, s in self.optimiser.state.items()}
        for i, held in enumerate(self.averages):
            tensors |= {f"average/{i}/{name}": w for name, w in held.items()}
        about = {"key": self.spec.key, "done": self.done, "steps": self.optimiser.steps, "since": self.since.plain()}
        checkpoint.save(folder.path / CHECKPOINT, tensors, about)

    def restore(self, folder: Folder) -> None:
        """Go on from what was written down, if anything was, and drop what was measured after it."""
        path = folder.path / CHECKPOINT
        if path.exists():
            tensors, about = checkpoint.load(path, self.device.torch)
            with torch.no_grad():
                for name, w in self.weights.items():
                    w.copy_(tensors[f"weight/{name}"])
                for i, held in enumerate(self.averages):
                    for name, w in held.items():
                        w.copy_(tensors[f"average/{i}/{name}"])
            self.optimiser.state = {n.removeprefix("state/"): t for n, t in tensors.items() if n.startswith("state/")}
            self.optimiser.steps, self.done, self.since = about["steps"], about["done"], Since(**about["since"])
        folder.keep_until(self.done)

    def step(self) -> None:
        """One step of the optimiser."""
        started = time.perf_counter()
        first, size = self.plan.sequences(self.done), int(self.plan.batch[self.done])
        tokens = self.tokens(first, size)
        self.since.data_seconds += time.perf_counter() - started
        shards = SHARDS if self.done % NOISE_EVERY == 0 and size % SHARDS == 0 and size > SHARDS else 1
        loss, gradients, small = self._gradients(tokens, shards)
        squares = {name: float(g.square().sum()) for name, g in gradients.items()} if shards > 1 else {}
        sizes = torch.stack([g.square().sum() for g in gradients.values()])
        big = float(sizes.sum())
        if not (math.isfinite(loss) and math.isfinite(big)):
            raise DivergedError(f"The loss was {loss:g} and the squared gradient {big:g} at step {self.done + 1}.")
        if shards > 1:
            self._note(small, squares, size / shards, size)
        norm = math.sqrt(big if self.lengths is None else float(sizes @ self.lengths))
        clip = self.spec.clip / norm if self.spec.clip and norm > self.spec.clip else 1.0
        with torch.no_grad():
            if clip < 1.0:
                torch._foreach_mul_(list(gradients.values()), clip)
            rate = torch.tensor([float(self.plan.rate[self.done])], device=self.device.torch)
            self.optimiser.step(self.weights, gradients, rate)
            for share, held in zip(self.spec.averages, self.averages, strict=True):
                keep = math.exp(-size * self.plan.seq_len / (share * self.plan.tokens))
                torch._foreach_mul_(list(held.values()), keep)
                torch._foreach_add_(list(held.values()), [w.detach() for w in self.weights.values()], alpha=1.0 - keep)
        self.done += 1
        self.since.steps += 1
        self.since.loss += loss
        self.since.clipped += clip < 1.0
        self.since.factor += clip
        if self.done > WARM:
            self.device.wait()
            self.since.seconds.append(time.perf_counter() - started)

    def tokens(self, first: int, size: int) -> Tensor:
        """Sequences of the training stream from a place in it on, (1, size, length + 1)."""
        numbers = order(self.spec, self.text).numbers(first, size)
        return torch.from_numpy(self.text.train(numbers, self.spec.seq_len))[None].to(self.device.torch)

    def _gradients(self, tokens: Tensor, shards: int) -> tuple[float, Weights, dict[str, float]]:
        """The loss, its gradient, and the mean over parts of the batch of each weight's squared gradient."""
        if shards > 1:
            return apart(self.spec, self.weights, tokens, shards, self.device.products)
        with self.device.products():
            lost = losses(self.spec, self.weights, tokens).sum()
        gradients = torch.autograd.grad(lost, list(self.weights.values()))
        return float(lost.detach()), dict(zip(self.weights, gradients, strict=True)), {}

    def _note(self, small: dict[str, float], big: dict[str, float], batch_small: float, batch_big: float) -> None:
        s = self.since
        s.small, s.big, s.noisy = s.small + sum(small.values()), s.big + sum(big.values()), s.noisy + 1
        s.batch_small, s.batch_big = s.batch_small + batch_small, s.batch_big + batch_big
        for name in small:
            held = s.parts.setdefault(group(name), [0.0, 0.0])
            held[0], held[1] = held[0] + small[name], held[1] + big[name]

    @torch.no_grad()
    def held_out(self, weights: Weights) -> tuple[float, float]:
        """The loss on held-out tokens, and its standard error over sequences, both in nats per token."""
        count, each = max(1, self.spec.eval_tokens // self.spec.seq_len), max(1, 16_384 // self.spec.seq_len)
        lost = []
        for first in range(0, count, each):
            tokens = self.text.held_out(first, min(each, count - first), self.spec.seq_len)
            with self.device.products():
                lost.append(
                    losses(self.spec, weights, torch.from_numpy(tokens)[None].to(self.device.torch), each=True)[0]
                )
        of_each = torch.cat(lost).double()
        return float(of_each.mean()), float(of_each.std() / math.sqrt(len(of_each))) if len(of_each) > 1 else math.nan

    def measured(self) -> dict[str, Any]:
        """The row of the log after the step that was just made; what was summed since the last begins anew."""
        s, n = self.since, max(1, self.since.steps)
        loss, error = self.held_out(self.weights)
        row: dict[str, Any] = {
            "step": self.done,
            "tokens": self.plan.after(self.done),
            "loss": loss,
            "loss_se": error,
            "train_loss": s.loss / n,
            "lr": float(self.plan.rate[self.done - 1]),
            "batch": int(self.plan.batch[self.done - 1]),
            "clipped": s.clipped / n,
            "clip_factor": s.factor / n,
        }
        for share, held in zip(self.spec.averages, self.averages, strict=True):
            row[f"loss_average_{share:g}"] = self.held_out(held)[0]
        if s.noisy:
            row |= {
                "grad_sq_small": s.small / s.noisy,
                "grad_sq_big": s.big / s.noisy,
                "batch_small": s.batch_small / s.noisy,
                "batch_big": s.batch_big / s.noisy,
                "grad_sq_geometry": "euclidean",
                "grad_sq_parts": {name: [a / s.noisy, b / s.noisy] for name, (a, b) in s.parts.items()},
            }
        if s.seconds:
            row |= {
                "step_seconds": float(np.median(s.seconds)),
                "step_seconds_p90": float(np.quantile(s.seconds, 0.9)),
                "data_seconds": s.data_seconds / n,
                "peak_memory": self.device.peak_memory,
            }
        moment = Moment.at(self.spec, self.plan, self.weights, self.optimiser, self.done, self.tokens, self.device)
        row |= measure.rows(moment, self.meter)
        self.since = Since()
        return {name: value for name, value in row.items() if value == value}


def make(folder: Folder, device: Device, *, process: str = "", steps: int | None = None) -> Status:
    """Make the run of a folder, or go on with it, to its end or for so many steps; returns how it stands then.

    A signal to end leads to a checkpoint: the run stands as queued and goes on from there when it is made again.
    """
    run = Run.begin(folder.spec, device)
    run.restore(folder)
    kept, said, began = now(), 0.0, now()

    def status(state: str, sentence: str = "") -> Status:
        found = Status(
            state, sentence, run.done, len(run.plan), run.plan.after(run.done), now(), began,
            process if state == "running" else "", device.name,
        )  # fmt: skip
        folder.say(found)
        return found

    last = len(run.plan) if steps is None else min(len(run.plan), run.done + steps)
    try:
        with _asked() as stop:
            while run.done < last:
                if stop():
                    raise StopRunError
                if now() - said > SAY_EVERY:
                    status("running")
                    said = now()
                run.step()
                if run.done in run.plan.evaluated:
                    row = run.measured()
                    folder.append(row)
                    if row.get("loss", math.inf) > math.log(run.spec.vocab) + ABOVE:
                        raise DivergedError(
                            f"The held-out loss was {row.get('loss', math.inf):.3g} at step {run.done}."
                        )
                if now() - kept > KEEP_EVERY:
                    run.save(folder)
                    kept = now()
    except DivergedError as fault:
        return status("diverged", str(fault))
    except StopRunError:
        run.save(folder)
        return status("queued", "Stopped on request; it goes on from its checkpoint.")
    run.save(folder)
    return status("done" if run.done == len(run.plan) else "queued")


@contextmanager
def _asked() -> Iterator[Callable[[], bool]]:
    """A function that says whether the process was asked to end."""
    asked: list[int] = []
    before = {s: signal.signal(s, lambda number, _: asked.append(number)) for s in (signal.SIGTERM, signal.SIGUSR1)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
