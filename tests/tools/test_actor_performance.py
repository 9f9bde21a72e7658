"""The actor's performance: what every frame must and must not do. Needs no Blender and no mesh."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ACTOR = Path(__file__).parents[2] / "tools" / "actor"
SIDED = """
    browDown browInnerUp browOuterUp cheekRaiser cheekSquint eyeBlink eyeLookDown eyeLookIn eyeLookOut eyeLookUp
    eyeSquint eyeWide mouthDimple mouthFrown mouthLowerDown mouthPress mouthSmile mouthStretch mouthUpperUp noseSneer
"""
SINGLE = "jawForward jawOpen mouthFunnel mouthPucker mouthRollLower mouthRollUpper mouthShrugLower"
SHAPES = tuple([f"{name}_{side}" for name in SIDED.split() for side in "LR"] + SINGLE.split())


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("actor_performance", ACTOR / "performance.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def played(tool):
    return tool.perform(SHAPES)


def test_lasts_as_long_as_the_script_and_is_the_same_every_time(tool, played):
    seconds = sum(line.phones[-1][1] for line in tool.read_script())
    assert len(played) == round(25 * seconds) >= 600
    assert np.array_equal(tool.perform(SHAPES).weights, played.weights)


def test_every_emotion_reaches_both_strengths(tool, played):
    for emotion in tool.EMOTIONS:
        reached = played.strength[played.emotion == emotion]
        assert reached.max() == pytest.approx(1.0)
        if emotion != "neutral":
            assert (np.abs(reached - 0.5) < 1e-6).sum() > 5
            assert (np.abs(reached - 1.0) < 1e-6).sum() > 5


def test_takes_are_neutral_first_and_then_one_emotion_each(played):
    assert np.unique(played.emotion[played.take == 0]).tolist() == ["neutral"]
    assert (played.take == 0).sum() >= 10 * 25
    for take in range(1, played.take.max() + 1):
        assert len(set(played.emotion[played.take == take]) - {"neutral"}) == 1
    assert np.all(np.diff(played.take) >= 0)


def test_weights_and_pose_stay_in_range(played):
    assert played.weights.min() >= 0
    assert played.weights.max() <= 1
    assert np.degrees(np.abs(played.turn)).max() < 10
    assert np.degrees(np.abs(np.diff(played.turn, axis=0))).max() < 2


def test_lips_close_in_the_middle_of_every_m_b_and_p(tool, played):
    jaw = played.weights[:, SHAPES.index("jawOpen")]
    upper = played.weights[:, SHAPES.index("mouthUpperUp_L")]
    start = 0.0
    for line in tool.read_script():
        for phone, end in zip(
            [p for p, _ in line.phones], np.diff([0.0] + [e for _, e in line.phones]), strict=True
        ):
            frame = int((start + end / 2) * 25)
            start += end
            if phone in ("m", "b", "p"):
                assert jaw[frame] < 0.06, (line.text, phone)
                assert upper[frame] < 0.06, (line.text, phone)


def test_open_vowels_open_the_mouth(played):
    jaw = played.weights[:, SHAPES.index("jawOpen")]
    assert np.median(jaw[np.isin(played.phone, ["aa", "ae", "ay", "aw"])]) > 0.2
    assert np.median(jaw[played.phone == "pau"]) < 0.08


def test_blinks_shut_both_eyes_every_few_seconds(played):
    shut = np.minimum(*(played.weights[:, SHAPES.index(f"eyeBlink_{side}")] for side in "LR")) > 0.97
    begins = np.flatnonzero(np.diff(shut.astype(int)) == 1)
    assert np.all((np.diff(begins) > 1.5 * 25) & (np.diff(begins) < 5 * 25))
    wide = played.weights[:, SHAPES.index("eyeWide_L")]
    assert wide[shut].max() < 0.05


def test_eyes_counter_the_head_when_they_rest_on_the_camera(played):
    """What is left of gaze plus head turn is the jump pattern, not the slow drift of the head."""
    outward = played.gaze.mean(1)[:, 0] + played.turn[:, 1]
    resting = np.abs(outward) < np.radians(1.2)
    assert resting.mean() > 0.5


def test_contempt_is_on_one_side(played):
    apex = (played.emotion == "contempt") & (played.strength > 0.99)
    left, right = (played.weights[apex, SHAPES.index(f"mouthDimple_{side}")].mean() for side in "LR")
    assert left > right + 0.4


def test_wrinkles_follow_their_muscles(tool):
    names = ("forehead", "glabella", "crow", "nasolabial", "nose", "chin")
    causes = {
        "browInnerUp_L": "forehead",
        "browDown_L": "glabella",
        "cheekSquint_L": "crow",
        "noseSneer_L": "nose",
    }
    rest = tool.wrinkle_weights(np.zeros((1, len(SHAPES)), np.float32), SHAPES)[0]
    for cause, wrinkle in causes.items():
        row = np.zeros((1, len(SHAPES)), np.float32)
        row[0, SHAPES.index(cause)] = 1
        left, right = tool.wrinkle_weights(row, SHAPES)[0]
        assert left[names.index(wrinkle)] > rest[0, names.index(wrinkle)] + 0.4
        assert np.array_equal(right, rest[1])


def test_a_shape_that_the_head_lacks_is_named(tool):
    with pytest.raises(KeyError, match="no shape mouthSmile"):
        tool.perform(tuple(name for name in SHAPES if not name.startswith("mouthSmile")))
