"""A fit or a plan as text to take away: JSON, LaTeX, Python and CSV, each with what it takes to repeat it."""

from fitting.export.latex import fit_to_latex, plan_to_latex
from fitting.export.python import fit_to_python
from fitting.export.reading import fit_from_json, load_fit
from fitting.export.tables import plan_to_csv, residuals_to_csv, summary_to_csv
from fitting.export.text import fit_to_json, plan_to_json

__all__ = [
    "fit_from_json",
    "fit_to_json",
    "fit_to_latex",
    "fit_to_python",
    "load_fit",
    "plan_to_csv",
    "plan_to_json",
    "plan_to_latex",
    "residuals_to_csv",
    "summary_to_csv",
]
