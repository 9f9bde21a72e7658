from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evp.corpora.archives import filmed_by_speaker, open_archive, told_apart
from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError

CLIPS = tuple(ClipEntry(f"{name}.npz", name, f"{name}.mp4", 30, emotion="sad") for name in ("anna", "bert"))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for clip in CLIPS:
        np.savez(tmp_path / clip.file, waveform=np.arange(9))
    Manifest(CLIPS).write(tmp_path)
    return tmp_path


def test_an_archive_is_read(corpus: Path):
    with open_archive(corpus / "anna.npz") as stored:
        np.testing.assert_array_equal(stored["waveform"], np.arange(9))


def test_one_that_lacks_an_array_is_named_with_it(corpus: Path):
    with (
        pytest.raises(InputError, match=r"anna\.npz has no crops"),
        open_archive(corpus / "anna.npz") as stored,
    ):
        stored["crops"]


def test_a_missing_one_is_told(corpus: Path):
    (corpus / "anna.npz").unlink()
    with pytest.raises(InputError, match=r"anna\.npz is missing"), open_archive(corpus / "anna.npz"):
        pass
    with pytest.raises(InputError, match=r"anna\.npz is missing"):
        told_apart(corpus, CLIPS)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04garbage", None])
def test_a_damaged_one_is_told(corpus: Path, content: bytes | None):
    path = corpus / "anna.npz"
    whole = path.read_bytes()
    middle = len(whole) // 3
    path.write_bytes(whole[:middle] + b"xxxx" + whole[middle + 4 :] if content is None else content)
    with pytest.raises(InputError, match=r"anna\.npz is damaged"), open_archive(path) as stored:
        stored["waveform"]


def test_a_bug_in_what_is_done_with_it_stays_one(corpus: Path):
    with pytest.raises(KeyError), open_archive(corpus / "anna.npz"):
        {}["key"]
    with pytest.raises(ValueError, match="shapes"), open_archive(corpus / "anna.npz") as stored:
        stored["waveform"] + np.zeros(4)


def test_who_is_filmed(corpus: Path):
    assert filmed_by_speaker(corpus) == {name: [corpus / f"{name}.npz"] for name in ("anna", "bert")}
    Manifest(tuple(replace(clip, filmed=False) for clip in CLIPS)).write(corpus)
    with pytest.raises(InputError, match="no filmed clip"):
        filmed_by_speaker(corpus)


def test_the_same_clips_are_told_alike_wherever_they_lie(
    corpus: Path, tmp_path_factory: pytest.TempPathFactory
):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for clip in CLIPS:
        (elsewhere / clip.file).write_bytes((corpus / clip.file).read_bytes())
    told = told_apart(corpus, CLIPS)
    assert told_apart(elsewhere, CLIPS[::-1]) == told
    assert (told["speakers"], told["emotions"]) == (["anna", "bert"], ["sad"])


@pytest.mark.parametrize(
    "change", [{"speaker": "carl"}, {"emotion": "happy"}, {"sentence": "x"}, {"frames": 31}]
)
def test_other_labels_are_other_clips(corpus: Path, change: dict):
    assert told_apart(corpus, (CLIPS[0], replace(CLIPS[1], **change))) != told_apart(corpus, CLIPS)


def test_other_contents_and_fewer_clips_are_other_clips(corpus: Path):
    before = told_apart(corpus, CLIPS)
    assert told_apart(corpus, CLIPS[:1]) != before
    np.savez(corpus / "anna.npz", waveform=np.arange(10))
    assert told_apart(corpus, CLIPS) != before
