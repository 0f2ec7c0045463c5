"""The Probe page: sweeps of small language models, laid out, launched on this machine and watched."""
