import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evp.errors import OutputError, PortraitError
from evp.face.crop import face_boxes
from evp.media import FilmWriter, read_frames
from evp.portrait import bundle
from evp.portrait.bundle import (
    FOOTAGE,
    KEYFRAME_EVERY,
    MANIFEST,
    RENDERER,
    SHEET,
    SOURCES,
    TRACK,
    Portrait,
    read_manifest,
)
from tiny import actor, number, numbered, portrait


@pytest.fixture(scope="module")
def drawn() -> Portrait:
    return portrait(30, weights=b"a network")


@pytest.fixture
def saved(drawn: Portrait, tmp_path: Path) -> Path:
    drawn.save(tmp_path / "a.evp")
    return tmp_path / "a.evp"


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """The bundle with its members changed, as a ZIP archive that is in order."""
    changed = members(path)
    change(changed)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in changed.items():
            archive.writestr(name, data)
    return path


def redescribed(path: Path, **changes: Any) -> Path:
    """The bundle with a changed description."""

    def change(content: dict[str, bytes]) -> None:
        content[MANIFEST] = json.dumps(json.loads(content[MANIFEST]) | changes).encode()

    return rewritten(path, change)


def test_what_was_saved_is_what_is_opened(drawn: Portrait, saved: Path):
    again = Portrait.open(saved)
    assert again.manifest == drawn.manifest
    assert (again.footage, again.weights, again.sheet) == (drawn.footage, drawn.weights, drawn.sheet)
    np.testing.assert_array_equal(again.head.neutral, drawn.head.neutral)
    assert again.head.displacement.dtype == np.float32
    # kept in half precision: 0.0001 face heights, a tenth of a pixel of a face 1000 pixels high
    np.testing.assert_allclose(again.head.displacement, drawn.head.displacement, atol=1e-4)
    for name in ("scale", "rotation", "shift"):
        np.testing.assert_array_equal(getattr(again.head.pose, name), getattr(drawn.head.pose, name))
    np.testing.assert_array_equal(again.sources.frames, drawn.sources.frames)
    assert len(again.sources.pictures) == len(drawn.sources.pictures)
    for k in range(len(again.sources.frames)):
        np.testing.assert_array_equal(again.source(k).picture, drawn.source(k).picture)


def test_quick_portrait_without_sheet(tmp_path: Path):
    replace(portrait(30), sheet=None).save(tmp_path / "q.evp")
    assert set(members(tmp_path / "q.evp")) == {MANIFEST, FOOTAGE, TRACK, SOURCES}
    again = Portrait.open(tmp_path / "q.evp")
    assert again.weights is None
    assert again.sheet is None
    assert again.manifest.quick


def test_consent_travels_word_for_word(saved: Path):
    consent = Portrait.open(saved).manifest.consent
    assert consent.statement == "drawn by the tests, which agree"
    assert consent.recorded == "2024-05-06T07:08:09+00:00"
    assert read_manifest(saved)["consent"]["statement"] == consent.statement


def test_bundle_is_a_plain_archive_that_describes_itself(saved: Path):
    assert set(members(saved)) == {MANIFEST, FOOTAGE, TRACK, SOURCES, RENDERER, SHEET}
    described = json.loads(members(saved)[MANIFEST])
    assert described["kind"] == "evp portrait"
    assert described["frames"] == 30
    assert described["size"] == [128, 144]


def test_saving_replaces_and_leaves_no_partial_file(drawn: Portrait, saved: Path):
    drawn.save(saved)
    assert [path.name for path in saved.parent.iterdir()] == ["a.evp"]


def test_failed_save_leaves_the_old_portrait_and_no_partial_file(
    drawn: Portrait, saved: Path, monkeypatch: pytest.MonkeyPatch
):
    before = saved.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle.zipfile.ZipFile, "writestr", full)
    with pytest.raises(OutputError, match="No space left"):
        drawn.save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["a.evp"]


def test_missing_folder_is_an_output_error(drawn: Portrait, tmp_path: Path):
    with pytest.raises(OutputError):
        drawn.save(tmp_path / "none" / "a.evp")


def test_missing_portrait(tmp_path: Path):
    with pytest.raises(PortraitError, match="there is no portrait"):
        Portrait.open(tmp_path / "none.evp")


def test_folder_is_no_portrait(tmp_path: Path):
    with pytest.raises(PortraitError, match="folder"):
        Portrait.open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"some text", b"PK\x03\x04" + bytes(50)])
def test_other_file_is_no_portrait(tmp_path: Path, content: bytes):
    (tmp_path / "a.evp").write_bytes(content)
    with pytest.raises(PortraitError, match="not a portrait"):
        Portrait.open(tmp_path / "a.evp")


@pytest.mark.parametrize(
    "described", [None, b"{}", b"[1, 2]", b"no json", b'{"kind": "photo album", "format": 1}', b"\xff\xfe"]
)
def test_foreign_archive_is_no_portrait(tmp_path: Path, described: bytes | None):
    with zipfile.ZipFile(tmp_path / "a.evp", "w") as archive:
        archive.writestr("readme.txt", "hello")
        if described is not None:
            archive.writestr(MANIFEST, described)
    with pytest.raises(PortraitError, match="not a portrait"):
        Portrait.open(tmp_path / "a.evp")


def test_cut_off_portrait(saved: Path):
    saved.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    with pytest.raises(PortraitError):
        Portrait.open(saved)


def test_flipped_byte_in_the_middle_of_every_member(saved: Path):
    whole = saved.read_bytes()
    with zipfile.ZipFile(saved) as archive:
        places = [
            info.header_offset + 30 + len(info.filename) + info.file_size // 2 for info in archive.infolist()
        ]
    for place in places:
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(PortraitError):
            Portrait.open(saved)


def test_flipped_byte_anywhere_in_the_headers_is_a_portrait_error_or_harmless(saved: Path):
    whole = saved.read_bytes()
    with zipfile.ZipFile(saved) as archive:
        places = [info.header_offset + k for info in archive.infolist() for k in range(30)]
        places += range(archive.start_dir, len(whole))
    for place in places:
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with suppress(PortraitError):
            assert Portrait.open(saved).manifest.frames == 30


@pytest.mark.parametrize("name", [FOOTAGE, TRACK, SOURCES, RENDERER, SHEET])
def test_replaced_member_is_damage(saved: Path, name: str):
    rewritten(saved, lambda content: content.update({name: b"something else"}))
    with pytest.raises(PortraitError, match=f"damaged: {name}"):
        Portrait.open(saved)


@pytest.mark.parametrize("name", [FOOTAGE, TRACK, SOURCES, RENDERER])
def test_missing_member(saved: Path, name: str):
    rewritten(saved, lambda content: content.pop(name))
    with pytest.raises(PortraitError, match="broken"):
        Portrait.open(saved)


@pytest.mark.parametrize("name", [FOOTAGE, TRACK, SOURCES])
def test_member_that_the_description_does_not_know(saved: Path, name: str):
    sums = json.loads(members(saved)[MANIFEST])["sha256"]
    redescribed(saved, sha256={key: value for key, value in sums.items() if key != name})
    with pytest.raises(PortraitError, match="broken"):
        Portrait.open(saved)


def test_newer_format_asks_for_an_update(saved: Path):
    redescribed(saved, format=99)
    with pytest.raises(PortraitError, match=r"format 99.*update"):
        Portrait.open(saved)


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": 31},
        {"consent": {}},
        {"consent": "yes"},
        {"size": 3},
        {"format": "x"},
        {"sha256": []},
        {"sha256": None},
    ],
)
def test_description_that_does_not_fit(saved: Path, changes: dict[str, Any]):
    redescribed(saved, **changes)
    with pytest.raises(PortraitError, match=r"broken|not a portrait"):
        Portrait.open(saved)


def with_footage(folder: Path, pictures: list[np.ndarray]) -> Portrait:
    """A portrait whose pictures carry their number."""
    height, width = pictures[0].shape[:2]
    film = folder / "footage.mp4"
    with FilmWriter(film, width, height, None, crf=8, keyframe_every=KEYFRAME_EVERY) as writer:
        for picture in pictures:
            writer.write(picture)
    still = portrait(len(pictures))
    return replace(still, footage=film.read_bytes(), manifest=replace(still.manifest, size=(height, width)))


@pytest.mark.parametrize("frames", [30, 36, 37])
def test_play_goes_to_and_fro_without_a_jump(frames: int, tmp_path: Path):
    playing = with_footage(tmp_path, numbered(frames, 48, 50))
    first, last = playing.turns
    assert 0 <= first < 0.2 * frames
    assert 0.8 * frames < last < frames
    period = 2 * (last - first)
    played = list(islice(playing.play(), 3 * period + 1))
    numbers = [frame for frame, _ in played]
    assert {abs(b - a) for a, b in zip(numbers[:-1], numbers[1:], strict=True)} == {1}
    assert (min(numbers), max(numbers)) == (first, last)
    assert numbers[:period] == numbers[period : 2 * period] == numbers[2 * period : 3 * period]
    for frame, picture in played:
        assert picture.shape == (48, 50, 3)
        assert number(picture) == frame


def test_only_the_longest_shot_plays(tmp_path: Path):
    pictures = [
        *numbered(10, 48, 50),
        *(255 - picture for picture in numbered(40, 48, 50)[10:]),
    ]  # a scene change
    playing = with_footage(tmp_path, pictures)
    playing = replace(playing, manifest=replace(playing.manifest, shots=((0, 10), (10, 40))))
    first, last = playing.turns
    assert 10 <= first < 16
    assert 34 < last < 40
    played = list(islice(playing.play(), 3 * 2 * (last - first) + 1))
    numbers = [frame for frame, _ in played]
    assert {abs(b - a) for a, b in zip(numbers[:-1], numbers[1:], strict=True)} == {1}
    assert (min(numbers), max(numbers)) == (first, last)
    for frame, picture in played:
        np.testing.assert_allclose(picture.astype(int).mean(), pictures[frame].mean(), atol=1.9)


def test_crops_of_every_shot_are_its_own():
    whole = portrait(30)
    parts = replace(whole, manifest=replace(whole.manifest, shots=((0, 12), (12, 30))))
    alone = [face_boxes(whole.head.pose[begin:end]) for begin, end in ((0, 12), (12, 30))]
    assert parts.boxes == alone[0] + alone[1]
    assert whole.shots == ((0, 30),)


def test_crops_stay_where_they_were_cut(tmp_path: Path):
    """Also when the head's pose has changed since, as it does when the frames are registered."""
    drawn = portrait(30)
    moved = replace(drawn.head.pose, shift=drawn.head.pose.shift + 3)
    later = replace(drawn, head=replace(drawn.head, pose=moved), cuts=tuple(drawn.boxes))
    later.save(tmp_path / "a.evp")
    assert Portrait.open(tmp_path / "a.evp").boxes == drawn.boxes
    assert replace(later, cuts=()).boxes != drawn.boxes


def test_older_bundle_cuts_where_its_head_is(drawn: Portrait, saved: Path):
    def older(content: dict[str, bytes]) -> None:
        with np.load(io.BytesIO(content[TRACK])) as track:
            kept = {name: track[name] for name in track.files if name != "boxes"}
        stream = io.BytesIO()
        np.savez(stream, **kept)
        content[TRACK] = stream.getvalue()
        described = json.loads(content[MANIFEST])
        described["sha256"][TRACK] = hashlib.sha256(content[TRACK]).hexdigest()
        content[MANIFEST] = json.dumps(described | {"format": 1}).encode()

    again = Portrait.open(rewritten(saved, older))
    assert again.cuts == ()
    assert again.boxes == drawn.boxes


def test_shots_are_kept(tmp_path: Path):
    whole = portrait(30)
    parts = replace(whole, manifest=replace(whole.manifest, shots=((0, 12), (12, 30))))
    parts.save(tmp_path / "a.evp")
    assert Portrait.open(tmp_path / "a.evp").shots == ((0, 12), (12, 30))


def test_odd_footage_plays_in_its_own_size(tmp_path: Path):
    playing = with_footage(tmp_path, numbered(30, 47, 51))
    assert {picture.shape for _, picture in islice(playing.play(), 60)} == {(47, 51, 3)}


def test_it_turns_at_quiet_moments():
    person = portrait(60)
    shift = np.zeros((60, 3))
    shift[:, 0] = np.cumsum(np.where(np.isin(np.arange(60), [*range(4, 9), *range(52, 57)]), 0.0, 3.0))
    pose = replace(person.head.pose, shift=shift, rotation=np.tile(np.eye(3), (60, 1, 1)))
    first, last = replace(person, head=replace(person.head, pose=pose)).turns
    assert 4 <= first <= 8
    assert 51 <= last <= 57


def test_landmarks_and_views_belong_to_the_frames(drawn: Portrait):
    np.testing.assert_allclose(drawn.landmarks, actor(30).landmarks, atol=1e-3)
    frame = list(read_frames(io.BytesIO(drawn.footage)))[6]
    box = drawn.boxes[6]
    source = drawn.source(2)  # frame 6
    assert source.size == box.size
    np.testing.assert_allclose(source.landmarks, box.points(drawn.landmarks[6]))
    assert np.abs(source.picture.astype(int) - box.cut(frame)).mean() < 6


@pytest.mark.parametrize("frames", [5, 40])
def test_any_picture_can_be_had_alone(frames: int, tmp_path: Path):
    moving = with_footage(tmp_path, numbered(frames))
    for place, (frame, picture) in enumerate(islice(moving.play_stored(), 3 * frames)):
        assert moving.played(place) == frame
        np.testing.assert_array_equal(moving.picture(frame).planes, picture.planes)


def test_picture_that_is_kept_cannot_be_spoiled(drawn: Portrait):
    with pytest.raises(ValueError, match="read-only"):
        drawn.picture(3).planes[:] = 0
