"""Where intervals come from: bootstrap refits, the error model, posterior draws, model discrepancy."""
