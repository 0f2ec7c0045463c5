"""Which column is the loss of a run, in which unit, with which stated error."""
