"""Batch size: how many steps a loss takes at each batch, the critical batch that follows, and the gradient noise scale."""

from fitting.batch.critical import CriticalBatch, critical_batch
from fitting.batch.growth import Growth, growth
from fitting.batch.noise_scale import NoiseScale, noise_scale
from fitting.batch.published import PUBLISHED, PublishedLaw, published
from fitting.batch.rates import RateLaws, rate_laws
from fitting.batch.rules import RULES, Optimiser, Rule, rescale
from fitting.batch.targets import Reached, steps_to_target

__all__ = [
    "PUBLISHED",
    "RULES",
    "CriticalBatch",
    "Growth",
    "NoiseScale",
    "Optimiser",
    "PublishedLaw",
    "RateLaws",
    "Reached",
    "Rule",
    "critical_batch",
    "growth",
    "noise_scale",
    "published",
    "rate_laws",
    "rescale",
    "steps_to_target",
]
