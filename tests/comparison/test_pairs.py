from pathlib import Path

import pytest

from evp.comparison.pairs import find_pairs
from evp.errors import InputError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_two_films_are_a_pair_with_what_lies_beside_the_recorded_one(tmp_path):
    made, real = tmp_path / "a film.mp4", tmp_path / "real.mov"
    touch(made, real, tmp_path / "real.txt", tmp_path / "me.evp")
    [pair] = find_pairs(made, real, portrait=tmp_path / "me.evp", emotion="sad")
    assert (pair.name, pair.generated, pair.recorded) == ("a film", made, real)
    assert (pair.transcript, pair.labels) == (tmp_path / "real.txt", None)
    assert (pair.portrait, pair.emotion, pair.neutral) == (tmp_path / "me.evp", "sad", None)


def test_films_of_two_folders_meet_by_name(tmp_path):
    touch(*(tmp_path / name for name in ("g/b.mp4", "g/sub/a.mp4", "r/b.mkv", "r/sub/a.mp4", "r/more.mp4")))
    touch(tmp_path / "r/b.phones")
    pairs = find_pairs(tmp_path / "g", tmp_path / "r")
    assert [pair.name for pair in pairs] == ["b", "sub/a"]
    assert pairs[0].recorded == tmp_path / "r/b.mkv"
    assert pairs[0].labels == tmp_path / "r/b.phones"


def test_a_manifest_names_files_beside_itself_and_goes_before_what_is_given_for_all(tmp_path):
    touch(*(tmp_path / name for name in ("g.mp4", "r.mp4", "words.txt", "own.evp", "all.evp", "r.txt")))
    manifest = tmp_path / "pairs.csv"
    manifest.write_text(
        "generated,recorded,transcript,portrait,emotion\ng.mp4,r.mp4,words.txt,own.evp,happy\ng.mp4,r.mp4,,,\n"
    )
    first, second = find_pairs(manifest, None, portrait=tmp_path / "all.evp", emotion="sad")
    assert (first.name, first.emotion, first.transcript) == ("g", "happy", tmp_path / "words.txt")
    assert first.portrait == tmp_path / "own.evp"
    assert (second.emotion, second.transcript) == ("sad", tmp_path / "r.txt")
    assert second.portrait == tmp_path / "all.evp"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("generated,recorded\n", "names no films"),
        ("generated,recorded,who\na,b,c\n", "unknown column who"),
        ("generated,recorded\na.mp4,\n", "line 2: a generated and a recorded film are needed"),
        ("generated,recorded\na.mp4,b.mp4\n", "there is no file"),
    ],
)
def test_a_manifest_that_is_wrong_is_told(tmp_path, text, told):
    manifest = tmp_path / "pairs.csv"
    manifest.write_text(text)
    with pytest.raises(InputError, match=told):
        find_pairs(manifest, None)


def test_what_does_not_belong_together_is_refused(tmp_path):
    touch(tmp_path / "g/a.mp4", tmp_path / "r/b.mp4", tmp_path / "film.mp4", tmp_path / "empty/x.doc")
    with pytest.raises(InputError, match="has no film of the name a"):
        find_pairs(tmp_path / "g", tmp_path / "r")
    with pytest.raises(InputError, match="two films or two folders"):
        find_pairs(tmp_path / "g", tmp_path / "film.mp4")
    with pytest.raises(InputError, match="there are no films"):
        find_pairs(tmp_path / "empty", tmp_path / "r")
    with pytest.raises(InputError, match="or a manifest"):
        find_pairs(tmp_path / "film.mp4", None)
    with pytest.raises(InputError, match="there is no file"):
        find_pairs(tmp_path / "film.mp4", tmp_path / "nowhere.mp4")
    with pytest.raises(InputError, match="cannot be read as a manifest"):
        find_pairs(tmp_path / "nowhere.csv", None)
