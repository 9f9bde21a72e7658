"""Films in, reports out: what ``evp evaluate`` does."""

from collections.abc import Sequence
from pathlib import Path

from evp.comparison.compare import Evaluation, evaluate
from evp.comparison.measure import Progress
from evp.comparison.networks import Networks
from evp.comparison.page import as_page
from evp.comparison.pairs import find_pairs
from evp.comparison.report import as_json, as_markdown
from evp.errors import OutputError
from evp.files import write_whole

NAME = "evaluation"


def evaluate_files(
    generated: Path,
    recorded: Path | None,
    output: Path,
    *,
    portrait: Path | None = None,
    neutral: Path | None = None,
    emotion: str | None = None,
    inception: Path | None = None,
    syncnet: Path | None = None,
    identity: Path | None = None,
    checksums: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Path, Path, Path]:
    """Compare films (`find_pairs` says which) and write ``evaluation.json``, ``.md`` and ``.html`` into a folder.

    Raises EvpError for anything the user can mend.
    """
    pairs = find_pairs(generated, recorded, portrait, neutral, emotion)
    networks = Networks.load(inception, syncnet, identity, checksums)
    return write_reports(evaluate(pairs, networks, seed, progress), output)


def write_reports(evaluation: Evaluation, output: Path) -> tuple[Path, Path, Path]:
    """The three reports in the folder ``output``, which is made if need be. Raises OutputError."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write into {output}: {error.strerror}") from error
    reports = {"json": as_json, "md": as_markdown, "html": as_page}
    paths = []
    for suffix, report in reports.items():
        path = output / f"{NAME}.{suffix}"
        write_whole(path, report(evaluation).encode())
        paths.append(path)
    return paths[0], paths[1], paths[2]
