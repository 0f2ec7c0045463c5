"""Columns of a log that tell of the machine: in these alone do two logs of one run differ."""

TIMES = ("step_seconds", "step_seconds_p90", "eval_seconds", "start_seconds", "data_seconds", "peak_memory")
