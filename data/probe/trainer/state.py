"""Runs of one shape as they are in memory, k at the same step: begun, written down, restored, joined and taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data.errors import DataError
from data.probe.feed import Feed
from data.probe.folder import CHECKPOINT, Folder
from data.probe.schedule import Plan, planned, same_until
from data.probe.spec import Spec
from data.probe.trainer import checkpoint
from data.probe.trainer.device import Device
from data.probe.trainer.distributed import Ranks
from data.probe.trainer.model import Weights, begun
from data.probe.trainer.optimisers import Optimiser
from data.probe.trainer.since import Since

#: What may differ between a run and one whose beginning it shares, as long as rates and batches are the same until then.
_OWN = {
    "tokens": 1.0, "schedule": "linear", "warmup": 0.0, "decay": 0.0, "final": 0.0, "evals": 1, "eval_tokens": 1, "keep": (),
    "name": "", "trunk": "", "trunk_tokens": 0.0, "warmup_tokens": 0.0,
}  # fmt: skip


@dataclass
class Run:
    """k runs at the same step; weights, states and averages are (k, ...), and what is a list has one for each."""

    specs: list[Spec]
    plans: list[Plan]
    device: Device
    weights: Weights
    optimiser: Optimiser
    averages: list[Weights]
    feeds: list[Feed]
    done: int = 0
    since: list[Since] = field(default_factory=lambda: [Since()])
    made: int = 0  # steps of this process, of these runs together

    @classmethod
    def begin(cls, spec: Spec, device: Device) -> Run:
        """One run before its first step."""
        feed = Feed.of(spec)
        spec = replace(spec, vocab=spec.vocab or feed.vocab)
        weights = begun(spec, [spec.seed], device.torch)
        averages = [{name: w.detach().clone() for name, w in weights.items()} for _ in spec.averages]
        return cls([spec], [planned(spec)], device, weights, Optimiser(spec), averages, [feed])

    def __len__(self) -> int:
        return len(self.specs)

    @property
    def spec(self) -> Spec:
        """The first one's, and everybody's in what makes a shape."""
        return self.specs[0]

    @property
    def plan(self) -> Plan:
        """The first one's, and everybody's in all but the rate."""
        return self.plans[0]

    def tokens(self, first: int, count: int) -> Tensor:
        """Sequences by number, (k, count, length + 1)."""
        return torch.from_numpy(np.stack([feed.train(first, count) for feed in self.feeds])).to(self.device.torch)

    def _tensors(self) -> dict[str, Tensor]:
        out = {f"weight/{name}": w.detach() for name, w in self.weights.items()}
        out |= {f"state/{name}": s for name, s in self.optimiser.state.items()}
        for i, held in enumerate(self.averages):
            out |= {f"average/{i}/{name}": w for name, w in held.items()}
        return out

    @torch.no_grad()
    def _take(self, tensors: dict[str, Tensor]) -> None:
        self.weights = {n.removeprefix("weight/"): t for n, t in tensors.items() if n.startswith("weight/")}
        for w in self.weights.values():
            w.requires_grad_()
        self.optimiser.state = {n.removeprefix("state/"): t for n, t in tensors.items() if n.startswith("state/")}
        for i, held in enumerate(self.averages):
            self.averages[i] = {name: tensors[f"average/{i}/{name}"] for name in held}

    def save(self, folders: Sequence[Folder], *, kept: bool = False) -> None:
        """Write down where each stands, for itself or, `kept`, for runs that go on from there where its plan says so."""
        for i, folder in enumerate(folders):
            if kept and self.done not in self.plans[i].kept:
                continue
            about = {
                "key": self.specs[i].key, "done": self.done, "steps": self.optimiser.steps, "since": self.since[i].plain(),
                "text": self.feeds[i].digest,
            }  # fmt: skip
            folder.settle()
            path = folder.kept(self.plan.after(self.done)) if kept else folder.path / CHECKPOINT
            checkpoint.save(path, {name: t[i : i + 1] for name, t in self._tensors().items()}, about)

    def restore(self, folder: Folder, ranks: Ranks = Ranks()) -> None:  # noqa: B008
        """Go on, one run, from what its folder holds, or what another run kept for it; drop what was measured after it."""
        if ranks.first:
            if (folder.path / CHECKPOINT).exists():
                self._load(folder.path / CHECKPOINT, self.spec.key)
                folder.keep_until(self.done)
            else:
                folder.keep_until(0)
                self._branch(folder)
        if ranks.world > 1:
            self._spread(ranks)

    def _load(self, path: Path, key: str) -> None:
        tensors, about = checkpoint.load(path, self.device.torch)
        if about.get("key") != key:
            raise DataError(
                f"{path} is another run's checkpoint. Move it to that run's folder, or remove it to begin anew."
            )
        self.feeds[0].check(about.get("text", ""))
        try:
            mine = {name: t.shape for name, t in self._tensors().items() if not name.startswith("state/")}
            if any(tensors[name].shape != shape for name, shape in mine.items()):
                raise ValueError("its tensors have other shapes")
            self.optimiser.steps, self.done = int(about["steps"]), int(about["done"])
            self.since = [Since(**about["since"])]
            self._take(tensors)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} is no checkpoint of this run: {error}. Remove it to begin anew.") from None

    def _branch(self, folder: Folder) -> None:
        """Begin where another run kept its state, if it has done until then exactly what this one would have."""
        trunk = folder.beside(self.spec.trunk) if self.spec.trunk else None
        if trunk is None:
            return
        spec = replace(trunk.spec, vocab=trunk.spec.vocab or self.feeds[0].vocab)
        if replace(spec, **_OWN) != replace(self.spec, **_OWN) or spec.averages:  # type: ignore[arg-type]
            return
        plan = planned(spec)
        until = same_until(plan, self.plan)
        at = max((n for n in plan.kept if n <= until and trunk.kept(plan.after(n)).exists()), default=0)
        if not at:
            return
        ends = [0, plan.sequences(at) - 1]
        theirs, mine = Feed.of(spec), self.feeds[0]
        if all(np.array_equal(theirs.elsewhere(i, 1), mine.elsewhere(i, 1)) for i in ends):
            self._load(trunk.kept(plan.after(at)), spec.key)
            self.since = [Since()]
            folder.write_rows(row for row in trunk.rows() if row.get("step", 0) <= at)

    def _spread(self, ranks: Ranks) -> None:
        where = self.device.torch
        held = self._tensors()
        said = {
            "shapes": {name: list(t.shape) for name, t in held.items()},
            "about": [self.optimiser.steps, self.done, self.since[0].plain()],
        }
        said = ranks.told(said, where)
        tensors = {n: held.get(n, torch.empty(0)) for n in said["shapes"]}
        tensors = {
            n: ranks.spread((t if list(t.shape) == said["shapes"][n] else torch.empty(said["shapes"][n])).to(where))
            for n, t in tensors.items()
        }
        self.optimiser.steps, self.done = said["about"][:2]
        self.since = [Since(**said["about"][2])]
        self._take(tensors)

    def only(self, which: Sequence[int]) -> Run:
        """Some of them."""
        chosen = list(which)
        out = Run(
            [self.specs[i] for i in chosen], [self.plans[i] for i in chosen], self.device,
            self.weights, Optimiser(self.specs[chosen[0]], dict(self.optimiser.state), self.optimiser.steps), list(self.averages),
            [self.feeds[i] for i in chosen], self.done, [self.since[i] for i in chosen],
        )  # fmt: skip
        out._take({name: t[chosen].clone() for name, t in self._tensors().items()})
        return out


def joined(runs: Sequence[Run]) -> Run:
    """Several that stand at the same step, as one."""
    first = runs[0]
    if len(runs) == 1:
        return first
    out = Run(
        [s for run in runs for s in run.specs], [p for run in runs for p in run.plans], first.device, first.weights,
        Optimiser(first.spec, dict(first.optimiser.state), first.optimiser.steps),
        list(first.averages), [f for run in runs for f in run.feeds], first.done, [s for run in runs for s in run.since],
    )  # fmt: skip
    each = [run._tensors() for run in runs]
    out._take({name: torch.cat([one[name] for one in each]) for name in each[0]})
    return out
