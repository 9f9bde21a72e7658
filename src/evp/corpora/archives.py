"""The archives of a prepared corpus: opened, and told from those of another corpus."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError

if TYPE_CHECKING:
    from numpy.lib.npyio import NpzFile


@contextmanager
def open_archive(path: Path) -> "Iterator[NpzFile]":
    """The arrays of one clip. Raises InputError when the archive is missing or damaged, or lacks what is asked for."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            yield stored
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing, though the manifest names it: prepare the corpus again"
        ) from error
    except (OSError, EOFError, BadZipFile, UnpicklingError, zlib.error) as error:
        raise InputError(f"{path} is damaged: delete it and prepare the corpus again") from error
    except (ValueError, KeyError) as error:
        told = str(error)
        if "pickled data" in told:  # what numpy says of a file that it does not know
            raise InputError(f"{path} is damaged: delete it and prepare the corpus again") from error
        if "is not a file in the archive" in told:
            raise InputError(f"{path} has no {told.strip(chr(34) + chr(39)).split()[0]}") from error
        raise


def filmed_by_speaker(corpus: Path) -> dict[str, list[Path]]:
    """Archives of the filmed clips of everybody who is trained on. Raises InputError when there are none."""
    speakers = Manifest.read(corpus).clips_by_speaker(corpus)
    if not speakers:
        raise InputError(f"{corpus} has no filmed clip to train on")
    return speakers


def told_apart(corpus: Path, clips: Iterable[ClipEntry]) -> dict[str, Any]:
    """What tells these ``clips`` of a corpus from others: their speakers and emotions, and a digest of everything that
    the manifest says of them and of how large they are. Raises InputError when an archive is missing.
    """
    chosen = sorted(clips, key=lambda clip: clip.file)
    digest = hashlib.sha256()
    for clip in chosen:
        try:
            size = (corpus / clip.file).stat().st_size
        except OSError as error:
            raise InputError(
                f"{corpus / clip.file} is missing, though the manifest names it: prepare the corpus again"
            ) from error
        digest.update(f"{clip} {size}\n".encode())
    return {
        "speakers": sorted({clip.speaker for clip in chosen}),
        "emotions": sorted({clip.emotion for clip in chosen if clip.emotion}),
        "clips": digest.hexdigest(),
    }
