"""How often intervals hold the truth: simulated tables from a known law, fitted as `fit` does, interval by interval."""
