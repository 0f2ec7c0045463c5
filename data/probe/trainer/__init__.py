"""The trainer behind a probe: model, optimisers, measurements and the loop; the only folder that imports torch.

`python -m data.probe.trainer SPEC FOLDER` makes one run. Everything is for a stack of models of one shape, which may be one: weights
begin with an axis of models, (k, ...), and each model has its own seed, data and learning rate.
"""
