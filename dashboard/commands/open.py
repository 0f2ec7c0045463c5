"""`isoflop` and `isoflop open [PATH]`: open the dashboard in the browser, on a file of runs or a folder of probes if one is named."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.commands import TABLE, Command, Refusal, refuses

LARGEST = 200 * 2**20  # bytes; what the page takes as an upload


@click.command(cls=Command, name="open", short_help="Open the dashboard, on a file or folder of runs if given.")
@click.argument("file", metavar="[PATH]", required=False, type=TABLE)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of 127.0.0.1; a free one when not given.")
@click.option("--no-browser", is_flag=True, help="Serve the page without opening a browser.")
@refuses
def command(file: Path | None, port: int | None, no_browser: bool) -> None:
    """Open the dashboard on a new workspace.

    PATH is a file of runs, which is copied into it, or a folder of probes (isoflop probe), which is shown from where it lies, also
    while its runs are at work.
    """
    from dashboard.server.launch import serve

    query = ""
    if file is not None and file.is_dir():
        query = f"w={_of_probes(file)}"
    elif file is not None:
        from dashboard.workspace import store as workspace

        if file.stat().st_size > LARGEST:
            raise Refusal(
                f"{file.name} is larger than the {LARGEST >> 20} MB that are read; thin out its history first."
            )
        space = workspace.new()
        upload = workspace.keep(space, file.name, file.read_bytes())
        workspace.change(space, f"open {file.name}", {"source": upload.source})
        query = f"w={space.id}"
    serve(port=port, browser=not no_browser, query=query)


def _of_probes(folder: Path) -> str:
    """The id of a new workspace that shows the sweeps in a folder, the newest first."""
    from dashboard.workspace import store as workspace
    from dashboard.workspace.sources import OPENED
    from data.probe.found import below
    from data.sources.probe import probe_key

    found = sorted(below(folder.absolute()), key=lambda one: one.stat().st_mtime, reverse=True)
    if not found:
        raise Refusal(
            f"{folder} holds no probes, and the page opens one table at a time: name a file in it, or `isoflop read {folder}`."
        )
    space = workspace.new()
    workspace.change(space, f"open {folder.name}", {"source": probe_key(found[0]), OPENED: [str(one) for one in found]})
    return space.id
