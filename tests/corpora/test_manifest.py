from pathlib import Path

import pytest

from evp.corpora.manifest import ClipEntry, Manifest
from evp.errors import InputError

CLIPS = (
    ClipEntry("s1__a.npz", "s1", "a.mp4", 75, words=((0.0, 0.5, "sil"), (0.5, 0.9, "bin"))),
    ClipEntry("s2__a.npz", "s2", "a.mp4", 50),
    ClipEntry("s1__b.npz", "s1", "b.mp4", 60),
)


def test_what_was_written_is_read(tmp_path: Path):
    written = Manifest(CLIPS, {"c.mp4": "no face was found"})
    written.write(tmp_path)
    assert Manifest.read(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_empty_manifest(tmp_path: Path):
    Manifest().write(tmp_path)
    assert Manifest.read(tmp_path) == Manifest()


def test_clips_are_found_by_speaker(tmp_path: Path):
    assert Manifest(CLIPS).clips_by_speaker(tmp_path) == {
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
