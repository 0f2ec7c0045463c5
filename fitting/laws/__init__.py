"""One law a file; every module here that defines `law` (or `laws`) is found by `fitting.law.all_laws`."""
