"""How often intervals of critical batches hold a planted truth: steps to one loss, final losses of decayed runs, and along the loss.

python tests/benchmarks/batch_coverage.py --tables 400

The planted tables are those of the tests in tests/fitting/batch, more of them. Shares in per cent; one Monte-Carlo error of 95 %
is 1.1 with 400 tables.
"""

from __future__ import annotations

import argparse
import runpy
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from data.readers import read_table
from data.steps.tables import steps_table
from fitting import FitError
from fitting.batch import along_loss, critical_batch, decayed, steps_to_target
from fitting.batch.along_finals import decayed_along
from fitting.batch.decayed import decayed_by_size

TESTS = Path(__file__).parents[1] / "fitting" / "batch"
STEPS, FINAL, ALONG, LADDER = (
    runpy.run_path(str(TESTS / f"test_{name}.py")) for name in ("critical", "decayed", "along", "ladder")
)
REFITS = 300
Asked = Iterable[tuple[str, Any, float]]  # what is asked, its band, and the truth


def steps(noise: float, batches: np.ndarray) -> Callable[[int], Asked]:
    """Steps to one loss, S_min 2,000 and a critical batch of 2,000."""

    def ask(seed: int) -> Asked:
        taken = STEPS["planted"](2000, 2000, batches, noise, seed)
        found = critical_batch(batches, taken, resamples=REFITS, seed=seed)
        return [("B_crit", found.b_crit, 2000.0), ("S_min", found.s_min, 2000.0), ("E_min", found.e_min, 4e6)]

    return ask


def final(noise: float) -> Callable[[int], Asked]:
    """Final losses of five batches on five amounts of data."""

    def ask(seed: int) -> Asked:
        found = decayed(FINAL["planted"](noise, seed), FINAL["TARGET"], resamples=REFITS, seed=seed)
        return [
            ("B_crit", found.found.b_crit, FINAL["B_CRIT"]), ("E_min", found.found.e_min, FINAL["LEAST"]),
            ("floor", found.floor, FINAL["FLOOR"]), ("exponent", found.exponent, FINAL["BETA"]),
        ]  # fmt: skip

    return ask


def growing(k: float, noise: float, by_own: bool = False) -> Callable[[int], Asked]:
    """Final losses of 11 batches on 10 amounts of data whose critical batch grows as a power of the data, at four losses."""

    def ask(seed: int) -> Asked:
        runs, losses = FINAL["growing"](k, noise, seed, by_own), FINAL["LOSSES"]
        read = [one for _, _, one in decayed_by_size(runs, losses, resamples=REFITS, seed=seed)]
        truth = [FINAL["critical_at"](t, k, by_own) for t in losses]
        asked = [(f"B_crit({t:g})", one.found.b_crit, c) for t, one, c in zip(losses, read, truth, strict=True)]
        law, grows = decayed_along(read), read[0].grows
        power = float(np.polyfit(np.log(losses), np.log(truth), 1)[0])
        asked += [("power of D", grows, k)] if grows is not None else []
        return [*asked, *([("power of L", law.exponent(), power)] if law is not None else [])]

    return ask


def along(noise: float) -> Callable[[int], Asked]:
    """B_crit against the loss, from curves of eight batches whose luck is nine tenths each batch's own."""

    def ask(seed: int) -> Asked:
        law, star, slope = (
            along_loss(ALONG["ladder"](noise, seed), resamples=REFITS, seed=seed),
            ALONG["B_STAR"],
            ALONG["SLOPE"],
        )
        places = [(f"B_crit({at:g})", law.at(at), star * at**slope) for at in (2.8, 3.0, 3.3, 3.6)]
        return [("exponent", law.exponent(), slope), *places]

    return ask


def logged(kind: str) -> Callable[[int], Asked]:
    """Curves of seven batches as they are logged, each batch lucky by 5 % in its steps."""

    def ask(seed: int) -> Asked:
        make, target = (LADDER["AS_LOGGED"] | LADDER["BY_TOKENS"])[kind]
        reached = steps_to_target(make(seed), target)
        found = critical_batch(reached.batch, reached.steps, doubt=reached.doubt, resamples=REFITS, seed=seed)
        crit, fewest = LADDER["B_CRIT"], LADDER["steps_at"](np.inf, target)
        return [("B_crit", found.b_crit, crit), ("S_min", found.s_min, fewest), ("E_min", found.e_min, fewest * crit)]

    return ask


def ramps(count: float, share: float, target: float) -> Callable[[int], Asked]:
    """Curves by progress with `share` of the batch for `count` steps: a run lucky by 3 % in its steps, a row by .3 % in its loss."""

    def ask(seed: int) -> Asked:
        reached = steps_to_target(LADDER["ramped"](count, share, 0.03, 0.003, seed), target)
        found = critical_batch(reached.batch, reached.steps, doubt=reached.doubt, resamples=REFITS, seed=seed)
        crit, fewest = LADDER["B_CRIT"], LADDER["steps_at"](np.inf, target)
        return [("B_crit", found.b_crit, crit), ("S_min", found.s_min, fewest), ("E_min", found.e_min, fewest * crit)]

    return ask


def sparse(change: float, tokens: str, noise: float) -> Callable[[int], Asked]:
    """Curves logged every 500 steps with a quarter of the batch up to the step `change`, which tokens tell or nothing does."""

    def ask(seed: int) -> Asked:
        reached = steps_to_target(LADDER["sparse"](change, tokens, noise, seed), 2.9)
        found = critical_batch(reached.batch, reached.steps, doubt=reached.doubt, resamples=REFITS, seed=seed)
        crit, fewest = LADDER["B_CRIT"], LADDER["steps_at"](np.inf, 2.9)
        return [("B_crit", found.b_crit, crit), ("S_min", found.s_min, fewest), ("E_min", found.e_min, fewest * crit)]

    return ask


def table(kind: str) -> Callable[[int], Asked]:
    """Tables of steps read from text, noise 5 %: units in headers, several rates, rows that did not reach the loss."""

    def ask(seed: int) -> Asked:
        rng, batches = np.random.default_rng(seed), 2.0 ** np.arange(15, 24)
        rows = [
            (b, r, 2000.0 * w * (1 + 262_144 / b) * np.exp(0.05 * rng.standard_normal()))
            for b in batches
            for r, w in (((1e-3, 1.5), (2e-3, 1.0), (4e-3, 2.0)) if kind == "several rates" else ((2e-3, 1.0),))
        ]
        if kind == "two units":
            lines = [f"{b / 1e6:.9g},{s / 1e3:.9g}" for b, _, s in rows]
            text = "batch_tokens (M),steps_to_target (k)\n"
        else:
            most = 15_000.0 if kind == "censored" else np.inf
            lines = [f"{b:g},{r:g},{s:.3f}" if s < most else f"{b:g},{r:g},>15000" for b, r, s in rows]
            text = "batch_tokens,lr,steps_to_target\n"
        read = steps_table(read_table((text + "\n".join(lines)).encode(), "steps.csv"))
        found = critical_batch(read.frame["batch"], read.frame["steps"], resamples=REFITS, seed=seed)
        return [("B_crit", found.b_crit, 262_144.0)]

    return ask


KINDS: dict[str, Callable[[int], Asked]] = {
    "steps, nine batches, noise 3 %": steps(0.03, STEPS["BATCHES"]),
    "steps, nine batches, noise 10 %": steps(0.10, STEPS["BATCHES"]),
    "steps, five batches, noise 5 %": steps(0.05, STEPS["BATCHES"][::2]),
    "final losses, noise .3 %": final(0.003),
    **{
        f"final losses, B_crit ~ {'own ' if own else ''}D^{k:g}, noise {100 * noise:g} %": growing(k, noise, own)
        for own in (False, True)
        for k in (0.0, 0.462, 1.0)
        for noise in (0.003, 0.01)
    },
    **{f"curves, {kind}": logged(kind) for kind in (*LADDER["AS_LOGGED"], *LADDER["BY_TOKENS"])},
    **{
        f"ramps of {count:,} steps at {share:g} of the batch, loss {target:g}": ramps(count, share, target)
        for count, share in ((300, 0.25), (2000, 0.25))
        for target in (2.9, 2.7)
    },
    **{
        f"sparse rows, ramp to step {change:,}, {tokens or 'no tokens'}": sparse(change, tokens, 0.05)
        for change, tokens in ((1501, ""), (1750, ""), (2000, ""), (1750, "seen"))
    },
    **{f"table, {kind}": table(kind) for kind in ("two units", "several rates", "censored")},
    "along the loss, noise 3 %": along(0.03),
    "along the loss, noise 10 %": along(0.10),
}


def main() -> None:
    """Print a line for each kind of table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=400)
    parser.add_argument("--only", default="", help="a part of the names of the kinds to count")
    given = parser.parse_args()
    for kind, ask in KINDS.items():
        if given.only not in kind:
            continue
        began, held, refused = time.process_time(), {}, 0
        with threadpool_limits(1):
            for seed in range(given.tables):
                try:
                    asked = list(ask(seed))
                except FitError:  # noise made steps rise with the batch, say: no interval, and a sentence
                    refused += 1
                    continue
                for name, band, truth in asked:
                    held.setdefault(name, []).append(bool(band.low <= truth <= band.high))
        said = ", ".join(f"{name} {100 * np.mean(v):.1f}" for name, v in held.items())
        print(
            f"{kind}: {said}{f', {refused} refused' if refused else ''}   ({time.process_time() - began:.0f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
