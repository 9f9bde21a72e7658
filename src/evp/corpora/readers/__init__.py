"""One module for each layout of folders: files -> recordings."""

from typing import Literal

from evp.corpora.readers.cremad import read_cremad
from evp.corpora.readers.emodb import read_emodb
from evp.corpora.readers.folder import read_folder
from evp.corpora.readers.mead import read_mead
from evp.corpora.readers.ravdess import read_ravdess
from evp.corpora.recording import Reader

Layout = Literal["mead", "ravdess", "cremad", "emodb", "folder"]

READERS: dict[Layout, Reader] = {
    "mead": read_mead,
    "ravdess": read_ravdess,
    "cremad": read_cremad,
    "emodb": read_emodb,
    "folder": read_folder,
}
