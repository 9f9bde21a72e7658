import functools
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from evp.clock import SAMPLES_PER_FRAME
from evp.corpora import prepare
from evp.corpora.manifest import Manifest
from evp.corpora.phones import Phone, stored_phones
from evp.corpora.prepare import PrepareConfig, prepare_corpus
from evp.corpora.readers.folder import read_folder
from evp.corpora.readers.mead import read_mead
from evp.corpora.readers.ravdess import read_ravdess
from evp.corpora.recording import Listing
from evp.errors import FaceError, InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import MESH_POINTS, mouth_opening
from evp.face.tracking import Track
from evp.render.dataset import Crops
from tiny import actor, tone, write_actor, write_media

DATA = Path(__file__).parents[3] / "shared" / "data"
FRAMES = 30
COMPONENTS = len(FaceBasis.load().components)


@dataclass
class Tracker:
    """Stands in for track_faces: it knows the drawn person, and finds no face in a picture that is dark."""

    lost: tuple[int, ...] = ()
    calls: int = 0
    stop_at: int = -1
    seen: list[int] = field(default_factory=list)

    def __call__(self, frames: Iterable[np.ndarray]) -> Track:
        pictures = list(frames)
        self.calls += 1
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        self.seen.append(len(pictures))
        if pictures[0].mean() < 20:
            raise FaceError("no face was found in the footage")
        track = actor(FRAMES).track()
        reasons = tuple("no face" if n in self.lost else "" for n in range(FRAMES))
        landmarks = track.landmarks.copy()
        landmarks[list(self.lost)] = np.nan
        return replace(track, landmarks=landmarks, reasons=reasons)


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> Tracker:
    planted = Tracker()
    monkeypatch.setattr(prepare, "track_faces", planted)
    return planted


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers: s1 with a recording and an alignment, s2 with a silent recording."""
    folder = tmp_path_factory.mktemp("recordings")
    for speaker in ("s1", "s2"):
        (folder / speaker).mkdir()
    write_actor(folder / "s1" / "talks.mp4", actor(FRAMES), tone(1.0))
    (folder / "s1" / "talks.align").write_text("0 12500 sil\n12500 25000 bin\n\n")
    write_actor(folder / "s2" / "silent.mp4", actor(FRAMES))
    return folder


def stored(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


def test_recordings_become_archives(recordings: Path, tracker: Tracker, tmp_path: Path):
    seen: list[tuple[int, int]] = []
    output = tmp_path / "corpus"
    manifest = prepare_corpus(read_folder, [recordings], output, progress=lambda *told: seen.append(told))
    assert Manifest.read(output) == manifest
    assert [(c.file, c.speaker, c.source, c.frames) for c in manifest.clips] == [
        ("s1__talks.npz", "s1", "talks.mp4", FRAMES),
        ("s2__silent.npz", "s2", "silent.mp4", FRAMES),
    ]
    assert manifest.dropped == {}
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert tracker.seen == [FRAMES, FRAMES]
    assert sorted(path.name for path in output.iterdir()) == [
        "manifest.json",
        "s1__talks.npz",
        "s2__silent.npz",
    ]

    clip = stored(output / "s1__talks.npz")
    assert clip["coefficients"].shape == (FRAMES, COMPONENTS)
    assert clip["landmarks"].shape == (FRAMES, MESH_POINTS, 3)
    assert clip["angles"].shape == (FRAMES, 3)
    assert clip["valid"].all()
    np.testing.assert_allclose(clip["opening"], mouth_opening(clip["landmarks"]), atol=1e-6)
    np.testing.assert_allclose(clip["angles"], actor(FRAMES).head.pose.angles(), atol=3)
    assert np.corrcoef(clip["coefficients"][:, 0], actor(FRAMES).coefficients[:, 0])[0, 1] > 0.95


def test_a_transcript_that_is_not_said_is_no_reason_to_drop_a_recording(tmp_path: Path):
    write_media(tmp_path / "a.wav", waveform=tone(1.0))
    (tmp_path / "a.txt").write_text("xyzzyq")
    [clip] = prepare_corpus(read_folder, [tmp_path], tmp_path / "c").clips
    assert clip.voiced
    assert "phones" not in stored(tmp_path / "c" / clip.file)


def test_words_come_from_the_alignment(recordings: Path, tracker: Tracker, tmp_path: Path):
    words = {c.speaker: c.words for c in prepare_corpus(read_folder, [recordings], tmp_path / "c").clips}
    assert words == {"s1": ((0.0, 0.5, "sil"), (0.5, 1.0, "bin")), "s2": ()}
    assert tracker.calls == 2


def test_sound_is_exactly_as_long_as_the_frames(recordings: Path, tracker: Tracker, tmp_path: Path):
    prepare_corpus(read_folder, [recordings], tmp_path / "c")
    assert tracker.calls == 2
    waveform = stored(tmp_path / "c" / "s1__talks.npz")["waveform"]
    assert waveform.shape == (FRAMES * SAMPLES_PER_FRAME,)  # 1.2 s of pictures, 1 s of sound
    assert np.abs(waveform[:15000]).max() > 0.3
    assert not waveform[17000:].any()
    assert stored(tmp_path / "c" / "s2__silent.npz")["waveform"].shape == (0,)


def test_longer_sound_is_cut(tracker: Tracker, tmp_path: Path):
    (tmp_path / "s").mkdir()
    write_actor(tmp_path / "s" / "a.mp4", actor(FRAMES), tone(2.0))
    prepare_corpus(read_folder, [tmp_path / "s"], tmp_path / "c")
    frames = tracker.seen[0]
    waveform = stored(tmp_path / "c" / "s__a.npz")["waveform"]
    assert waveform.shape == (frames * SAMPLES_PER_FRAME,)


def test_crops_are_what_the_renderer_reads(recordings: Path, tracker: Tracker, tmp_path: Path):
    prepare_corpus(read_folder, [recordings / "s1"], tmp_path / "c", PrepareConfig(crops=10))
    assert tracker.calls == 1
    training, held_out = Crops.read([tmp_path / "c" / "s1__talks.npz"])
    assert len(training) + len(held_out) == 10
    assert training.frame.max() < 0.8 * FRAMES <= held_out.frame.min()
    view = training.view(3)
    mouth = view.landmarks[[61, 291, 0, 17], :2].mean(axis=0).round().astype(int)
    red, green, _ = (
        view.picture[mouth[1] - 6 : mouth[1] + 6, mouth[0] - 6 : mouth[0] + 6].reshape(-1, 3).mean(axis=0)
    )
    assert red > 1.7 * green  # lips, not skin: the landmarks belong to the picture
    forehead = view.landmarks[151, :2].round().astype(int)
    np.testing.assert_allclose(view.picture[forehead[1], forehead[0]], (210, 160, 130), atol=15)


def test_lost_frames_are_marked_and_give_no_crops(recordings: Path, tracker: Tracker, tmp_path: Path):
    tracker.lost = (5, 6)
    prepare_corpus(read_folder, [recordings / "s1"], tmp_path / "c")
    clip = stored(tmp_path / "c" / "s1__talks.npz")
    assert np.flatnonzero(~clip["valid"]).tolist() == [5, 6]
    assert not {5, 6} & set(clip["crop_frames"].tolist())
    assert np.isfinite(clip["coefficients"]).all()
    np.testing.assert_array_equal(clip["coefficients"][5], clip["coefficients"][4])  # the nearest one


def test_unusable_recordings_are_dropped_with_their_reasons(
    recordings: Path, tracker: Tracker, tmp_path: Path
):
    folder = tmp_path / "s3"
    shutil.copytree(recordings / "s1", folder)
    (folder / "broken.mp4").write_bytes(b"no film")
    write_media(folder / "dark.mp4", [np.zeros((64, 64, 3), np.uint8)] * 5)
    manifest = prepare_corpus(read_folder, [folder], tmp_path / "c")
    assert [clip.source for clip in manifest.clips] == ["talks.mp4"]
    assert tracker.calls == 2  # a file that is no film is not looked at
    assert set(manifest.dropped) == {str(folder / "broken.mp4"), str(folder / "dark.mp4")}
    assert "no face" in manifest.dropped[str(folder / "dark.mp4")]
    assert Manifest.read(tmp_path / "c").dropped == manifest.dropped


def test_recording_with_few_faces_is_dropped(recordings: Path, tracker: Tracker, tmp_path: Path):
    tracker.lost = tuple(range(10))
    with pytest.raises(InputError, match="none of these recordings can be used: only 20 frames show a face"):
        prepare_corpus(read_folder, [recordings / "s2"], tmp_path / "c")
    manifest = Manifest.read(tmp_path / "c")
    assert manifest.clips == ()
    assert list(manifest.dropped.values()) == ["only 20 frames show a face"]


def test_interrupted_run_goes_on(recordings: Path, tracker: Tracker, tmp_path: Path):
    tracker.stop_at = 2
    with pytest.raises(KeyboardInterrupt):
        prepare_corpus(read_folder, [recordings], tmp_path / "c")
    tracker.calls, tracker.stop_at = 0, -1
    manifest = prepare_corpus(read_folder, [recordings], tmp_path / "c")
    assert tracker.calls == 1  # the first recording is not tracked again
    assert len(manifest.clips) == 2


def test_prepared_corpus_is_not_made_again_and_grows(recordings: Path, tracker: Tracker, tmp_path: Path):
    output = tmp_path / "c"
    first = prepare_corpus(read_folder, [recordings / "s1"], output)
    before = (output / "s1__talks.npz").stat().st_mtime_ns
    both = prepare_corpus(read_folder, [recordings / "s1", recordings / "s2"], output)
    assert (output / "s1__talks.npz").stat().st_mtime_ns == before
    assert both.clips[0] == first.clips[0]
    assert len(both.clips) == 2
    assert tracker.calls == 2  # once for each recording


def test_recordings_that_would_have_the_same_name_are_refused(
    recordings: Path, tracker: Tracker, tmp_path: Path
):
    for place in ("one", "other"):
        shutil.copytree(recordings / "s1", tmp_path / place / "s1")
    with pytest.raises(InputError, match=r"one/s1/talks\.mp4 and .*other/s1/talks\.mp4"):
        prepare_corpus(read_folder, [tmp_path / "one", tmp_path / "other"], tmp_path / "c")
    assert tracker.calls == 0


def test_every_file_may_be_another_person(recordings: Path, tracker: Tracker, tmp_path: Path):
    manifest = prepare_corpus(
        functools.partial(read_folder, speaker="file"),
        [recordings / "s1" / "talks.mp4", recordings / "s2"],
        tmp_path / "c",
    )
    assert tracker.calls == 2
    assert {clip.speaker for clip in manifest.clips} == {"talks", "silent"}


def emotional(folder: Path) -> Path:
    """Six voices, each happy and neutral, in the layout of RAVDESS."""
    for actor_number in range(1, 7):
        for emotion in ("01", "03"):
            write_media(
                folder / f"03-01-{emotion}-01-02-01-{actor_number:02d}.wav",
                waveform=tone(0.5, 100 * actor_number),
            )
    return folder


def test_sound_without_picture_is_kept_as_it_is(tracker: Tracker, tmp_path: Path):
    manifest = prepare_corpus(read_ravdess, [emotional(tmp_path)], tmp_path / "c")
    assert tracker.calls == 0
    first = manifest.clips[0]
    assert (first.frames, first.filmed, first.voiced) == (
        13,
        False,
        True,
    )  # 12.5 frames: the last one has begun
    assert (first.speaker, first.emotion, first.intensity, first.sentence) == ("Actor_01", "neutral", 1, "02")
    clip = stored(tmp_path / "c" / first.file)
    assert set(clip) == {"waveform", "frames"}
    assert clip["waveform"].dtype == np.float32
    np.testing.assert_allclose(clip["waveform"], tone(0.5, 100), atol=1e-4)


def test_no_speaker_is_in_two_splits(tmp_path: Path):
    manifest = prepare_corpus(read_ravdess, [emotional(tmp_path)], tmp_path / "c", PrepareConfig(test=0.3))
    splits: dict[str, set[str]] = {}
    for clip in manifest.clips:
        splits.setdefault(clip.speaker, set()).add(clip.split)
    assert all(len(names) == 1 for names in splits.values())
    assert sorted(name for names in splits.values() for name in names) == [
        *["test"] * 2, *["train"] * 3, "validation"
    ]  # fmt: skip
    again = prepare_corpus(read_ravdess, [tmp_path], tmp_path / "c", PrepareConfig(test=0, validation=0))
    assert again.clips == manifest.clips  # who was kept aside once stays there


def test_sentence_may_be_held_out(tmp_path: Path):
    config = PrepareConfig(validation=0, held_out_sentences=("02",))
    manifest = prepare_corpus(read_ravdess, [emotional(tmp_path)], tmp_path / "c", config)
    assert {clip.split for clip in manifest.clips} == {"test"}
    assert len(manifest.dropped) == 10
    assert set(manifest.dropped.values()) == {"the sentence 02 is held out for testing"}
    everything = prepare_corpus(read_ravdess, [tmp_path], tmp_path / "c")
    assert (len(everything.clips), everything.dropped) == (12, {})
    assert prepare_corpus(read_ravdess, [tmp_path], tmp_path / "c", config) == manifest


def test_silent_sound_is_dropped_with_its_reason(tmp_path: Path):
    emotional(tmp_path)
    write_media(tmp_path / "03-01-05-01-01-01-01.wav", waveform=0 * tone(0.5))
    manifest = prepare_corpus(read_ravdess, [tmp_path], tmp_path / "c")
    assert len(manifest.clips) == 12
    [reason] = manifest.dropped.values()
    assert "silent" in reason


def test_interrupted_sounds_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    heard: list[Path] = []

    def interrupted(path: Path) -> np.ndarray:
        if len(heard) == 5:
            raise KeyboardInterrupt
        heard.append(path)
        return tone(0.5)

    monkeypatch.setattr(prepare, "read_speech", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare_corpus(read_ravdess, [emotional(tmp_path)], tmp_path / "c")
    assert len(Manifest.read(tmp_path / "c").clips) == 4  # the speakers who are complete
    first, heard[:] = list(heard), []
    monkeypatch.setattr(prepare, "read_speech", lambda path: heard.append(path) or tone(0.5))
    assert len(prepare_corpus(read_ravdess, [tmp_path], tmp_path / "c").clips) == 12
    assert len(heard) == 7 and not set(heard) & set(first)


@pytest.mark.usefixtures("tracker")
def test_picture_and_sound_of_two_files_are_joined(recordings: Path, tmp_path: Path):
    shutil.copytree(recordings / "s2", tmp_path / "s2")
    write_media(tmp_path / "s2" / "silent.wav", waveform=tone(0.5))
    [clip] = prepare_corpus(read_folder, [tmp_path / "s2"], tmp_path / "c").clips
    assert (clip.source, clip.filmed, clip.voiced) == ("silent.mp4", True, True)
    waveform = stored(tmp_path / "c" / clip.file)["waveform"]
    assert waveform.shape == (FRAMES * SAMPLES_PER_FRAME,)
    np.testing.assert_allclose(waveform[:8000], tone(0.5), atol=1e-4)
    write_media(tmp_path / "s2" / "silent.wav", waveform=0 * tone(0.5))
    with pytest.raises(InputError, match=r"none of these recordings can be used: .*silent\.wav is silent"):
        prepare_corpus(read_folder, [tmp_path / "s2"], tmp_path / "d")


def test_neutral_face_is_that_of_neutral_clips(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def track(pictures: Iterable[np.ndarray]) -> Track:
        assert len(list(pictures)) == FRAMES
        return next(tracks)

    smile = 3 * FaceBasis.load().components[1]  # on the same person
    plain = actor(FRAMES).track()
    pose = actor(FRAMES).head.pose
    smiling = pose.project(actor(FRAMES).head.neutral + actor(FRAMES).head.displacement + smile)
    tracks = iter([replace(plain, landmarks=smiling.astype(np.float32)), plain])
    for emotion in ("happy", "neutral"):
        video = tmp_path / "M1" / "video" / "front" / emotion / "level_1" / "001.mp4"
        video.parent.mkdir(parents=True)
        shutil.copy(recordings / "s2" / "silent.mp4", video)
    monkeypatch.setattr(prepare, "track_faces", track)
    manifest = prepare_corpus(read_mead, [tmp_path], tmp_path / "c")
    assert [clip.emotion for clip in manifest.clips] == ["happy", "neutral"]
    happy, neutral = (stored(tmp_path / "c" / clip.file)["coefficients"][:, 1] for clip in manifest.clips)
    assert np.median(happy - neutral) > 2  # the smile is expression, not part of the person


def test_clip_of_mead_at_hand(tmp_path: Path):
    if not (DATA / "mead").is_dir():
        pytest.skip(f"there is no folder {DATA / 'mead'}")
    source = tmp_path / "M030" / "video" / "front" / "happy" / "level_3"
    source.mkdir(parents=True)
    shutil.copy(DATA / "mead/M030/video/front/happy/level_3/001.mp4", source)
    manifest = prepare_corpus(read_mead, [tmp_path], tmp_path / "c", PrepareConfig(crops=2))
    [clip] = manifest.clips
    assert (clip.speaker, clip.emotion, clip.filmed, clip.voiced) == ("M030", "happy", True, False)
    assert stored(tmp_path / "c" / clip.file)["valid"].mean() > 0.9


def test_ravdess_at_hand(tmp_path: Path):
    film = DATA / "talk" / "01-01-01-01-01-01-01.mp4"
    voice = DATA / "ravdess" / "Actor_02"
    if not film.exists() or not voice.is_dir():
        pytest.skip(f"there is no {film} or no {voice}")
    sources = [film, *sorted(voice.iterdir())[:3]]
    manifest = prepare_corpus(read_ravdess, sources, tmp_path / "c", PrepareConfig(crops=2))
    assert [(clip.speaker, clip.filmed, clip.voiced) for clip in manifest.clips] == [
        ("Actor_01", True, True),
        *[("Actor_02", False, True)] * 3,
    ]
    clip = stored(tmp_path / "c" / manifest.clips[0].file)
    assert clip["valid"].all() and clip["waveform"].shape == (len(clip["valid"]) * SAMPLES_PER_FRAME,)


@pytest.mark.parametrize(("planted", "found"), [(3, 3), (1, 0)])
def test_late_sound_is_moved_into_step(tracker: Tracker, tmp_path: Path, planted: int, found: int):
    (tmp_path / "s").mkdir()
    write_actor(tmp_path / "s" / "a.mp4", actor(FRAMES), tone(FRAMES / 25))
    opening = mouth_opening(actor(FRAMES).head.neutral + actor(FRAMES).head.displacement)

    def hear(waveform: np.ndarray) -> np.ndarray:
        assert waveform.shape == (FRAMES * SAMPLES_PER_FRAME,)
        return np.pad(opening, (planted, 0))[:FRAMES]

    def read(folder: Path) -> Listing:
        [recording] = read_folder(folder).recordings
        return Listing((replace(recording, phones=(Phone("M", 0.4, 0.6),)),))

    [clip] = prepare_corpus(read, [tmp_path / "s"], tmp_path / "c", hear_opening=hear).clips
    assert tracker.calls == 1
    assert clip.late == found
    archive = stored(tmp_path / "c" / clip.file)
    [(name, begin, end)] = stored_phones(archive)
    assert (name, begin, end) == ("M", pytest.approx(0.4 - found / 25), pytest.approx(0.6 - found / 25))
    waveform = archive["waveform"]
    silence = FRAMES * SAMPLES_PER_FRAME - found * SAMPLES_PER_FRAME
    assert np.abs(waveform[silence - 700 : silence]).max() > 0.3 and not waveform[silence:].any()


def test_silent_clips_may_get_sound(recordings: Path, tmp_path: Path, tracker: Tracker):
    pytest.importorskip("dtaidistance")
    for emotion, source in (("sad", "s1/talks.mp4"), ("happy", "s2/silent.mp4")):
        video = tmp_path / "M1" / "video" / "front" / emotion / "level_1" / "001.mp4"
        video.parent.mkdir(parents=True)
        shutil.copy(recordings / source, video)
    for _ in range(2):  # the mark is found again
        happy, sad = prepare_corpus(
            read_mead, [tmp_path], tmp_path / "c", PrepareConfig(lend_sound=True)
        ).clips
        assert (happy.voiced, happy.borrowed) == (True, True) and (sad.voiced, sad.borrowed) == (True, False)
        assert stored(tmp_path / "c" / happy.file)["waveform"].shape == (FRAMES * SAMPLES_PER_FRAME,)
    assert tracker.calls == 2


def test_contradictory_shares_are_refused():
    with pytest.raises(ValueError, match="train on"):
        PrepareConfig(validation=0.5, test=0.5)


def test_nothing_to_prepare(tmp_path: Path):
    with pytest.raises(InputError, match="expected videos or sound files"):
        prepare_corpus(read_folder, [tmp_path], tmp_path / "c")
    with pytest.raises(InputError, match="there is no file or folder"):
        prepare_corpus(read_folder, [tmp_path / "none"], tmp_path / "c")
    assert not (tmp_path / "c").exists()
