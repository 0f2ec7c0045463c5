"""The Probe page: sweeps of small language models, laid out, launched on this machine and watched.

`form` and `derive` write a sweep's JSON, `estimate` and `price` say what it costs, `launching` is the only file that starts or ends
anything, `watching` reads how runs stand, `panels` and `live` draw.
"""
