import numpy as np
import pytest
from scipy.optimize import nnls

from evp.emotion.space import NEUTRAL, SURE, UNSURE, EmotionSpace
from evp.errors import InputError
from tiny import emotion_codes

LABELS = (NEUTRAL, "happy", "sad", "angry", "fear", "disgusted", "surprised", "contempt", "calm")


@pytest.fixture(scope="module")
def space() -> EmotionSpace:
    return EmotionSpace(emotion_codes(LABELS))


def nearest_mixture(codes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Oracle: shares of ``codes`` (L, 128) that come nearest to ``wanted`` (128,); a heavy row makes their sum 1."""
    rows = np.vstack([codes.T, np.full(len(codes), 1e4)])
    return nnls(rows, np.append(wanted, 1e4))[0]


def test_code_is_on_straight_lines_from_neutral(space: EmotionSpace):
    neutral, happy, sad = (space.codes[label] for label in (NEUTRAL, "happy", "sad"))
    np.testing.assert_array_equal(space.code({}), neutral)
    np.testing.assert_array_equal(space.code({"happy": 0}), neutral)
    np.testing.assert_allclose(space.code({"happy": 1}), happy, rtol=1e-6)
    np.testing.assert_allclose(space.code({"happy": 0.25}), 0.75 * neutral + 0.25 * happy, rtol=1e-6)
    np.testing.assert_allclose(
        space.code({"happy": 0.5, "sad": 0.3}), 0.2 * neutral + 0.5 * happy + 0.3 * sad, rtol=1e-6
    )
    np.testing.assert_allclose(space.code({NEUTRAL: 0.4, "sad": 0.6}), 0.4 * neutral + 0.6 * sad, rtol=1e-6)


def test_shares_of_a_mixture_are_its_strengths(space: EmotionSpace):
    mixtures = np.random.default_rng(1).dirichlet(np.full(len(LABELS), 0.4), size=40)
    codes = mixtures @ np.stack(list(space.codes.values()))
    np.testing.assert_allclose(space.shares(codes.astype(np.float32)), mixtures, atol=2e-4)


def test_shares_of_a_label_are_that_label_alone_to_the_last_bit(space: EmotionSpace):
    for number, label in enumerate(LABELS):
        np.testing.assert_array_equal(
            space.shares(space.code({label: 1})[None])[0], np.eye(len(LABELS))[number], label
        )
    np.testing.assert_array_equal(
        space.shares(space.code({"happy": 0, "sad": 0})[None])[0], np.eye(len(LABELS))[0]
    )


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_shares_of_any_code_are_the_nearest_mixture(space: EmotionSpace, spread: float):
    random = np.random.default_rng(2)
    codes = np.stack(list(space.codes.values())).astype(np.float64)
    wanted = random.dirichlet(np.ones(len(LABELS)), 8) @ codes + spread * random.normal(size=(8, 128))
    shares = space.shares(wanted)
    oracle = np.stack([nearest_mixture(codes, code) for code in wanted])
    np.testing.assert_allclose(shares, oracle, atol=1e-3)
    assert (oracle < 1e-6).any()  # the least squares alone would not have found it


def test_shares_where_labels_are_almost_alike():
    codes = emotion_codes(LABELS)
    codes["calm"] = codes[NEUTRAL] + 0.05 * codes["sad"]
    matrix = np.stack(list(codes.values())).astype(np.float64)
    wanted = np.random.default_rng(3).normal(1, 1, size=(8, 128))
    shares = EmotionSpace(codes).shares(wanted)
    oracle = np.stack([nearest_mixture(matrix, code) for code in wanted])
    distance, least = (np.linalg.norm(found @ matrix - wanted, axis=1) for found in (shares, oracle))
    np.testing.assert_allclose(distance, least, rtol=1e-4)


def test_shares_are_shares_and_do_not_depend_on_the_neighbours(space: EmotionSpace):
    codes = np.random.default_rng(4).normal(size=(30, 128)) ** 2
    codes[::3] = space.code({"happy": 0.5, "angry": 0.5})
    shares = space.shares(codes)
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(space.shares(codes[4:7]), shares[4:7], atol=1e-9)
    assert space.shares(codes[:0]).shape == (0, len(LABELS))


@pytest.mark.parametrize(
    ("strengths", "message"),
    [
        ({"hapy": 1}, "there is no emotion 'hapy': did you mean happy? known are neutral, happy, sad"),
        ({"Suprised": 1}, "there is no emotion 'Suprised': did you mean surprised? known are"),
        ({"fearful": 1}, "there is no emotion 'fearful': did you mean fear? known are"),
        ({"contemptuous": 1}, "there is no emotion 'contemptuous': did you mean contempt? known are"),
        ({"xyz": 1}, "there is no emotion 'xyz': known are neutral, happy"),
        ({"happy": 1.2}, "the strength of happy must lie between 0 and 1, not 1.2"),
        ({"happy": -0.1}, "the strength of happy must lie between 0 and 1, not -0.1"),
        ({"happy": float("nan")}, "the strength of happy must lie between 0 and 1, not nan"),
        ({"happy": 0.7, "sad": 0.5}, "the strengths of happy + sad may be 1 together, not 1.2"),
    ],
)
def test_what_is_no_emotion_is_refused(space: EmotionSpace, strengths: dict[str, float], message: str):
    with pytest.raises(InputError) as refused:
        space.code(strengths)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_strengths_may_be_one_together_in_spite_of_rounding(space: EmotionSpace):
    thirds = {"happy": 0.7, "sad": 0.2, "angry": 0.1}
    assert sum(thirds.values()) != 1
    space.code(thirds)


@pytest.mark.parametrize(
    ("probabilities", "shares"),
    [
        ([1.0, 0.0, 0.0], [1.0, 0.0]),
        ([0.0, 0.5, 0.5], [0.0, 0.5 * (0.5 - UNSURE) / (SURE - UNSURE)]),
        ([0.0, 0.9, 0.1], [0.0, 0.81 / 0.82]),
        ([UNSURE, UNSURE - 0.01, UNSURE - 0.01], [0.0, 0.0]),
    ],
)
def test_what_is_hardly_probable_is_hardly_felt(probabilities: list[float], shares: list[float]):
    space = EmotionSpace(dict(zip(("neutral", "happy", "sad"), np.eye(128)[:3], strict=True)))
    found = space.shares(space.likely(np.array([probabilities]), ("happy", "sad", "neutral")))[0]
    order = [space.labels.index("happy"), space.labels.index("sad")]
    np.testing.assert_allclose(found[order], shares, atol=1e-3)
