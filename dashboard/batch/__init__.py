"""The Batch page: its settings, what it reads and works out, its panels and its tabs."""
