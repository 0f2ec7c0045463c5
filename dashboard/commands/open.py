"""`isoflop` and `isoflop open [FILE]`: open the dashboard in the browser, with a file of runs if one is named."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.commands import Command, Refusal, refuses

LARGEST = 200 * 2**20  # bytes; what the page takes as an upload


@click.command(cls=Command, name="open", short_help="Open the dashboard, on a file of runs if one is given.")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), help="Port of 127.0.0.1; a free one when not given.")
@click.option("--no-browser", is_flag=True, help="Serve the page without opening a browser.")
@refuses
def command(file: Path | None, port: int | None, no_browser: bool) -> None:
    """Open the dashboard; a FILE of runs is copied into a new workspace and shown."""
    from dashboard.server.launch import serve

    query = ""
    if file is not None:
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
