"""Families compared: is one architecture, data mix or optimiser better than another, and will it still be at scale?"""

from fitting.families.columns import family_columns, labels, resolved
from fitting.families.compare import compare_families
from fitting.families.result import Crossing, Families, Family, Versus
from fitting.families.sharing import SHARES, Sharing

__all__ = [
    "SHARES",
    "Crossing",
    "Families",
    "Family",
    "Sharing",
    "Versus",
    "compare_families",
    "family_columns",
    "labels",
    "resolved",
]
