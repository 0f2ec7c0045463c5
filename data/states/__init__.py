"""Which rows count: how a run ended, what was predicted, excluded or cannot be fitted."""
