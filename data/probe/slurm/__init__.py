"""Runs on a Slurm cluster, by its own commands: arrays of folders that a batch script makes runs in.

`ask` is what Slurm says, `words` what that means for a run, `record` which job was given a folder, `submit` has runs made. The folder
stays the truth about a run: Slurm forgets a job minutes after its end.
"""
