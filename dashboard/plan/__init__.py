"""The Plan page: its settings, the plan and its chart's payload, devices, and its panels."""
