"""Batch size: how many steps a loss takes at each batch, the critical batch that follows, and the gradient noise scale."""

from fitting.batch.adaptive import BatchSchedule, Stage, adaptive_batch, warm_up
from fitting.batch.advice import Advice, Line, a_number, from_paper, from_runs, from_sweep, line_of
from fitting.batch.along import AlongLoss, along_loss
from fitting.batch.critical import CriticalBatch, critical_batch
from fitting.batch.curves import Curves, curves
from fitting.batch.decayed import Decayed, decayed
from fitting.batch.front import Cluster, Front, Limits, front
from fitting.batch.groups import Groups, curve_groups, final_groups
from fitting.batch.growth import Growth, growth
from fitting.batch.noise_scale import NoiseScale, noise_scale
from fitting.batch.published import PUBLISHED, PublishedLaw, published
from fitting.batch.rate_by_width import RateByWidth, rate_by_width, width_ladders
from fitting.batch.rates import RateLaws, rate_laws
from fitting.batch.rules import RULES, Optimiser, Rule, rescale
from fitting.batch.targets import Reached, steps_to_target
from fitting.batch.trajectory import KAPLAN, Trajectory
from fitting.batch.trajectory_fit import HeldOut, TrajectoryFit, fit_trajectory, held_out
from fitting.batch.whole_run import WholeRun, whole_run

__all__ = [
    "KAPLAN",
    "PUBLISHED",
    "RULES",
    "Advice",
    "AlongLoss",
    "BatchSchedule",
    "Cluster",
    "CriticalBatch",
    "Curves",
    "Decayed",
    "Front",
    "Groups",
    "Growth",
    "HeldOut",
    "Limits",
    "Line",
    "NoiseScale",
    "Optimiser",
    "PublishedLaw",
    "RateByWidth",
    "RateLaws",
    "Reached",
    "Rule",
    "Stage",
    "Trajectory",
    "TrajectoryFit",
    "WholeRun",
    "a_number",
    "adaptive_batch",
    "along_loss",
    "critical_batch",
    "curve_groups",
    "curves",
    "decayed",
    "final_groups",
    "fit_trajectory",
    "from_paper",
    "from_runs",
    "from_sweep",
    "front",
    "growth",
    "held_out",
    "line_of",
    "noise_scale",
    "published",
    "rate_by_width",
    "rate_laws",
    "rescale",
    "steps_to_target",
    "warm_up",
    "whole_run",
    "width_ladders",
]
