"""Forecasts of runs that were left out: how often intervals hold them, how wide they are and how far off the middle is."""
