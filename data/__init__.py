"""Where runs come from: files, bundled tables and probes, all as one runs table."""
