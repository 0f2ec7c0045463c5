"""Runs that we make ourselves: small language models, declared as plain values, trained in a folder of their own, read as runs.

`spec` and `sweep` say what is to be run, `corpora` are what it can be trained on, `corpus` and `feed` give the tokens of one run by number,
`folder` is what a run leaves behind. Only `trainer` needs torch.
"""
