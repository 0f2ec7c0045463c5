"""A number with its noun, as `data.plural` writes it: `1 run`, `41 runs`."""

from data.plural import plural

__all__ = ["plural"]
