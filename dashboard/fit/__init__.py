"""The Fit page: its settings, what it works out, its words and its tabs."""
