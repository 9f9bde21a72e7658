"""evp studio: a page to make films with, and an API."""

from pathlib import Path
from typing import Annotated

import typer

from evp.commands.console import needs_extra


def studio(
    host: Annotated[
        str,
        typer.Option(
            help="The address to listen on. Any other than this machine's own asks visitors for a token."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8765,
    data: Annotated[
        Path | None,
        typer.Option(help="The folder of portraits, films and the queue; usual is the user's data folder."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Open a page on this machine where films are made and portraits are built."""
    with needs_extra("studio"):
        from evp.studio.serve import serve
    from evp.studio.devices import devices
    from evp.studio.settings import Settings, data_folder

    serve(Settings(data or data_folder(), host, port, devices=devices()), typer.echo, browser)
