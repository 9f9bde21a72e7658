from dataclasses import replace
from pathlib import Path

import pytest

from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError

CLIPS = (
    ClipEntry("s1__a.npz", "s1", "a.mp4", 75, words=((0.0, 0.5, "sil"), (0.5, 0.9, "bin"))),
    ClipEntry("s2__a.npz", "s2", "a.mp4", 50),
    ClipEntry("s1__b.npz", "s1", "b.mp4", 60),
)
VOICE = ClipEntry(
    "s3__a.npz", "s3", "a.wav", 40, filmed=False, emotion="sad", intensity=2, sentence="01", split="test"
)


def test_what_was_written_is_read(tmp_path: Path):
    written = Manifest((*CLIPS, VOICE), {"c.mp4": "no face was found"})
    written.write(tmp_path)
    assert Manifest.read(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_empty_manifest(tmp_path: Path):
    Manifest().write(tmp_path)
    assert Manifest.read(tmp_path) == Manifest()


def test_what_has_its_default_is_not_written(tmp_path: Path):
    Manifest(CLIPS).write(tmp_path)
    text = (tmp_path / "manifest.json").read_text()
    assert "emotion" not in text and text.count("words") == 1
    assert len(text.splitlines()) < 8  # a line for each clip


def test_filmed_clips_to_train_on_are_found_by_speaker(tmp_path: Path):
    kept_aside = replace(CLIPS[1], speaker="s4", split="test")
    assert Manifest((*CLIPS, VOICE, kept_aside)).clips_by_speaker(tmp_path) == {
        "s1": [tmp_path / "s1__a.npz", tmp_path / "s1__b.npz"],
        "s2": [tmp_path / "s2__a.npz"],
    }


@pytest.mark.parametrize(
    "content", [None, "", "{", "[]", "{}", '{"clips": [{"file": "a"}], "dropped": {}}', "3"]
)
def test_folder_without_a_manifest_or_with_a_broken_one(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="not a prepared corpus"):
        Manifest.read(tmp_path)


def test_corpus_of_an_older_version_is_told_to_be_prepared_again(tmp_path: Path):
    (tmp_path / "manifest.json").write_text('{"format": 1, "clips": [], "dropped": {}}')
    with pytest.raises(InputError, match="format 1, this version reads format 2: prepare it again"):
        Manifest.read(tmp_path)


def test_unknown_split_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="in the split 'dev'"):
        replace(VOICE, split="dev")
    Manifest((VOICE,)).write(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"test"', '"dev"'))
    with pytest.raises(InputError, match="in the split 'dev'"):
        Manifest.read(tmp_path)


def test_reasons_are_told_the_most_frequent_first():
    dropped = {f"{n}.wav": "it is sung" for n in range(3)} | {"x": "no face", "y": "too short", "z": "lost"}
    assert Manifest((), dropped).reasons() == "it is sung (3 times); no face; too short; ..."
    assert Manifest((), {"x": "no face"}).reasons() == "no face"
