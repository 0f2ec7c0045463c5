"""The controls of a fit: which law, how residuals are weighed, how the intervals are made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st

from dashboard import state, widgets
from dashboard.fit import analyses as fit_analyses
from dashboard.fit import own_laws
from dashboard.fit.settings import DELTAS, INTERVALS, MOST_SEED, POSTERIOR, PRIORS, RESAMPLES, WEIGHTS
from dashboard.runs import chooser
from data.schema import COLUMNS, Runs
from fitting import Fit, FitError, Law, all_laws
from fitting.laws import not_loaded
from fitting.selection.recommend import choose

SINGLE = ""  # the menu's word for no column named
MOST_SAID = 3  # laws that are said to lack their columns
UNGROUPED = ("runs", "residuals")  # methods that take each run by itself
NOT_GROUPS = ("run", "loss", "flops", "flops_convention")


def law_menu(fit: Fit | None = None) -> None:
    """The menu of laws: those of losses where the data have any, those with columns of their own that the file has, the one chosen."""
    asked = state.fit_settings()
    reasons = fit_analyses.offered()
    recommended = fit.law.title if fit is not None and asked.law == "auto" else _recommended(fit_analyses.losses())
    titles = {"auto": f"Recommended: {recommended}"}
    laws = {key: law for key, law in all_laws().items() if key in reasons or key == asked.law}
    for key, law in laws.items():
        why = reasons.get(key, "these data lack its columns")
        titles[key] = f"{law.title} ({why})" if why else law.title
    shown = all_laws().get(asked.law)
    title = titles.get(asked.law, "")
    widgets.show("fit_law", asked.law, "" if shown is not None and title == shown.title else title)
    st.selectbox(
        "Law", list(titles), format_func=lambda key: titles.get(key, key), key="fit_law", on_change=_keep,
        args=("law", {"auto": titles["auto"]} | {key: law.title for key, law in laws.items()}),
        help=widgets.literal(shown.cite) if shown else "The law these columns allow best. Each law names its paper here once chosen.",
    )  # fmt: skip
    if asked.law == "auto" and fit is not None:
        widgets.quiet(f"{fit.settings.law_reason[:1].upper()}{fit.settings.law_reason[1:]}.")
    own = {} if shown is not None and shown.own_columns else all_laws()
    lack = [law for key, law in own.items() if law.own_columns and key not in reasons]
    widgets.quiet(
        *(f"{law.title} needs the columns {_columns(law)}, which these data lack." for law in lack[:MOST_SAID]),
        *not_loaded(),
    )


def controls(runs: Runs, fit: Fit | None = None) -> None:
    """One column of controls, with what `fit` chose by itself; each writes its setting to the workspace at once."""
    law_menu(fit)
    asked = state.fit_settings()
    shown = all_laws().get(asked.law)
    if "loss_error" in runs.kept and runs.kept["loss_error"].notna().any():
        widgets.show("fit_weights", asked.weights)
        st.selectbox(
            "Weight of a run", list(WEIGHTS), format_func=lambda w: WEIGHTS.get(w, str(w)), key="fit_weights", on_change=_keep,
            args=("weights", WEIGHTS),
            help="Your table states an error with each loss. Residuals then count in units of it, so that a run with half the "
            "error has four times the weight, at most 25 times the median run's. Such a fit has no prior.",
        )  # fmt: skip
    if (shown is None or shown.has_prior) and not asked.weights:
        widgets.show("fit_prior", asked.prior)
        st.selectbox(
            "Prior", list(PRIORS), format_func=lambda p: PRIORS.get(p, str(p)), key="fit_prior", on_change=_keep,
            args=("prior", PRIORS),
            help="Published sweeps of language models give a prior of this law's floor, exponents and q; each of your runs "
            "then has weight 1/4. The prior halves the error of forecasts on tables it was not made from; on a law that is exactly "
            "Chinchilla's it biases predictions far beyond the runs a little.",
        )  # fmt: skip
        if asked.prior == "auto":
            widgets.quiet("Published sweeps are dropped where your runs contradict them.")
    scaled = fit is not None and fit.settings.delta_rule == "auto"
    deltas = {
        **DELTAS,
        "auto": f"auto: {fit.settings.delta:.2g}, from the noise" if fit and scaled else "auto: from the noise",
    }
    widgets.show("fit_delta", asked.delta, deltas["auto"] if asked.delta == "auto" else "")
    st.selectbox(
        "Huber delta", list(deltas), format_func=lambda d: deltas.get(d, str(d)), key="fit_delta", on_change=_keep,
        args=("delta", DELTAS),
        help="Residuals of log loss beyond delta count linearly instead of squared, so that outliers do not drive the fit. Auto is "
        "1.345 times the robust spread of the residuals, which gives the narrowest intervals. Hoffmann et al. 2022 (arXiv "
        "2203.15556) use 0.001. If the law changes with delta, the runs hold outliers or a second trend.",
    )  # fmt: skip
    found = fit is not None and asked.intervals == "auto"
    ways = {
        **INTERVALS,
        "auto": f"auto: {(INTERVALS | POSTERIOR)[fit.settings.intervals]}" if fit and found else "auto",
    }
    widgets.show("fit_intervals", asked.intervals, ways["auto"] if asked.intervals == "auto" else "")
    st.selectbox(
        "Intervals", list(ways), format_func=lambda w: ways.get(w, str(w)), key="fit_intervals", on_change=_keep,
        args=("intervals", INTERVALS),
        help="The bootstrap resamples runs (Efron 1979), groups of runs, or residuals at the same inputs, also with a part of the "
        "noise shared by the runs of a group. Each resample is fitted again. The README has the measured coverage of each.",
    )  # fmt: skip
    if asked.intervals not in UNGROUPED:
        groups = {SINGLE: "auto", **_groups(runs)}
        by = asked.group if asked.group in groups else SINGLE
        widgets.show("fit_group", by, groups[by])
        st.selectbox(
            "Correlated noise: group runs by", list(groups), format_func=lambda g: groups.get(g, str(g)), key="fit_group",
            on_change=_keep, args=("group", groups),
            help="Runs of one model size, one sweep or one training may share noise, so that their residuals are correlated. "
            "Choose the column that names the group; auto chooses by the residuals.",
        )  # fmt: skip
    if fit is not None and found:
        widgets.quiet(f"{fit.settings.intervals_reason[:1].upper()}{fit.settings.intervals_reason[1:]}.")
    left, right = st.columns(2)
    widgets.show("fit_resamples", asked.resamples)
    left.selectbox(
        "Refits", list(RESAMPLES), format_func=lambda n: f"{n:,}", key="fit_resamples", on_change=_keep,
        args=("resamples", {n: f"{n:,}" for n in RESAMPLES}), help="More refits steady the ends of the intervals.",
    )  # fmt: skip
    widgets.hold("fit_seed", float(asked.seed))
    right.number_input(
        "Seed", min_value=0.0, max_value=float(MOST_SEED), key="fit_seed", on_change=_keep, args=("seed", {}),
        help="The same seed draws the same resamples.", **widgets.WHOLE,
    )  # fmt: skip


def unread(error: Exception) -> None:
    """The page of a file that is no table of losses, or not yet, and has all columns of a law of its own: what can be fitted."""
    widgets.chips([widgets.Chip(state.chosen().title)])
    main, side = st.columns([7, 3], gap="large")
    with main:
        if state.own_law() is None:
            law = all_laws()[own_laws.keys(lambda: state.read_for().table)[0]]
            said = f"It has the columns {_columns(law)}, and no loss that could be read."
            widgets.answer("{law} can be fitted to this file.", said, law=law.title)
        else:
            widgets.show_trouble(error)
        ways_out("Fit")
    with side:
        law_menu()
        chooser.other_data()


def ways_out(verb: str = "Try") -> None:
    """What can be done when the law chosen cannot be fitted: other laws that these data can carry."""
    asked, reasons = state.fit_settings().law, fit_analyses.offered()
    able = [k for k, why in reasons.items() if not why and not all_laws()[k].frontier]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for key in [k for k in able if k != asked][:3]:
            title = all_laws()[key].title
            st.button(
                f"{verb} {title}",
                key=f"try_{key}",
                on_click=state.set_fit,
                args=(f"law: {title}",),
                kwargs={"law": key},
            )
        st.page_link("views/runs.py", label="Look at the runs")


def _keep(name: str, words: dict[Any, str]) -> None:
    value = st.session_state[f"fit_{name}"]
    if value is None or (words and value not in words):  # words of a fit that is no longer shown name no choice
        return
    if name == "seed":
        value = round(value)
    said = words.get(value, str(value))
    stored = None if name == "group" and value == SINGLE else value
    state.set_fit(f"{name}: {said}", **{name: stored})


def _recommended(runs: Runs | None) -> str:
    try:
        return "none for this table" if runs is None else choose(runs, "auto")[0].title
    except FitError:
        return "none for this table"


def _columns(law: Law) -> str:
    *most, last = (*law.inputs, law.output.column)
    return f"{', '.join(most)} and {last}"


def _groups(runs: Runs) -> dict[str, str]:
    """Columns whose values can stand for groups: between two values and half as many as there are runs."""
    found = {}
    for column in runs.kept.columns:
        if column in NOT_GROUPS:
            continue
        values = runs.kept[column]
        number = column in COLUMNS and COLUMNS[column].kind == "number"
        if number and not np.isfinite(values.to_numpy(float)).all():
            continue
        count = int(values.nunique(dropna=False))
        if 2 <= count <= math.ceil(len(runs) / 2):
            found[str(column)] = f"by {column} ({count} values)"
    return found
