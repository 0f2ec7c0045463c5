"""Runs that we make ourselves: small language models, declared as plain values, trained in a folder of their own, read as runs.

`spec` and `sweep` say what is to be run, `language` and `corpus` what it is trained on, `folder` what a run leaves behind. Only
`trainer` needs torch.
"""
