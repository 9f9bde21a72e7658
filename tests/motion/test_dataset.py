from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evp.audio.augment import AugmentConfig
from evp.clock import FRAME_RATE, SAMPLE_RATE, SAMPLES_PER_FRAME
from evp.corpora.manifest import ClipEntry, Manifest
from evp.emotion.space import CODE_SIZE
from evp.errors import InputError
from evp.motion.dataset import Batcher, _rest_envelope, read_clips, silent_ear, speech_labels
from evp.motion.visemes import BILABIAL, SILENCE, UNLABELLED

OFF = AugmentConfig(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
MOUTH = 4


def write_corpus(folder: Path) -> Path:
    """Two people with pulses of sound, their first coefficient 1 in a pulse; another rig; a voice without a face."""
    random = np.random.default_rng(0)
    clips = []
    for speaker, frames in (("anna", 60), ("bert", 100), ("rig", 70), ("voice", 80)):
        on = (np.arange(frames) // 10 % 2).astype(np.float32)
        sound = np.repeat(on, SAMPLES_PER_FRAME) * 0.1 * random.standard_normal(frames * SAMPLES_PER_FRAME)
        arrays = {"waveform": sound.astype(np.float32)}
        if speaker == "voice":
            times = np.arange(0, frames / FRAME_RATE + 0.1, 0.4)
            arrays |= {
                "phones": np.array([("SIL", "B")[k % 2] for k in range(len(times) - 1)]),
                "phone_times": np.stack([times[:-1], times[1:]], axis=1),
            }
        elif speaker == "rig":
            arrays |= {"auxiliary": np.stack([on, -on], axis=1)}
        else:
            coefficients = np.zeros((frames, MOUTH + 3), np.float32)
            coefficients[:, 0] = on
            arrays |= {"coefficients": coefficients, "valid": np.arange(frames) > 2}
        np.savez(folder / f"{speaker}.npz", **arrays)
        clips.append(ClipEntry(f"{speaker}.npz", speaker, "a.mp4", frames, filmed="valid" in arrays))
    Manifest(tuple(clips)).write(folder)
    return folder


def change(corpus: Path, speaker: str, **changes: Any) -> None:
    """Writes something else into the manifest about a speaker's clip."""
    clips = Manifest.read(corpus).clips
    Manifest(tuple(replace(clip, **changes) if clip.speaker == speaker else clip for clip in clips)).write(
        corpus
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path)


def batcher(corpus: Path, config: AugmentConfig = OFF) -> Batcher:
    return Batcher(read_clips(corpus, MOUTH), frames=50, size=6, unfilmed=1 / 3, balance=0.5, config=config)


def test_sound_and_mouth_stay_together(corpus: Path) -> None:
    batch = batcher(corpus).batch(0, 0)
    loud = batch.features[2:].reshape(4, 50, 4, -1).mean(axis=(2, 3)) > 1.5
    agree = (loud == (batch.coefficients[2:, :, 0] > 0.5))[batch.tracked[2:] == 1]
    assert len(agree) > 50 and agree.mean() > 0.9


def test_sound_without_a_face_brings_its_labels(corpus: Path) -> None:
    batch = batcher(corpus).batch(0, 0)
    assert not batch.tracked[:2].any() and not batch.auxiliary_known[:2].any()
    assert set(np.unique(batch.visemes[:2])) == {SILENCE, BILABIAL}


def test_the_ear_is_deaf_where_asked_and_hears_silence_around_a_clip(corpus: Path) -> None:
    assert not batcher(corpus, replace(OFF, deaf=1)).batch(0, 0).ear.any()
    ear = batcher(corpus, replace(OFF, silence=1)).batch(0, 0).ear
    silent = np.abs(ear - silent_ear()).max(axis=2) < 1e-5
    assert silent.any() and not silent.all() and np.isfinite(ear).all()


def test_another_rig_is_known_only_where_there_is_one(corpus: Path) -> None:
    batches = [batcher(corpus).batch(0, step) for step in range(4)]
    known = np.concatenate([batch.auxiliary_known for batch in batches]) == 1
    tracked = np.concatenate([batch.tracked for batch in batches]).any(axis=1)
    auxiliary = np.concatenate([batch.auxiliary for batch in batches])
    assert known.any() and not (known & tracked).any()
    assert auxiliary[known].any() and not auxiliary[~known].any()
    np.testing.assert_array_equal(auxiliary[..., 0], -auxiliary[..., 1])


def test_batches_follow_from_seed_and_step(corpus: Path) -> None:
    first, again, other = (batcher(corpus, AugmentConfig()).batch(*key) for key in ((1, 2), (1, 2), (1, 3)))
    np.testing.assert_array_equal(first.features, again.features)
    assert np.abs(first.features - other.features).max() > 0.1


def test_left_out_speakers_and_files_are_not_read(corpus: Path) -> None:
    assert [clip.speaker for clip in read_clips(corpus, MOUTH, ["anna", "voice.npz"])] == ["bert", "rig"]
    with pytest.raises(InputError, match="no clip with sound and a tracked face"):
        read_clips(corpus, MOUTH, ["anna", "bert"])


def test_who_is_kept_aside_and_what_is_silent_is_not_read(corpus: Path) -> None:
    change(corpus, "anna", split="test")
    change(corpus, "rig", voiced=False)
    assert [clip.speaker for clip in read_clips(corpus, MOUTH)] == ["bert", "voice"]


def test_emotion_codes_reach_the_batch(corpus: Path) -> None:
    heard: list[tuple[str, int | None]] = []

    def coder(label: str, voice: np.ndarray | None) -> np.ndarray:
        heard.append((label, None if voice is None else len(voice)))
        return np.full(CODE_SIZE, 3.0 if voice is None else 2.0)

    change(corpus, "anna", emotion="sad")
    change(corpus, "bert", emotion="happy", borrowed=True)
    clips = read_clips(corpus, MOUTH, coder=coder)
    assert heard == [("sad", 60 * SAMPLES_PER_FRAME), ("happy", None)]
    assert [clip.emotion[0] for clip in clips] == [2, 3, 0, 0]
    batches = [Batcher(clips, 50, 6, 1 / 3, 0.5, OFF).batch(0, step) for step in range(4)]
    codes = np.concatenate([batch.emotion for batch in batches])
    tracked = np.concatenate([batch.tracked for batch in batches]).any(axis=1)
    assert codes.shape == (24, CODE_SIZE)
    assert set(codes[tracked][:, 0]) == {2, 3} and set(codes[~tracked][:, 0]) == {0}
    assert not any(clip.emotion.any() for clip in read_clips(corpus, MOUTH))


def test_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a prepared corpus"):
        read_clips(tmp_path, MOUTH)


def test_inserted_silence_is_silent_and_at_rest(corpus: Path) -> None:
    always = replace(OFF, silence=1)
    batch = batcher(corpus, always).batch(0, 1)
    rest = (batch.speech[2:] == 0) & (batch.tracked[2:] == 1)
    assert rest.any()
    assert np.abs(batch.coefficients[2:][rest]).max() == 0
    assert (batch.speech >= -1).all()


def test_rest_comes_and_goes_gently() -> None:
    quiet = np.zeros(40, bool)
    quiet[10:30] = True
    rest = _rest_envelope(quiet)
    assert (rest[~quiet] == 0).all() and rest[16:24].min() == 1 and np.abs(np.diff(rest)).max() < 0.3
    assert _rest_envelope(np.ones(20, bool)).min() == 1


def test_speech_labels_tell_pauses_from_silence() -> None:
    rows = np.zeros((200, 3), np.float32)
    visemes = np.full(200, BILABIAL)
    visemes[40:60] = visemes[100:160] = SILENCE
    labels = speech_labels(rows, visemes)
    assert (labels[:25] == 1).all() and (labels[25:40] == 0).all() and (labels[40:] == 1).all()
    unlabelled = speech_labels(
        np.where(np.arange(200)[:, None] < 100, 0.0, -9.0) * np.ones((1, 3)), np.full(200, UNLABELLED)
    )
    assert (unlabelled[:25] == 1).all() and (unlabelled[25:] == -1).all()


def test_speaker_without_a_face_may_have_any_length(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path)
    np.savez(corpus / "voice.npz", waveform=np.zeros(SAMPLE_RATE // 10, np.float32))
    assert batcher(corpus).batch(0, 0).features.shape[:2] == (6, 200)
