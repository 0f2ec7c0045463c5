"""What a row is: a run of its own, or a checkpoint along the curve of one."""
