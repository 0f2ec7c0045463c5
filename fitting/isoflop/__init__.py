"""Approaches 1 and 2 of Hoffmann et al. 2022 (arXiv 2203.15556) beside the parametric Approach 3."""

from fitting.isoflop.buckets import LeftOut
from fitting.isoflop.comparison import Approach, Comparison, compare
from fitting.isoflop.envelope import Envelope, envelope
from fitting.isoflop.floor import Floor, floor
from fitting.isoflop.parabola_bias import Bias, parabola_bias
from fitting.isoflop.power import PowerLaw, power_law
from fitting.isoflop.profile import Profile, drawn
from fitting.isoflop.profiles import Profiles, ProfilesError, profiles

__all__ = [
    "Approach",
    "Bias",
    "Comparison",
    "Envelope",
    "Floor",
    "LeftOut",
    "PowerLaw",
    "Profile",
    "Profiles",
    "ProfilesError",
    "compare",
    "drawn",
    "envelope",
    "floor",
    "parabola_bias",
    "power_law",
    "profiles",
]
