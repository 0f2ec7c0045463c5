"""A page with the dragged chart alone, drawn from Chinchilla's closed form with made-up bands.

Query parameters: `case=hostile` gives run names full of markup, `case=pf` counts the budget in PF-days, `case=money` in
dollars, `case=gaps` leaves numbers out, `measure=1` records what each frame costs.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import numbers
from dashboard.budget_chart import budget_chart, committed_budget

# Chinchilla as refitted by Besiroglu et al. (2024, arXiv 2404.10102).
E, A, B, ALPHA, BETA = 1.8172, 482.01, 2085.43, 0.3478, 0.3658
LARGEST = 22.11
START = float(np.log10(5.76e23))
HOSTILE = '<img src=x onerror="window.__pwned=1"><b>bold</b> {params} & "quotes"'


def optimum(flops):
    """Parameters, tokens and loss at the best split of a budget in FLOP."""
    ratio = (ALPHA * A / (BETA * B)) ** (1 / (ALPHA + BETA))
    params = ratio * (flops / 6) ** (BETA / (ALPHA + BETA))
    tokens = flops / 6 / params
    return params, tokens, E + A / params**ALPHA + B / tokens**BETA


def spread(log_c, near, per_decade):
    """The half-width of a made-up band in log units: `near` inside the data, growing beyond the largest run."""
    return near + per_decade * np.maximum(log_c - LARGEST, 0)


def readings(log_c):
    """Value, low and high of each panel at log10 budgets."""
    params, tokens, loss = optimum(10.0**log_c)
    wide = spread(log_c, 0.04, 0.215)
    batch = 0.58 * tokens**0.571 * 1.0
    rate = 1.79 * params**-0.713 * tokens**0.307
    return {
        "loss": (loss, loss - spread(log_c, 0.004, 0.013), loss + spread(log_c, 0.004, 0.016)),
        "params": (params, params * np.exp(-wide), params * np.exp(1.2 * wide)),
        "tokens": (tokens, tokens * np.exp(-1.2 * wide), tokens * np.exp(wide)),
        "batch": (batch, batch * 0.81, batch * 1.25),
        "rate": (rate, rate * 0.9, rate * 1.12),
        "ratio": (tokens / params, tokens / params * np.exp(-2.2 * wide), tokens / params * np.exp(2 * wide)),
    }


def simulated_runs(seed=3, n=250):
    """Compute, loss, shade, name and set-aside flag of made-up runs around the frontier."""
    rng = np.random.default_rng(seed)
    log_c = np.sort(np.clip(rng.normal(20, 0.9, n), 18.1, LARGEST))
    params = optimum(10**log_c)[0] * 10 ** rng.normal(0, 0.35, n)
    tokens = 10**log_c / 6 / params
    loss = (E + A / params**ALPHA + B / tokens**BETA) * np.exp(rng.normal(0, 0.003, n))
    hollow = np.arange(n) % 50 == 7
    loss = np.where(hollow, loss + 0.25, loss)
    shade = (np.log10(params) - np.log10(params).min()) / np.ptp(np.log10(params))
    names = [HOSTILE if case == "hostile" else f"run-{i:03d}" for i in range(n)]
    detail = [f"{numbers.count(p)} parameters, {numbers.count(t)} tokens" for p, t in zip(params, tokens, strict=True)]
    points = {"x": log_c, "y": loss, "shade": shade, "name": names, "hollow": hollow, "detail": detail}
    return points, params


def panel(key, label, unit, kind, table, **more):
    """One panel of the payload."""
    value, low, high = table[key]
    return {"key": key, "label": label, "unit": unit, "format": kind, "value": value, "low": low, "high": high, **more}


def payload(budget):
    """Everything the chart is handed."""
    grid = np.union1d(np.linspace(18, 26, 161), [budget])
    table = readings(grid)
    points, params = simulated_runs()
    loss = table["loss"]
    ratio = dict(zip(("value", "low", "high"), table["ratio"], strict=True))
    panels = [
        panel(
            "loss", "Loss, again" if version else "Loss", "nats per token", "loss", table, scale="linear", weight=2.4, points=points,
            wide={"label": "a new run", "low": loss[1] - 0.018, "high": loss[2] + 0.018},
            floor={"value": E, "label": f"floor {numbers.loss(E)}"},
            shade_key={"label": "parameters", "low": params.min(), "high": params.max(), "format": "count"},
        ),
        panel("params", "Parameters", "", "count", table, scale="log"),
        panel(
            "tokens", "Tokens", "", "count", table, scale="log",
            extras=[{"label": "per parameter", "format": "ratio", **ratio}],
        ),
        panel(
            "batch", "Batch", "tokens per step", "count", table, scale="log",
            extras=[{"label": "Step Law as published: no batch sweep in these runs", "value": None}],
        ),
        panel("rate", "Learning rate", "", "flop", table, scale="log"),
    ]  # fmt: skip
    if case == "gaps":
        panels[1]["value"] = np.where(grid > 24.5, np.nan, panels[1]["value"])
        panels[1]["high"] = np.where(grid > 23, np.inf, panels[1]["high"])
    units = {
        "pf": {"label": "PF-days", "per_flop": 1 / 8.64e19, "format": "ratio"},
        "money": {"label": "", "per_flop": 2 / 3600 / (0.4 * 989e12), "format": "money"},
    }
    return {
        "axis": {"label": "training compute", "unit": "FLOP"},
        "grid": grid,
        "budget": budget,
        "largest": LARGEST,
        "sentence": "Train {params} parameters on {tokens} tokens. Expect a loss of {loss}.",
        "subline": "At {budget}, 95 % intervals: {params.range} parameters, {tokens.range} tokens, loss {loss.range}. "
        "Drag the line, use the arrow keys, or type a budget.",
        "panels": panels,
        "takes": [
            {"label": "on 256 H100 at 40 %", "per_flop": 1 / (256 * 0.4 * 989e12), "format": "duration"},
            {"label": "at $2.00 an hour", "per_flop": 2 / 3600 / (0.4 * 989e12), "format": "money"},
        ],
        "budget_unit": units.get(case, {"label": "FLOP", "per_flop": 1.0, "format": "flop"}),
        "level": 0.95,
        "measure": st.query_params.get("measure") == "1",
    }


st.set_page_config(layout="wide", page_title="Budget chart")
st.html("<style>.block-container {padding-top: 4rem; max-width: 1280px}</style>")
case = st.query_params.get("case", "")
version = st.session_state.setdefault("version", 0)
if "reset" not in st.session_state:
    st.session_state["reset"] = None
if st.session_state["reset"] is not None:
    now, st.session_state["reset"] = st.session_state["reset"], None
else:
    said = committed_budget("chart")
    now = said.at if said else st.session_state.get("last", START)
st.session_state["last"] = now
committed = budget_chart(payload(now), key="chart")

# The same numbers from the closed form itself, at the budget let go of: what the chart read from its table must agree.
for key, kind in (("loss", "loss"), ("params", "count"), ("tokens", "count"), ("batch", "count"), ("rate", "flop")):
    value, low, high = (float(v) for v in readings(np.asarray(now))[key])
    st.text(f"{key}: {' | '.join(numbers.with_interval(value, low, high, kind))}")
st.text(f"committed: {committed}")
st.text(f"version: {version}")
if st.button("Other data"):
    st.session_state["version"] += 1
    st.rerun()
if st.button("Reset"):
    st.session_state["reset"] = START
    st.rerun()
