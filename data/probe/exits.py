"""The codes by which a trainer's process ends, for whoever started it: 0 done, 1 ended otherwise, 2 wrong use, and these."""

#: Another process has the run's folder.
BUSY = 3
#: The run was asked to stop and goes on from its checkpoint (EX_TEMPFAIL of sysexits.h).
GO_ON = 75
