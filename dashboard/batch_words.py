"""What was read for critical batches and why: the sentence that the page and the terminal both say."""


def curves_said(runs: int) -> str:
    """For rows that are checkpoints of so many runs."""
    return f"Read from steps to a loss off the curves of {runs:,} run{'' if runs == 1 else 's'}: rows are checkpoints along them."


def final_said(runs: int) -> str:
    """For rows that are so many runs, each with its last loss."""
    return f"Read from the final losses of {runs:,} runs: no run has rows along its way, so each row is taken for a run decayed to its end."
