"""What is asked of a run beyond plain steps, as multiples of a step: each measure, parts of a batch, several runs at once.

`python -m tests.benchmarks.probe_extras` prints them for two sizes, in the order of `data.probe.cost`'s constants. A plain step stands
beside each in turns, and the thread's own seconds count, so that others on the machine matter little.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import product

from data.probe.cost import evaluation_seconds, step_seconds
from data.probe.spec import MEASURES, Spec, spec

SIZES, STACKED = ((32, 2), (96, 3)), ((16, 2), (32, 2))  # width and depth; of runs that are made at once
BATCH, OF = 8, 32  # sequences of a step, and of a measure


def made(width: int, depth: int, **more: object) -> Spec:
    """A run of this size."""
    return spec(
        {"width": width, "depth": depth, "batch": BATCH, "measure_batch": OF, "vocab": 32, "tokens": 1e7, **more}
    )


def turns(acts: Sequence[Callable[[], object]], times: int) -> list[float]:
    """The median CPU seconds of each, in turns."""
    found: list[list[float]] = [[] for _ in acts]
    for _ in range(times + 1):
        for act, held in zip(acts, found, strict=True):
            began = time.process_time()
            act()
            held.append(time.process_time() - began)
    return [statistics.median(held[1:]) for held in found]


def main() -> None:
    """Measure and print."""
    from data.probe.trainer.device import device, repeatable
    from data.probe.trainer.evaluate import held_out, moment
    from data.probe.trainer.measure import MEASURES as HOW
    from data.probe.trainer.state import Run, joined
    from data.probe.trainer.step import step

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=5)
    asked.add_argument("--stacks", action="store_true", help="several runs at once alone")
    told = asked.parse_args()
    cpu = device("cpu")

    def begun(one: Spec) -> Run:
        run = Run.begin(one, cpu)
        for _ in range(3):
            step(run)
        return run

    def stepping(one: Spec) -> Callable[[], object]:
        run = begun(one)
        return lambda: step(run)

    with repeatable():
        for width, depth in () if told.stacks else SIZES:
            print(f"width {width}, depth {depth}, {BATCH} sequences of 128 a step, {OF} a measure", flush=True)
            for optimiser in ("adamw", "muon"):
                run = begun(made(width, depth, optimiser=optimiser))
                for name in MEASURES if optimiser == "adamw" else ("update_noise",):
                    n = {"hessian": BATCH + max(OF, 4 * BATCH), "coordinates": BATCH, "distance": BATCH}.get(name, OF)
                    many = 1 if name == "hessian" else told.times
                    plain, took = turns(
                        [stepping(made(width, depth, optimiser=optimiser, batch=n)), lambda: HOW[name](moment(run))],  # noqa: B023
                        many,
                    )
                    print(f"  {name} ({optimiser}): {took / plain:.2f} steps on {n} sequences", flush=True)
            for micro in (4, 2, 1):
                plain, took = turns(
                    [stepping(made(width, depth)), stepping(made(width, depth, micro=micro))], 4 * told.times
                )
                print(f"  {BATCH // micro} parts: {took / plain:.2f} steps", flush=True)
        for width, depth in STACKED:
            print(f"width {width}, depth {depth}", flush=True)
            for batch, k in product((4, 8), (2, 8)):
                one = made(width, depth, batch=batch)
                runs, alone = joined([begun(one.with_(seed=i)) for i in range(k)]), begun(one)
                plain, took = turns([lambda: step(alone), lambda: step(runs)], 20 * told.times)  # noqa: B023
                seen, together = turns(
                    [lambda: held_out(alone, alone.weights), lambda: held_out(runs, runs.weights)], told.times  # noqa: B023
                )  # fmt: skip
                print(
                    f"  {k} runs at once, batch {batch}: {took / plain:.2f} steps of one, "
                    f"{step_seconds(one, batch, k) / step_seconds(one, batch):.2f} said; {together / seen:.2f} evaluations, "
                    f"{evaluation_seconds(one, k) / evaluation_seconds(one):.2f} said",
                    flush=True,
                )


if __name__ == "__main__":
    main()
