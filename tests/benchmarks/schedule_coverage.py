"""How often intervals of the multi-power law hold a planted truth, and what they are worth on measured curves they have not seen.

python tests/benchmarks/schedule_coverage.py --tables 100
ISOFLOP_DATASETS=folder python tests/benchmarks/schedule_coverage.py --measured
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

import fitting.schedule.multi_power as schedule_module
from fitting.schedule.curves import logged_curves
from fitting.schedule.multi_power import Schedule, fit_curves, law, loss_curve

WARMUP, PEAK, EVERY = 2160, 3e-4, 400
KNOWN = ("cosine_24000", "constant_24000", "wsdcon_9")
TRUTH = law.published[1].values


def constant(last: int) -> Schedule:
    return Schedule.after(WARMUP, np.full(last - WARMUP, PEAK))


def cosine(last: int, end: float = 0.1) -> Schedule:
    turn = np.pi * np.arange(1, last - WARMUP + 1) / (last - WARMUP)
    return Schedule.after(WARMUP, PEAK * (end + 0.5 * (1 - end) * (1 + np.cos(turn))))


def stages(last: int, at: int, to: float) -> Schedule:
    lr = np.full(last - WARMUP, PEAK)
    lr[at - WARMUP :] *= to
    return Schedule.after(WARMUP, lr)


def wsd(last: int, at: int, to: float = 0.1) -> Schedule:
    lr = np.full(last - WARMUP, PEAK)
    lr[at - WARMUP :] *= np.linspace(1, to, last - at)
    return Schedule.after(WARMUP, lr)


SEEN = (
    cosine(24_000), constant(24_000), stages(16_000, 8_000, 0.3),
    cosine(14_000), stages(16_000, 8_000, 0.1), constant(36_000),
    stages(20_000, 12_000, 0.5), cosine(24_000, 0.3), wsd(14_000, 10_000, 0.5),
)  # fmt: skip
NEW = wsd(24_000, 20_000)


def logged(rng: np.random.Generator, schedule: Schedule, noise: float, shift: float, reach: float) -> np.ndarray:
    """Losses at every 400 steps: an AR(1) drift that forgets itself over `reach` steps, and a share `shift` that is the curve's."""
    steps = np.arange(2400, len(schedule.lr) + 1, EVERY)
    drift = np.empty(len(steps))
    drift[0] = rng.standard_normal()
    kept = np.exp(-EVERY / reach)
    for i in range(1, len(steps)):
        drift[i] = kept * drift[i - 1] + np.sqrt(1 - kept**2) * rng.standard_normal()
    error = noise * (np.sqrt(1 - shift) * drift + np.sqrt(shift) * rng.standard_normal())
    return loss_curve(schedule, steps, TRUTH) * np.exp(error)


def coverage(
    curves: int, noise: tuple[float, float, float], tables: int, resamples: int
) -> dict[str, tuple[float, float]]:
    """The share in % of 95 % intervals that hold the truth, and their median half width over it in %: constants and losses."""
    held: dict[str, list[tuple[float, float]]] = {}
    last = np.array([24_000])
    end = loss_curve(NEW, last, TRUTH)[0]
    for seed in range(tables):
        rng = np.random.default_rng(seed)
        table = [(s, np.arange(2400, len(s.lr) + 1, EVERY), logged(rng, s, *noise)) for s in SEEN[:curves]]
        f = fit_curves(table, resamples=resamples, seed=seed)
        law_band, run_band = f.predict(NEW, last), f.predict(NEW, last, of="run", doubt=False)
        asked = {name: (*list(f.interval(name))[1:], TRUTH[name]) for name in law.names}
        asked["WSD's end"] = float(law_band.low[0]), float(law_band.high[0]), end
        asked["a run's end"] = float(run_band.low[0]), float(run_band.high[0]), logged(rng, NEW, *noise)[-1]
        for name, (low, high, truth) in asked.items():
            held.setdefault(name, []).append((float(low <= truth <= high), 0.5 * (high - low) / truth))
    return {n: (100 * float(np.mean(v, axis=0)[0]), 100 * float(np.median(v, axis=0)[1])) for n, v in held.items()}


def measured() -> None:
    """Three published curves of each size forecast the other six; what the form misses is taken from the other two sizes."""
    frame = pd.read_csv(Path(os.environ["ISOFLOP_DATASETS"]) / "multipower_curves.csv")
    frame = frame.rename(columns={"run_id": "run", "step": "steps"})
    ends: dict[float, list[tuple[str, float]]] = {}
    kept = {}
    for size in (25e6, 100e6, 400e6):
        curves = {c.run.split("-")[-1]: c for c in logged_curves(frame, size, WARMUP)}
        fit = fit_curves([(curves[k].schedule, curves[k].steps, curves[k].loss) for k in KNOWN], resamples=200)
        kept[size] = fit, {k: c for k, c in curves.items() if k not in KNOWN}
        for name, c in kept[size][1].items():
            off = np.log(fit.predict(c.schedule, c.steps[-5:]).value / c.loss[-5:])
            ends.setdefault(size, []).append((name, float(np.mean(off))))
    for size, (fit, others) in kept.items():
        near = [e for s, each in ends.items() if s != size for name, e in each if "72000" not in name]
        schedule_module.FORM = float(np.sqrt(np.mean(np.square(near))))
        inside: dict[str, list[float]] = {}
        for c in others.values():
            for said, band in (
                ("noise alone", fit.predict(c.schedule, c.steps, 0.9, "run", doubt=False)),
                ("with the form", fit.predict(c.schedule, c.steps, 0.9, "run")),
            ):
                held = (band.low <= c.loss) & (c.loss <= band.high)
                inside.setdefault(f"{said}, all rows", []).append(float(np.mean(held)))
                inside.setdefault(f"{said}, last five", []).append(float(np.mean(held[-5:])))
        errors = ", ".join(f"{name} {100 * e:+.2f}" for name, e in ends[size])
        shares = ", ".join(f"{k} {100 * float(np.mean(v)):.0f} %" for k, v in inside.items())
        print(
            f"{size:g}: FORM {schedule_module.FORM:.4f}; 90 % bands hold {shares}; ends off by % {errors}", flush=True
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--measured", action="store_true")
    asked = parser.parse_args()
    if asked.measured:
        measured()
    else:
        for curves, noise in (
            (3, (1e-3, 0.2, 1500.0)), (6, (1e-3, 0.2, 1500.0)), (9, (1e-3, 0.2, 1500.0)), (3, (3e-3, 0.5, 500.0)),
        ):  # fmt: skip
            found = coverage(curves, noise, asked.tables, asked.resamples)
            said = ", ".join(f"{k} {a:.0f} ({w:.2g})" for k, (a, w) in found.items())
            print(f"{curves} curves, noise {noise}: {said}", flush=True)
