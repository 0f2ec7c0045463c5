"""Probes in a folder, as curves for what is said of runs in flight."""

from __future__ import annotations

import numpy as np

from data import read_runs
from data.probe.folder import Folder, Status, now
from data.probe.found import probes, run_folders
from data.probe.process import Process
from data.probe.schedule import planned
from data.probe.sweep import sweep
from fitting import fit
from fitting.probe_curves import probes_in_flight


def test_running_probes_are_held_against_those_done_and_against_the_law_of_their_finals(tmp_path):
    rng = np.random.default_rng(0)
    laid = sweep({"width": [16, 24, 32, 48, 64], "tokens": [2e5, 4e5, 8e5], "evals": 12})
    for k, one in enumerate(laid):
        folder, plan, runs = Folder(tmp_path / "sweep" / one.key), planned(one), k in (7, 8)
        folder.declare(one)
        for step in sorted(plan.evaluated):
            tokens = plan.after(step)
            if runs and tokens > 0.6 * plan.tokens:
                break
            loss = 1.08 + 9.0 * one.counts.nonembed**-0.5 + 40.0 * tokens**-0.5 + 0.1 * plan.rate[step - 1] / one.rate
            loss *= np.exp(0.003 * rng.standard_normal()) * (1.2 if k == 8 else 1.0)
            folder.append(
                {"step": step, "tokens": tokens, "loss": float(loss), "batch": 8, "lr": float(plan.rate[step - 1])}
            )
        state = "running" if runs else "done"
        folder.say(Status(state, heartbeat=now(), process=str(Process.this()) if runs else ""))
    runs = read_runs(tmp_path / "sweep")
    found = probes(run_folders(tmp_path / "sweep"))
    law = fit(runs, resamples=200)
    by_name = {one.name: one for one in probes_in_flight(found, law)}
    names = {one.what.key: one.name for one in found}
    assert set(by_name) == {names[laid[7].key], names[laid[8].key]}
    good, bad = (by_name[names[laid[k].key]] for k in (7, 8))
    assert good.status == "on track"
    assert bad.status.startswith("above its band since")
    assert good.runs == 13
    assert good.projected.low < good.final.value < good.projected.high
    assert "There is no fit" in probes_in_flight(found)[0].why
