"""Figures of runs, fits and plans: one file a figure, one look for all (theme.py); nothing here knows Streamlit."""
