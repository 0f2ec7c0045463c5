"""Families compared: is one architecture, data mix or optimiser better than another, and will it still be at scale?"""

from fitting.families.columns import Short, family_columns, labels, resolved, short_columns
from fitting.families.compare import compare_families
from fitting.families.crossing import Crossing
from fitting.families.result import Families, Family, Versus
from fitting.families.sharing import SHARES, Sharing

__all__ = [
    "SHARES",
    "Crossing",
    "Families",
    "Family",
    "Sharing",
    "Short",
    "Versus",
    "compare_families",
    "family_columns",
    "labels",
    "resolved",
    "short_columns",
]
