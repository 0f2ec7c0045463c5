"""From runs to predictions: laws, fits with their bootstrap draws, and plans."""

# ruff: noqa: E402 - the check of `data` stands before the first import of it
from fitting.own_data import refuse_another

refuse_another()

from data import Runs, read_runs
from fitting.band import Band
from fitting.errors import FitError
from fitting.estimate import fit
from fitting.export.reading import load_fit
from fitting.families import Families, compare_families
from fitting.forecast import Backtest, backtest
from fitting.law import Law
from fitting.laws import all_laws, offered
from fitting.planning.planner import Plan, plan
from fitting.result import Fit
from fitting.selection.compare_laws import compare_laws
from fitting.selection.lacking import lacking
from fitting.selection.published_constants import PaperTest, against_papers
from fitting.status import Status, Verdict

__version__ = "0.1.0"  # as pyproject.toml has it

__all__ = [
    "Backtest",
    "Band",
    "Families",
    "Fit",
    "FitError",
    "Law",
    "PaperTest",
    "Plan",
    "Runs",
    "Status",
    "Verdict",
    "against_papers",
    "all_laws",
    "backtest",
    "compare_families",
    "compare_laws",
    "fit",
    "lacking",
    "load_fit",
    "offered",
    "plan",
    "read_runs",
]
