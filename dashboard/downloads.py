"""What can be taken away from a page: files that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.error_messages import message_of
from dashboard.server import stored_files
from data.schema import Runs
from fitting import Families, Fit, Plan
from fitting.batch import WholeRun
from fitting.export import (
    fit_to_json,
    fit_to_latex,
    fit_to_python,
    plan_to_csv,
    plan_to_json,
    plan_to_latex,
    residuals_to_csv,
    summary_to_csv,
)
from fitting.export.about import with_about
from fitting.planning.on_devices import OnDevices


@dataclass(frozen=True)
class File:
    """A file to download: what the button says, its name and type, and what makes its text."""

    label: str
    name: str
    mime: str
    make: Callable[[], str]


def buttons(files: Iterable[File], key: str) -> None:
    """A row of download buttons; a file is made when its button is pressed, and the page does not run again.

    It is the file of what was on the page when it was pressed, also while the page is being drawn anew.
    """
    stored_files.keep()
    say = state.later()
    with st.container(horizontal=True, gap="small"):
        for file in files:
            st.download_button(
                file.label,
                data=partial(_made, file, say),
                file_name=file.name,
                mime=file.mime,
                on_click="ignore",
                key=f"{key}_{file.label}",
            )


def _made(file: File, say: Callable[[str], None]) -> bytes:
    """The file's content; where it cannot be made, the page says so at once, and why at its next run."""
    try:
        return file.make().encode("utf-8", errors="replace")
    except Exception as error:
        say(f"{file.name} could not be made: {' '.join(message_of(error))}")
        raise


def headed(files: Iterable[File], about: Mapping[str, Any]) -> list[File]:
    """The files, each saying in its own way what it is `about`: the table with its digest, and the settings."""
    return [replace(f, make=partial(_headed, f, dict(about))) for f in files]


def _headed(file: File, about: Mapping[str, Any]) -> str:
    return with_about(file.make(), file.name.rpartition(".")[2], about)


def of_plan(fit: Fit, plan: Plan, whole: WholeRun | None = None, on: OnDevices | None = None) -> list[File]:
    """A plan with what goes with it, on its devices, as LaTeX, JSON and CSV, and the law it rests on as Python."""
    return [
        File("LaTeX", "plan.tex", "text/x-tex", lambda: fit_to_latex(fit) + "\n" + plan_to_latex(fit, plan, whole, on)),
        File("Python", "law.py", "text/x-python", lambda: fit_to_python(fit)),
        File("JSON", "plan.json", "application/json", lambda: plan_to_json(fit, plan, whole, on)),
        File("CSV", "plan.csv", "text/csv", lambda: plan_to_csv(fit, plan, whole, on)),
    ]


def of_fit(fit: Fit, runs: Runs, stem: str) -> list[File]:
    """A fit as LaTeX, Python and JSON, its runs with their residuals and its parameters as CSV; `stem` begins the names."""
    return [
        File("LaTeX", f"{stem}.tex", "text/x-tex", lambda: fit_to_latex(fit)),
        File("Python", f"{stem}.py", "text/x-python", lambda: fit_to_python(fit)),
        File("JSON", f"{stem}.json", "application/json", lambda: fit_to_json(fit)),
        File("Runs with residuals", f"{stem}-runs.csv", "text/csv", lambda: residuals_to_csv(fit, runs)),
        File("Parameters", f"{stem}-parameters.csv", "text/csv", lambda: summary_to_csv(fit)),
    ]


def of_families(found: Families) -> list[File]:
    """A comparison of families: multiplier and loss along budgets as CSV, everything as JSON."""
    return [
        File("Multiplier curve", "families.csv", "text/csv", found.to_csv),
        File("JSON", "families.json", "application/json", found.to_json),
    ]
