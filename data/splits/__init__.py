"""Losses of a run on several splits or data sets, told by their words."""
