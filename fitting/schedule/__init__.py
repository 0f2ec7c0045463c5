"""Loss curves under a learning-rate schedule."""
