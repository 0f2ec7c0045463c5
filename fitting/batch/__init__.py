"""Batch size: how many steps a loss takes at each batch, the critical batch that follows, and the gradient noise scale."""

from fitting.batch.critical import CriticalBatch, critical_batch
from fitting.batch.growth import Growth, growth
from fitting.batch.noise_scale import NoiseScale, noise_scale
from fitting.batch.published import PUBLISHED, PublishedLaw, published
from fitting.batch.targets import Reached, steps_to_target

__all__ = [
    "PUBLISHED",
    "CriticalBatch",
    "Growth",
    "NoiseScale",
    "PublishedLaw",
    "Reached",
    "critical_batch",
    "growth",
    "noise_scale",
    "published",
    "steps_to_target",
]
