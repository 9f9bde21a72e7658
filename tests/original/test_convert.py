"""An imported landmark network says what the original says, by an independent computation."""

from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from original.oracles import TINY, AudioToLandmarks, parallel, random_weights, write_pca
from python_speech_features import mfcc as reference_mfcc

from evp.errors import InputError, WeightsError
from evp.media import read_frames
from evp.motion.model import MotionModel
from evp.original import landmarks
from evp.original.convert import import_landmarks, read_features
from evp.original.landmarks import OriginalMotion, predict_file, speech_windows
from evp.pipeline import animate_file, open_motion
from tiny import portrait, tone, write_media


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    length = round(seconds * 16_000)
    spoken = tone(seconds, 150) + 0.1 * random.normal(size=length)
    return (spoken * np.linspace(0, 1, length)).astype(np.float32)


def reference_windows(waveform: np.ndarray) -> torch.Tensor:
    """As the issue says them, row by row."""
    padded = np.concatenate([np.zeros(1920), waveform.astype(np.float64), np.zeros(1920)])
    rows = reference_mfcc(padded, 16_000, winstep=0.01)[:, 1:]
    return torch.tensor(np.stack([rows[4 * k : 4 * k + 28] for k in range(int(len(rows) / 4) - 6)])).float()


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A small network in the original's format, its files, and what was made of them."""
    folder = tmp_path_factory.mktemp("original")
    network = random_weights(AudioToLandmarks(small=True))
    checkpoint, model = folder / "M003_20.pth", folder / "m003"
    torch.save(parallel(network.state_dict()), checkpoint, _use_new_zipfile_serialization=False)
    basis, mean = write_pca(folder)
    features = folder / "M003_feature"
    features.mkdir()
    for number, name in enumerate(("angry", "neutral")):
        np.save(features / f"{name}.npy", np.random.default_rng(number).uniform(0, 2, 128).astype(np.float32))
    match = import_landmarks(checkpoint, basis, mean, model, features, TINY)
    return SimpleNamespace(**locals())


def test_says_what_was_left(imported):
    assert imported.match.left == ("emo_encoder.last_fc.weight", "emo_encoder.last_fc.bias")
    assert len(imported.match.matched) == len(imported.network.state_dict()) - 2


def test_windows_are_those_of_the_test_script():
    waveform = voice(1.3)
    np.testing.assert_allclose(speech_windows(waveform), reference_windows(waveform), atol=1e-4)


@pytest.mark.parametrize("seconds", [0.1, 1.0, 2.33])
def test_landmarks_with_a_feature_equal_the_originals(imported, seconds):
    waveform = voice(seconds)
    heard = reference_windows(waveform)
    feature = np.load(imported.features / "angry.npy")
    expected = imported.network.landmarks(
        heard,
        torch.from_numpy(feature).expand(len(heard), -1),
        np.load(imported.basis),
        np.load(imported.mean),
    )
    predicted = OriginalMotion.load(imported.model, 1).predict(waveform, feature)
    assert predicted.shape == (len(heard), 106, 2)
    np.testing.assert_allclose(predicted, expected, atol=1e-4)
    assert (
        np.abs(expected - np.load(imported.mean).reshape(106, 2)).max() > 0.01
    )  # the network does something


@pytest.mark.parametrize("seconds", [0.6, 2.0])
def test_landmarks_with_emotional_audio_equal_the_originals(imported, seconds):
    """Frame by frame; when the emotional recording is shorter, its last window holds."""
    waveform, emotional = voice(1.2), voice(seconds, seed=1)
    heard, felt = reference_windows(waveform), reference_windows(emotional)
    felt = torch.cat([felt, felt[-1:].expand(max(0, len(heard) - len(felt)), -1, -1)])[: len(heard)]
    with torch.no_grad():
        codes = imported.network.emo_encoder(felt[:, None])
    expected = imported.network.landmarks(heard, codes, np.load(imported.basis), np.load(imported.mean))
    motion = OriginalMotion.load(imported.model, 1)
    np.testing.assert_allclose(motion.predict(waveform, motion.hear(emotional)), expected, atol=1e-4)


def test_the_files_way_is_the_arrays_way(imported, tmp_path):
    speech = write_media(tmp_path / "speech.wav", waveform=voice(1.0))
    motion = OriginalMotion.load(imported.model, 1)
    stored = {}
    for name, options in {
        "file": {"feature": str(imported.features / "angry.npy")},
        "name": {"feature": "angry"},
        "neutral": {},
        "heard": {"emotion_audio": speech},
    }.items():
        assert predict_file(speech, imported.model, tmp_path / name, **options) == 24
        stored[name] = np.load(tmp_path / name)
    waveform = landmarks.read_speech(speech)
    np.testing.assert_array_equal(
        stored["file"], motion.predict(waveform, np.load(imported.features / "angry.npy"))
    )
    np.testing.assert_array_equal(stored["name"], stored["file"])
    np.testing.assert_array_equal(stored["neutral"], motion.predict(waveform, motion.features["neutral"]))
    np.testing.assert_array_equal(stored["heard"], motion.predict(waveform, motion.hear(waveform)))


def test_unknown_features_are_told(imported):
    motion = OriginalMotion.load(imported.model, 1)
    with pytest.raises(InputError, match="angry, neutral"):
        motion.feature("furious")


def test_a_recording_too_short_is_told():
    with pytest.raises(InputError, match="too short"):
        speech_windows(np.zeros(100, np.float32))


def test_other_weights_are_refused():
    packaged = Path(landmarks.__file__).parents[1] / "motion" / "motion.onnx"
    with pytest.raises(WeightsError, match="import-evp"):
        OriginalMotion.load(packaged)


def test_another_persons_files_are_refused(imported, tmp_path):
    basis, mean = write_pca(tmp_path, "M030")
    with pytest.raises(InputError, match=r"M030_U_106\.npy belongs to M030, but .*M003_20\.pth to M003"):
        import_landmarks(imported.checkpoint, basis, imported.mean, tmp_path / "out", config=TINY)
    with pytest.raises(InputError, match=r"M030_mean_106\.npy belongs to M030"):
        import_landmarks(imported.checkpoint, imported.basis, mean, tmp_path / "out", config=TINY)
    assert not (tmp_path / "out").exists()


def test_bad_files_are_named(imported, tmp_path):
    (tmp_path / "angry.npy").write_text("0.5")
    with pytest.raises(InputError, match=r"angry\.npy"):
        read_features(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        read_features(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no emotion features"):
        read_features(tmp_path / "empty")
    with pytest.raises(InputError, match=r"M003_mean_106\.npy has the shape \(212,\), expected \(212, 212\)"):
        import_landmarks(imported.checkpoint, imported.mean, imported.mean, tmp_path / "out", config=TINY)
    with pytest.raises(
        InputError, match=r"M003_20\.pth: con_encoder\.audio_eocder\.0\.0\.weight has the shape"
    ):
        import_landmarks(imported.checkpoint, imported.basis, imported.mean, tmp_path / "out")


def test_film_moved_by_it(imported, tmp_path):
    speech = write_media(tmp_path / "speech.wav", waveform=voice(0.8))
    portrait(30).save(tmp_path / "me.evp")
    films = {}
    for emotion in ("auto", "angry"):
        films[emotion] = tmp_path / f"{emotion}.mp4"
        animate_file(speech, tmp_path / "me.evp", films[emotion], motion=imported.model, emotion=emotion)
    neutral, angry = (np.stack(list(read_frames(film))).astype(int) for film in films.values())
    assert len(neutral) == len(angry) == 20
    assert np.abs(neutral - angry).max() > 20
    with pytest.raises(InputError, match="happy"):
        animate_file(speech, tmp_path / "me.evp", tmp_path / "no.mp4", motion=imported.model, emotion="happy")
    assert not (tmp_path / "no.mp4").exists()


def test_a_file_that_is_no_motion_model_is_refused():
    with pytest.raises(WeightsError):
        open_motion(Path(str(files("evp.emotion") / "emotion.onnx")))
    assert isinstance(open_motion(Path(str(files("evp.motion") / "motion.onnx"))), MotionModel)
