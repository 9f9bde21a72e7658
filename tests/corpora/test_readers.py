"""Every layout on a small made-up tree of empty files: a reader never opens media."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evp.corpora.readers import READERS
from evp.corpora.readers.cremad import read_cremad
from evp.corpora.readers.emodb import SAMPA, read_emodb
from evp.corpora.readers.folder import read_folder
from evp.corpora.readers.mead import read_mead
from evp.corpora.readers.ravdess import read_ravdess
from evp.corpora.recording import Listing, Recording
from evp.errors import InputError
from evp.motion.visemes import GLIDES, UNLABELLED, viseme_of

DATA = Path(__file__).parents[3] / "shared" / "data"

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Makes empty files in a folder with a space in its name."""

    def make(*files: str) -> Path:
        for file in files:
            path = tmp_path / "a folder" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "a folder"

    return make


def labels(listing: Listing) -> list[tuple[str, str | None, int | None, str | None]]:
    return [(r.speaker, r.emotion, r.intensity, r.sentence) for r in listing.recordings]


def parts(folder: Path, recording: Recording) -> tuple[str | None, str | None]:
    video, audio = (
        path and path.relative_to(folder).as_posix() for path in (recording.video, recording.audio)
    )
    return video, audio


def dropped(listing: Listing) -> dict[str, str]:
    return {path.name: reason for path, reason in listing.dropped.items()}


def test_mead_joins_picture_and_sound(tree: Tree):
    folder = tree(
        "M003/video/front/angry/level_3/001.mp4", "M003/audio/angry/level_3/001.m4a",
        "M003/video/front/angry/level_1/004.mp4", "W009/audio/neutral/level_1/002.m4a",
        "M003/video/left_30/angry/level_3/001.mp4",
    )  # fmt: skip
    listing = read_mead(folder)
    assert [parts(folder, recording) for recording in listing.recordings] == [
        ("M003/video/front/angry/level_1/004.mp4", None),
        ("M003/video/front/angry/level_3/001.mp4", "M003/audio/angry/level_3/001.m4a"),
        (None, "W009/audio/neutral/level_1/002.m4a"),
    ]
    assert labels(listing) == [
        ("M003", "angry", 1, "angry/004"),
        ("M003", "angry", 3, "001"),
        ("W009", "neutral", 1, "002"),
    ]
    assert listing.dropped == {}
    assert len({recording.name for recording in listing.recordings}) == 3


def test_mead_from_another_view_and_from_one_speakers_folder(tree: Tree, monkeypatch: pytest.MonkeyPatch):
    folder = tree(
        "M003/video/front/sad/level_2/001.mp4", "M003/video/top/sad/level_2/001.mp4", "M003/audio/sad/level_2/001.m4a"
    )  # fmt: skip
    [seen] = read_mead(folder, view="top").recordings
    assert parts(folder, seen)[0] == "M003/video/top/sad/level_2/001.mp4"
    monkeypatch.chdir(folder / "M003")
    assert [recording.speaker for recording in read_mead(Path(".")).recordings] == ["M003"]


def test_mead_drops_what_lies_elsewhere(tree: Tree):
    folder = tree(
        "M003/video/front/sad/level_2/001.mp4", "M003/extra/x.mp4", "M003/video/front/smug/level_1/001.mp4"
    )
    reasons = read_mead(folder).dropped
    assert reasons[folder / "M003/extra/x.mp4"] == "it does not lie where MEAD has videos or sounds"
    assert reasons[folder / "M003/video/front/smug/level_1/001.mp4"] == "smug is not one of MEAD's emotions"


def test_ravdess_is_read_from_its_folders_and_from_a_flat_one(tree: Tree):
    folder = tree("Actor_02/03-01-06-02-01-01-02.wav", "03-01-02-01-02-02-11.wav")
    assert labels(read_ravdess(folder)) == [
        ("Actor_11", "calm", 1, "02"),
        ("Actor_02", "fear", 2, "01"),
    ]


def test_ravdess_takes_each_performance_once(tree: Tree):
    folder = tree(
        "01-01-01-01-01-01-01.mp4", "02-01-01-01-01-01-01.mp4", "03-01-01-01-01-01-01.wav",
        "02-01-01-01-01-02-01.mp4", "03-01-01-01-01-02-01.wav",
        "03-02-03-01-01-02-01.wav", "notes.wav",
    )  # fmt: skip
    listing = read_ravdess(folder)
    assert [parts(folder, recording) for recording in listing.recordings] == [
        ("01-01-01-01-01-01-01.mp4", None),
        ("02-01-01-01-01-02-01.mp4", "03-01-01-01-01-02-01.wav"),
    ]
    assert dropped(listing)["03-02-03-01-01-02-01.wav"] == "it is sung"
    assert dropped(listing)["notes.wav"] == "its name is not one of RAVDESS"
    assert "same take" in dropped(listing)["03-01-01-01-01-01-01.wav"]
    assert len(listing.dropped) == 4


def test_parts_of_a_data_set_may_lie_in_folders_of_their_own(tree: Tree):
    folder = tree(
        "sound/03-01-01-01-01-01-01.wav", "picture/02-01-01-01-01-01-01.mp4", "other/AudioWAV/1001_IEO_ANG_HI.wav",
        "other/VideoFlash/1001_IEO_ANG_HI.flv", "M003a/M003/video/front/sad/level_2/001.mp4",
        "M003b/M003/audio/sad/level_2/001.m4a", "M003c/M003/audio/sad/level_2/001.m4a",
    )  # fmt: skip
    [take] = read_ravdess(folder / "sound", folder / "picture").recordings
    assert parts(folder, take) == ("picture/02-01-01-01-01-01-01.mp4", "sound/03-01-01-01-01-01-01.wav")
    assert (
        read_ravdess(folder / "sound", folder / "sound").recordings
        == read_ravdess(folder / "sound").recordings
    )
    [clip] = read_cremad(folder / "other" / "AudioWAV", folder / "other" / "VideoFlash").recordings
    assert clip.video is not None and clip.audio is not None
    listing = read_mead(folder / "M003a", folder / "M003b", folder / "M003c")
    [clip] = listing.recordings
    assert (clip.video is not None, clip.audio) == (True, folder / "M003b/M003/audio/sad/level_2/001.m4a")
    assert "has the same name" in dropped(listing)["001.m4a"]
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=r"nothing to prepare in .*empty"):
        read_ravdess(folder / "sound", folder / "empty")


def test_cremad_joins_picture_and_sound(tree: Tree):
    folder = tree(
        "AudioWAV/1001_IEO_ANG_HI.wav", "VideoFlash/1001_IEO_ANG_HI.flv", "AudioWAV/1002_DFA_NEU_XX.wav",
        "VideoFlash/1003_TIE_SAD_MD.flv", "AudioWAV/readme.wav",
    )  # fmt: skip
    listing = read_cremad(folder)
    assert labels(listing) == [
        ("1001", "angry", 3, "IEO"),
        ("1002", "neutral", None, "DFA"),
        ("1003", "sad", 2, "TIE"),
    ]
    assert parts(folder, listing.recordings[0]) == (
        "VideoFlash/1001_IEO_ANG_HI.flv",
        "AudioWAV/1001_IEO_ANG_HI.wav",
    )
    assert dropped(listing) == {"readme.wav": "its name is not one of CREMA-D"}


def test_emodb_keeps_boredom_under_its_own_name(tree: Tree):
    folder = tree("wav/03a01Wa.wav", "wav/16b10Lb.wav", "wav/16b10.wav")
    listing = read_emodb(folder)
    assert labels(listing) == [("03", "angry", None, "a01"), ("16", "bored", None, "b10")]
    assert dropped(listing) == {"16b10.wav": "its name is not one of EmoDB"}
    assert not any(recording.phones for recording in listing.recordings)


def test_emodb_reads_where_labelled_phones_begin(tree: Tree):
    folder = tree("03a01Wa.wav", "lablaut/03a01Waxx.lablaut")
    lines = (
        "nfields 1",
        "#",
        "  0.10 -1 .",
        "  0.25 -1 a\t\t2",
        "  0.30 -1 \t+hoe",
        "  0.40 -1 !p\t+na",
        "0.5 -1 -sth",
        "",
        "x",
    )
    (folder / "lablaut" / "03a01Waxx.lablaut").write_text("\n".join(lines))
    [recording] = read_emodb(folder).recordings
    assert recording.phones == (("SIL", 0.1, 0.25), ("AA", 0.25, 0.3), ("P", 0.4, 0.5))


def test_every_phone_of_the_german_labels_has_a_class_of_mouth_shapes():
    parts = [part for phone in SAMPA.values() for part in GLIDES.get(phone, (phone,))]
    assert UNLABELLED not in map(viseme_of, parts)


def test_a_folder_of_ones_own(tree: Tree):
    folder = tree("anna/a.mp4", "anna/a.wav", "anna/b.mp4", "bert/c.flac")
    (folder / "anna" / "b.align").write_text("0 12500 sil\n12500 25000 bin\n\n")
    recordings = read_folder(folder).recordings
    assert [(r.name, r.speaker, *parts(folder, r)) for r in recordings] == [
        ("anna__a", "anna", "anna/a.mp4", "anna/a.wav"),
        ("anna__b", "anna", "anna/b.mp4", None),
        ("bert__c", "bert", None, "bert/c.flac"),
    ]
    assert recordings[1].words == ((0.0, 0.5, "sil"), (0.5, 1.0, "bin"))
    assert [recording.transcript for recording in recordings] == [None, "bin", None]
    (folder / "anna" / "b.txt").write_text("Bin it.\n")
    assert read_folder(folder).recordings[1].transcript == "Bin it."
    assert {r.speaker for r in read_folder(folder, speaker="file").recordings} == {"a", "b", "c"}


@pytest.mark.parametrize("beside", ["a.txt", "a.align"])
def test_clip_is_dropped_when_what_is_said_cannot_be_read(beside: str, tree: Tree):
    folder = tree("anna/a.mp4", "anna/b.mp4")
    (folder / "anna" / beside).write_bytes("gr\u00fc\u00df dich".encode("latin-1"))
    listing = read_folder(folder)
    assert [recording.name for recording in listing.recordings] == ["anna__b"]
    assert "cannot be read" in dropped(listing)["a.mp4"]
    (folder / "anna" / "b.align").write_text("0 soon hello\n")
    with pytest.raises(InputError, match="left out: what is said in it"):
        read_folder(folder)


@pytest.mark.parametrize("reader", READERS.values())
def test_an_empty_folder_is_told_what_was_expected(reader: Callable[[Path], Listing], tmp_path: Path):
    with pytest.raises(InputError, match="expected") as told:
        reader(tmp_path)
    assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="there is no file or folder"):
        reader(tmp_path / "none")


@pytest.mark.parametrize("layout", ["mead", "ravdess", "cremad", "emodb"])
def test_another_data_set_is_told_what_was_expected(layout: str, tree: Tree):
    folder = tree("one/film.mp4", "one/sound.wav")
    with pytest.raises(InputError, match=rf"(?i)expected {layout[:4]}.*was left out: it") as told:
        READERS[layout](folder)
    assert str(folder) in str(told.value)


@pytest.mark.parametrize("read", [read_ravdess, read_cremad, read_emodb])
def test_files_of_the_same_name_are_read_once(read: Callable[[Path], Listing], tree: Tree):
    names = {
        read_ravdess: "03-01-05-01-01-01-01.wav", read_cremad: "1001_IEO_ANG_HI.wav", read_emodb: "03a01Wa.wav"
    }  # fmt: skip
    listing = read(tree(f"one/{names[read]}", f"two/{names[read]}"))
    assert len(listing.recordings) == 1
    [reason] = listing.dropped.values()
    assert "has the same name" in reason


@pytest.mark.parametrize(
    ("layout", "folder", "clips", "speakers", "emotions"),
    [("mead", "mead", 16, 2, 8), ("ravdess", "ravdess", 1200, 20, 8), ("emodb", "emodb", 408, 8, 7)],
)
def test_the_data_sets_at_hand(layout: str, folder: str, clips: int, speakers: int, emotions: int):
    if not (DATA / folder).is_dir():
        pytest.skip(f"there is no folder {DATA / folder}")
    recordings = READERS[layout](DATA / folder).recordings
    assert len(recordings) == len({recording.name for recording in recordings}) == clips
    assert len({recording.speaker for recording in recordings}) == speakers
    assert len({recording.emotion for recording in recordings}) == emotions
    if layout != "mead":
        unknown = [r.name for r in recordings if not (r.phones or r.transcript)]
        assert unknown == (["08a01Ab", "08a01Wa"] if layout == "emodb" else [])  # their label files are empty


def test_a_ravdess_film_without_its_folder():
    film = DATA / "talk" / "01-01-01-01-01-01-01.mp4"
    if not film.exists():
        pytest.skip(f"there is no file {film}")
    [recording] = read_ravdess(film).recordings
    assert (recording.speaker, recording.emotion, recording.video) == ("Actor_01", "neutral", film)
