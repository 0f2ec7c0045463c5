"""A number with its noun, as `data.plural` writes it: `1 run`, `1 of 41 runs lies`."""

from data.plural import out_of, plural

__all__ = ["out_of", "plural"]
