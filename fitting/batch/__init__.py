"""Batch size: how many steps a loss takes at each batch, the critical batch that follows, and the gradient noise scale."""

from fitting.batch.critical import CriticalBatch, critical_batch
from fitting.batch.growth import Growth, growth
from fitting.batch.noise_scale import NoiseScale, noise_scale
from fitting.batch.targets import Reached, steps_to_target

__all__ = [
    "CriticalBatch",
    "Growth",
    "NoiseScale",
    "Reached",
    "critical_batch",
    "growth",
    "noise_scale",
    "steps_to_target",
]
