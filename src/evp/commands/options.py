"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write; its folder must exist.")]
Folder = Annotated[
    Path, typer.Option("--output", "-o", help="The folder to write into; it is made if need be.")
]
Seed = Annotated[int, typer.Option(help="Makes what is left to chance repeatable.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Training steps, if not as many as usual.")]
Recipe = Annotated[
    Literal["default", "paper"],
    typer.Option(help="Networks, losses, sampling and settings: this project's, or those of the EVP paper."),
]
Corpus = Annotated[Path, typer.Argument(help="What 'evp corpus prepare' wrote.")]
