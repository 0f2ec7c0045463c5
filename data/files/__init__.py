"""Several files read as one table: checkpoints in files, answers by file, one run in many."""
