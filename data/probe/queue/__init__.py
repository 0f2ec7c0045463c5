"""The queue over this machine's devices: order and assignment in one SQLite file, the truth about a run in its folder.

`store` holds the jobs and is safe to use from any process, `slots` finds what a job can run on, `serve` is the one process that
starts them. Launcher, page and queue may die at any moment: jobs run on and are found again.
"""
