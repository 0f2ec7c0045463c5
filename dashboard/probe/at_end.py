"""The command of the person's own that is run when a sweep ends, as it is asked for on the Probe page."""

from __future__ import annotations

import streamlit as st

from dashboard import widgets
from dashboard.probe import launching
from dashboard.probe import settings as probe_settings
from dashboard.probe.settings import ProbeSettings


def panel(asked: ProbeSettings) -> None:
    """The field of the command, and when it is run."""
    st.text_input(
        "Command when a sweep ends", key=widgets.hold("probe_on_end", asked.on_end), on_change=_command, placeholder="notify-send Isoflop",
        disabled=bool(launching.why_not()),
        help="It is run on this machine as you, without a shell, with a sentence on how the sweep ended as its last argument.",
    )  # fmt: skip
    widgets.quiet(
        "The title of this page's tab changes, too. The command runs also where no page is open; for a sweep on Slurm when this page or "
        "`isoflop probe --slurm` next looks at it."
    )


def _command() -> None:
    text = str(st.session_state["probe_on_end"] or "").strip()

    def keep() -> None:
        launching.choose_command(text)
        probe_settings.change("command when a sweep ends", on_end=text)

    launching.attempt(keep)
