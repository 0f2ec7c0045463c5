"""The Compare page: its settings, state, panels and words."""
