"""Which column is which, what follows from several of them, and where two readings are possible."""
