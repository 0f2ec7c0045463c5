"""How fast: what a run costs when it is to end sooner, along the front between time and compute.

A larger batch reaches the same loss in fewer steps and with more data: S = S_min (1 + B_crit / B) and
E = E_min (1 + B / B_crit) (McCandlish et al. 2018, arXiv 1812.06162). With more devices each taking the same share of a
larger batch, a step takes as long as before: time falls with S while compute rises with E. The law's own runs were
trained at some batch B_runs, so the data they need, D, is no E_min: E_min = D / (1 + B_runs / B_crit).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.amounts import count as amount
from fitting.arguments import of_kind, one_number, takes
from fitting.band import Band
from fitting.batch.advice import Advice
from fitting.errors import FitError
from fitting.planning.hardware import Hardware
from fitting.planning.planner import Plan
from fitting.shown import shown

Array = np.ndarray

NODES = 60
FEW = 250  # draws that carry bands to another device: ten devices cost as much as one front of 4,000 draws (measured)
BANDS = ("batch", "devices", "steps", "flops", "excess", "device_hours")
# The front ends where nothing is left to gain: steps within so much of the fewest there are.
NEAREST = 1.15
MOST_DECADES = 6.0
LEAST_GAIN = 1e-4  # of the time: less is nothing to trade
LEAST_SPAN = 4.0  # of devices, where the plan's own come so near the fewest steps that the front would be a point
SAME_NODE = 1e-6  # of a node: a front has no two rows nearer than that


@dataclass(frozen=True)
class Cluster:
    """What a run can spread over: `hardware` says what one device does; each takes `tokens` of the batch in a step.

    `latency` is what a step takes beyond its arithmetic, in seconds. `hardware.devices` is where a run is now, and `fewest` are
    as few devices as its front tells of.
    """

    hardware: Hardware
    tokens: float
    latency: float = 0.0
    fewest: float = 1.0

    def __post_init__(self) -> None:
        of_kind("hardware", self.hardware, Hardware)
        one_number("tokens", self.tokens, "a positive number of tokens that a device takes per step")
        one_number("latency", self.latency, "a number of seconds from 0 on", least=0.0)
        one_number("fewest", self.fewest)

    def step(self, flops_per_token: Any) -> Any:
        """Seconds a step takes."""
        return self.tokens * flops_per_token / (self.hardware.peak * self.hardware.utilisation) + self.latency


@dataclass(frozen=True)
class Limits:
    """What a run may take: a `deadline` in seconds, at most so many `devices`, so much `money`, and `least` devices for its
    memory. None where there is no limit.
    """

    deadline: float | None = None
    devices: float | None = None
    money: float | None = None
    least: float | None = None


@shown()
@dataclass(frozen=True, eq=False)
class Front(Alike):
    """The front of one run at `seconds` (K,), increasing: what it takes to end then. Bands hold the doubt about the plan and
    about the critical batch; an end is infinite where some draws cannot end so soon at any batch.

    `batch` in tokens a step; `flops` is the compute, `excess` by which share it exceeds the least there is (at small batches);
    `b_crit` is the critical batch, the same at each point. The cluster's own devices are one of the points, if they lie on it.
    `notes` are the plan's.
    """

    seconds: Array
    batch: Band
    devices: Band
    steps: Band
    flops: Band
    excess: Band
    device_hours: Band
    b_crit: float
    soonest: float
    cluster: Cluster
    run: _Run

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the plan whose run this is, a sentence each."""
        return self.run.notes

    def on(self, cluster: Cluster) -> Front:
        """The same run's front on another cluster.

        Where as many devices take as many tokens but steps have a latency, the ends of bands are carried over from this front
        by what a few of the draws say of the change: to a hundredth of a value, or a few of a band's width. Raises FitError where
        its batch leaves no time to save there.
        """
        mine = self.cluster
        if not _alike(mine, cluster):
            return _front(self.run, cluster)
        more = cluster.hardware.devices / mine.hardware.devices
        if mine.latency or cluster.latency:
            return self._carried(cluster) if more == 1.0 else _front(self.run, cluster)
        # A step is all arithmetic: faster or more devices shorten every time alike, and batches, steps and compute stay.
        faster = _speed(cluster) / _speed(mine)
        slower = 1.0 / (faster * more)
        return replace(
            self,
            seconds=self.seconds * slower,
            devices=self.devices if more == 1.0 else _times(self.devices, more),
            device_hours=_times(self.device_hours, 1.0 / faster),
            soonest=self.soonest * slower,
            cluster=cluster,
        )

    @cached_property
    def _few(self) -> Front:
        return _front(self.run.thinned(), self.cluster)

    def _carried(self, cluster: Cluster) -> Front:
        old, new = self._few, _front(self._few.run, cluster)
        if not len(self.seconds) == len(old.seconds) == len(new.seconds):  # rows there have none here to come from
            return _front(self.run, cluster)

        def band(name: str) -> Band:
            mine, a, b = (getattr(f, name) for f in (self, old, new))
            return Band(b.value, _scaled(mine.low, a.low, b.low), _scaled(mine.high, a.high, b.high), b.level)

        bands: dict[str, Any] = {name: band(name) for name in BANDS}
        # So near the fewest steps the tail of all draws is another than that of a few.
        near = new.seconds < NEAREST * new.soonest
        if near.any():
            exact = _bands(self.run, new.seconds[near], cluster)
            for name, b in bands.items():
                low, high = (np.array(end) for end in (b.low, b.high))
                low[near], high[near] = exact[name].low, exact[name].high
                bands[name] = Band(b.value, low, high, b.level)
        return replace(new, run=self.run, **bands)

    def at_devices(self, devices: float) -> float:
        """The seconds a run takes on so many devices, within the front's ends."""
        return float(np.exp(np.interp(-np.log(devices), -np.log(self.devices.value), np.log(self.seconds))))

    def money(self) -> Band | None:
        """What each point costs; None without a price."""
        price = self.cluster.hardware.price
        if price is None:
            return None
        return _times(self.device_hours, price)

    def window(self, limits: Limits) -> tuple[float, float]:
        """The seconds between which all limits hold; the first above the second where none does."""
        first, last = self.ends(limits)
        return max(first.values(), default=0.0), min(last.values(), default=np.inf)

    def ends(self, limits: Limits) -> tuple[dict[str, float], dict[str, float]]:
        """By limit, the soonest a run can end under it, and by limit the latest: seconds."""
        first: dict[str, float] = {"steps": self.soonest}
        last: dict[str, float] = {}
        if limits.deadline is not None:
            last["deadline"] = limits.deadline
        if limits.devices is not None:
            first["devices"] = self._when(self.devices.value, limits.devices)
        cost = self.money()
        if limits.money is not None and cost is not None:
            first["money"] = self._when(cost.value, limits.money)
        if limits.least is not None:
            last["memory"] = self._when(self.devices.value, limits.least)
        return first, last

    def _when(self, values: Array, limit: float) -> float:
        """The seconds at which values that fall with time meet a limit: 0 if they lie below it throughout, inf if above."""
        limit *= 1.0 + 1e-9  # a limit that is an end of the front is met there
        if values.max() <= limit:
            return 0.0
        if values.min() > limit:
            return np.inf
        return float(np.exp(np.interp(-np.log(limit), -np.log(values), np.log(self.seconds))))


@takes(plan=Plan, critical=Advice, runs_batch=Advice, cluster=Cluster)
def front(plan: Plan, critical: Advice, runs_batch: Advice, cluster: Cluster, nodes: int = NODES) -> Front:
    """The front of a plan's run: its loss at its size, reached sooner or later.

    `runs_batch` is the batch (tokens a step) that the fitted law's runs had. Raises FitError for a plan of several budgets or
    without sizes or of less than a step, where no critical batch is known, or where its batch leaves no time to save.
    """
    if np.shape(plan.loss.value) or "params" not in plan.split.best:
        raise FitError("The front of time and compute needs one plan, from a law of size and tokens.")
    run, drawn_run = plan.split.best, plan.split.drawn
    with np.errstate(all="ignore"):
        best = _least(run, critical.value(run), runs_batch.value(run))
        drawn = _least(drawn_run, critical.drawn(drawn_run), runs_batch.drawn(drawn_run))
    if not np.isfinite(best["b_crit"]).all():
        raise FitError(
            f"{critical.title} has no critical batch for a model of {amount(plan.params.value if plan.params else 0)} parameters. "
            "Measure one on the Batch page, or give a number."
        )
    if not float(best["steps"][0, 0]) >= 1.0:
        raise FitError(
            "The plan takes less than one step of its batch, so there is no front of time and compute to draw."
        )
    return _front(_Run(best, drawn, plan.loss.level, nodes, plan.notes), cluster)


@dataclass(frozen=True, eq=False)
class _Run:
    """A run's fewest steps, critical batch and FLOPs a token, best (1, 1) and drawn (R, 1) each, and how its front is drawn."""

    best: Mapping[str, Array]
    drawn: Mapping[str, Array]
    level: float
    nodes: int
    notes: tuple[str, ...] = ()

    def thinned(self) -> _Run:
        """The run with at most `FEW` of its draws."""
        many = max((len(v) for v in self.drawn.values()), default=0)
        stride = max(1, -(-many // FEW))
        return replace(self, drawn={k: v[::stride] for k, v in self.drawn.items()})


def _scaled(end: Array, old: Array, new: Array) -> Array:
    """An end of a band (K,), changed as that of a few draws is; where the few end nowhere, what they say."""
    with np.errstate(all="ignore"):
        by = new / old
        return np.where(np.isfinite(by) & (by > 0), end * by, new)  # 0 where the few ended nowhere before


def _alike(one: Cluster, other: Cluster) -> bool:
    """Whether the two take the same batch on their own devices, and on the fewest they tell of."""
    if one.tokens == other.tokens and one.hardware.devices == other.hardware.devices:
        return one.fewest == other.fewest
    mine, its = ((c.tokens * c.hardware.devices, c.tokens * c.fewest) for c in (one, other))
    return bool(np.allclose(mine, its, rtol=1e-12, atol=0.0))


def _speed(cluster: Cluster) -> float:
    """FLOPs a second of one device."""
    return cluster.hardware.peak * cluster.hardware.utilisation


def _front(run: _Run, cluster: Cluster) -> Front:
    best = run.best
    step, steps = (float(x[0, 0]) for x in (cluster.step(best["per_token"]), best["s_min"]))
    b_crit = float(best["b_crit"][0, 0])
    seconds = step * steps * (1.0 + _overs(b_crit, cluster, run.nodes))
    bands: dict[str, Any] = _bands(run, seconds, cluster)
    return Front(seconds, b_crit=b_crit, soonest=step * steps, cluster=cluster, run=run, **bands)


def _overs(b_crit: float, cluster: Cluster, nodes: int) -> Array:
    """By how much steps exceed the fewest along a front (K,), increasing: from many devices down to the fewest it tells of.

    Even in logarithms, so dense where the curve bends. The cluster's own devices lie on it, however many they are.
    """
    few, now = (b_crit / (cluster.tokens * n) for n in (cluster.fewest, cluster.hardware.devices))
    last = max(few, now)
    if not last >= LEAST_GAIN:
        raise FitError(
            f"More devices would save less than {100 * LEAST_GAIN:g} % of the time: the batch is far above the critical one of "
            f"{b_crit:.3g} tokens. So there is no front to draw."
        )
    first = min(NEAREST - 1.0, now, last / LEAST_SPAN)
    last = max(min(last, (1.0 + first) * 10.0**MOST_DECADES), now)
    overs = np.geomspace(first, last, nodes)
    near = int(np.argmin(np.abs(np.log(overs / now))))
    if abs(overs[near] / now - 1.0) > SAME_NODE:
        return np.union1d(overs, [now])
    overs[near] = now
    return overs


def _bands(run: _Run, seconds: Array, cluster: Cluster) -> dict[str, Band]:
    """What it takes to end after `seconds` (K,), by name, with its doubt."""
    one, many = (_at(x, seconds, cluster) for x in (run.best, run.drawn))

    def band(name: str) -> Band:
        low, high = (np.full(len(seconds), np.nan),) * 2
        if len(many[name]):
            tail = 0.5 * (1.0 - run.level)
            low, high = np.quantile(many[name], (tail, 1.0 - tail), axis=0, method="inverted_cdf")
        return Band(one[name][0], low, high, run.level)

    out = {name: band(name) for name in ("batch", "steps", "flops", "excess")}
    devices = _times(out["batch"], 1.0 / cluster.tokens)
    return {**out, "devices": devices, "device_hours": _times(devices, seconds / 3600.0)}


def _times(band: Band, by: Any) -> Band:
    """A band in another unit."""
    return Band(band.value * by, band.low * by, band.high * by, band.level)


def _least(run: Mapping[str, Array], b_crit: Array, had: Array) -> dict[str, Array]:
    """The fewest steps of a run (R, 1) for its loss, beside its critical batch, its own steps and its FLOPs a token.

    `had` is its law's runs' batch.
    """
    e_min = run["tokens"] / (1.0 + had / b_crit)
    return {
        "b_crit": b_crit,
        "s_min": e_min / b_crit,
        "steps": run["tokens"] / had,
        "per_token": run["flops"] / run["tokens"],
    }


def _at(least: Mapping[str, Array], seconds: Array, cluster: Cluster) -> dict[str, Array]:
    """What it takes to end after `seconds` (K,), for each draw (R, K): infinite where it cannot be done."""
    with np.errstate(all="ignore"):
        step = cluster.step(least["per_token"])
        steps = seconds / step
        over = steps / least["s_min"] - 1.0
        batch = np.where(over > 0, least["b_crit"] / over, np.inf)
        flops = batch * steps * least["per_token"]
        return {
            "batch": batch,
            "steps": np.broadcast_to(steps, batch.shape),
            "flops": flops,
            "excess": batch / least["b_crit"],
        }
