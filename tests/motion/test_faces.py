from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from evp.corpora.manifest import ClipEntry, Manifest
from evp.emotion.space import NEUTRAL
from evp.errors import InputError
from evp.face.basis import FaceBasis
from evp.face.layouts import LIDS_LEFT, LIDS_RIGHT
from evp.motion.expression import ExpressionModel, gap_rows
from evp.motion.faces import (
    AROUND_LIPS,
    BROWS,
    BROWS_TO_LIDS,
    LIPS,
    WHOLE_MOUTH,
    FacesConfig,
    TakenFor,
    learn_faces,
)

SIZE, MOUTH = len(FaceBasis.load().components), FaceBasis.load().mouth_count
LEAK = 0.02 * np.random.default_rng(9).normal(size=(3, SIZE))
BASIS = replace(FaceBasis.load(), turn=LEAK.astype(np.float32))
LABELS = (NEUTRAL, "happy", "sad", "calm")
AS_SEEN = FacesConfig(
    prior_people=0,
    mouth_exaggeration=1,
    upper_exaggeration=1,
    prior_exaggeration=1,
    taken_for=(),
    most_raised=9,
    most_sideways=9,
)


def face(seed: int, size: float = 0.2) -> np.ndarray:
    """A face (M + U,) that parts the lips a little, so that no bound is met."""
    found = size * np.random.default_rng(seed).normal(size=SIZE)
    rows = gap_rows(BASIS)
    found[:MOUTH] += np.linalg.pinv(rows) @ (np.abs(rows @ found[:MOUTH]) - rows @ found[:MOUTH] + 0.002)
    return found


HAPPY, SAD, CALM, OTHER = (face(seed) for seed in range(4))
JAW = np.linalg.pinv(gap_rows(BASIS)[:1])[:, 0] + 0.5 * (
    OTHER[:MOUTH] - np.linalg.pinv(gap_rows(BASIS)[:1])[:, 0] * (gap_rows(BASIS)[0] @ OTHER[:MOUTH])
)
"""(M,) how these people open the mouth: by one face height in the middle."""


def prior(faces: np.ndarray | None = None) -> ExpressionModel:
    faces = np.stack([0 * HAPPY, OTHER, OTHER, CALM]) if faces is None else faces
    blank = np.zeros(MOUTH, np.float32)
    return ExpressionModel(
        LABELS, faces.astype(np.float32), np.ones(len(LABELS), np.float32), blank, faces.astype(np.float32), BASIS
    )  # fmt: skip


@dataclass
class Corpus:
    """A prepared corpus that is made up clip by clip."""

    folder: Path
    clips: tuple[ClipEntry, ...] = ()

    def add(
        self, speaker: str, emotion: str | None, mean: np.ndarray, opening: float = 0.03, turns: float = 8
    ) -> "Corpus":
        """A recording with this mean expression; the head turns, which leaks into it, and the mouth moves."""
        random, frames = np.random.default_rng(len(self.clips)), 60
        angles = turns * (random.normal(size=(frames, 3)) + 2 * random.normal(size=3))
        coefficients = mean + angles @ LEAK
        valid = np.arange(frames) % 10 != 3
        talk = 0.03 * np.sin(np.arange(frames))
        coefficients[:, :MOUTH] += (talk - talk[valid].mean())[:, None] * JAW
        coefficients[~valid] = 1e6
        name = f"{len(self.clips)}.npz"
        np.savez(
            self.folder / name, valid=valid, angles=angles.astype(np.float32), coefficients=coefficients,
            opening=np.where(valid, opening, 1e6),
        )  # fmt: skip
        return self._with(ClipEntry(name, speaker, name, frames, emotion=emotion))

    def add_sound(self, speaker: str, emotion: str) -> "Corpus":
        """A recording without picture."""
        return self._with(ClipEntry("sound.npz", speaker, "sound.wav", 60, filmed=False, emotion=emotion))

    def _with(self, clip: ClipEntry) -> "Corpus":
        whole = Corpus(self.folder, (*self.clips, clip))
        Manifest(whole.clips).write(self.folder)
        return whole


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return Corpus(tmp_path)


def three_people(corpus: Corpus, unlike: float = 0.0) -> Corpus:
    """Each with an own way of speaking, and with happy and sad faces that are ``unlike`` those of the others."""
    for number, name in enumerate("abc"):
        own = face(20 + number, 0.3)
        for label, change in ((NEUTRAL, 0), ("happy", HAPPY), ("sad", SAD)):
            habit = unlike * face(40 + number + len(label)) if label != NEUTRAL else 0
            corpus = corpus.add(name, label, own + change + habit)
    return corpus.add_sound("a", "happy")


def shape(coefficients: np.ndarray) -> np.ndarray:
    return BASIS.shape(np.asarray(coefficients))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(shape(a) @ shape(b) / np.linalg.norm(shape(a)) / np.linalg.norm(shape(b)))


def learned(
    corpus: Corpus, before: ExpressionModel | None = None, config: FacesConfig = AS_SEEN
) -> ExpressionModel:
    return learn_faces(corpus.folder, before or prior(), config)  # fmt: skip


def test_faces_of_people_who_agree_are_recovered(corpus: Corpus):
    model = learned(three_people(corpus))
    assert model.labels == LABELS
    for label, planted in (("happy", HAPPY), ("sad", SAD)):
        found = model.faces[LABELS.index(label)]
        np.testing.assert_allclose(shape(found), shape(planted), atol=3e-4, err_msg=label)
    assert not model.faces[0].any()


def test_habits_of_single_people_are_averaged_out(corpus: Corpus):
    model = learned(three_people(corpus, unlike=0.7))
    people = [HAPPY + 0.7 * face(45 + number) for number in range(3)]
    for block in (slice(0, MOUTH), slice(MOUTH, None)):
        only = np.zeros(SIZE)
        only[block] = 1
        found = model.faces[1] * only
        assert (
            cosine(found, HAPPY * only) > np.mean([cosine(own * only, HAPPY * only) for own in people]) + 0.02
        )
        size = np.mean([np.linalg.norm(shape(own * only)) for own in people])
        assert np.linalg.norm(shape(found)) == pytest.approx(size, rel=0.05)


def test_exaggeration_scales_mouth_and_brows_apart(corpus: Corpus):
    three_people(corpus)
    model = learned(corpus, config=replace(AS_SEEN, mouth_exaggeration=1.5, upper_exaggeration=2))
    np.testing.assert_allclose(shape(model.faces[1])[:MOUTH], 1.5 * shape(HAPPY)[:MOUTH], atol=5e-4)
    np.testing.assert_allclose(shape(model.faces[1])[MOUTH:], 2 * shape(HAPPY)[MOUTH:], atol=5e-4)


def test_prior_stands_in_for_missing_labels_and_counts_as_people(corpus: Corpus):
    model = learned(three_people(corpus))
    np.testing.assert_allclose(model.faces[LABELS.index("calm")], CALM, atol=1e-5)
    assert model.openness[LABELS.index("calm")] == 1
    np.testing.assert_array_equal(model.prior, prior().prior)
    near = [
        cosine(learned(corpus, config=replace(AS_SEEN, prior_people=weight)).faces[1], OTHER)
        for weight in (0, 1, 3, 100)
    ]
    assert (np.diff(near) > 0.01).all()
    assert near[-1] > 0.97


def test_face_of_the_prior_alone_is_exaggerated(corpus: Corpus):
    model = learned(three_people(corpus), config=replace(AS_SEEN, prior_exaggeration=1.2))
    np.testing.assert_allclose(shape(model.faces[LABELS.index("calm")]), 1.2 * shape(CALM), atol=1e-3)
    np.testing.assert_allclose(shape(model.faces[1]), shape(HAPPY), atol=3e-4)


@pytest.mark.parametrize(("lower", "upper", "size"), [(0.1, 0.3, 1), (0.3, 0.1, 0.6)])
def test_face_is_told_apart_from_what_it_is_taken_for(
    corpus: Corpus, lower: float, upper: float, size: float
):
    three_people(corpus)
    plain = learned(corpus)
    mistakes = (TakenFor("sad", "happy", lower, upper, size), TakenFor("happy", "nobody", 1))
    model = learned(corpus, config=replace(AS_SEEN, taken_for=mistakes))
    np.testing.assert_array_equal(model.faces[1], plain.faces[1])
    for block, share, scale in ((slice(0, MOUTH), lower, 1), (slice(MOUTH, None), upper, size)):
        only = np.zeros(SIZE)
        only[block] = 1
        sad, happy, before = model.faces[2] * only, model.faces[1] * only, plain.faces[2] * only
        alike = cosine(before, happy)
        less = (alike - share) / np.sqrt(1 - 2 * alike * share + share**2)
        assert cosine(sad, happy) == pytest.approx(less, abs=0.03)
        assert less < alike - 0.05
        lengths = [np.linalg.norm(shape(one)) for one in (sad, before)]
        assert lengths[0] == pytest.approx(scale * lengths[1], rel=0.1)


def test_mouth_is_not_dragged_aside_nor_brows_beyond_what_skin_gives(corpus: Corpus):
    """A grimace that is all sideways and all brows: what is left is within the bounds, and little else is changed."""
    pull = np.zeros(SIZE)
    for rows, towards in (
        (BASIS.mouth[:, WHOLE_MOUTH, 0].mean(axis=1), 0.06),
        (BASIS.upper[:, BROWS, 1].mean(axis=1), -0.1),
    ):
        block = slice(0, MOUTH) if len(rows) == MOUTH else slice(MOUTH, None)
        pull[block] = np.linalg.pinv(rows[None])[:, 0] * towards
    corpus.add("a", NEUTRAL, 0 * HAPPY, turns=0).add("a", "sad", pull, turns=0)
    config = replace(
        AS_SEEN, most_raised=0.045, most_sideways=0.02, least_lids=-9, least_lips=-9, least_skin=-9
    )

    def moved(model: ExpressionModel) -> tuple[float, float]:
        move = BASIS.displacement(model.faces[2:3])[0]
        return move[list(WHOLE_MOUTH), 0].mean(), move[list(BROWS), 1].mean()

    assert moved(learned(corpus)) == pytest.approx((0.06, -0.1), rel=0.35)
    assert moved(learned(corpus, config=config)) == pytest.approx((0.02, -0.045), rel=0.05)


def test_label_that_the_prior_has_not_is_learned(corpus: Corpus):
    model = learned(three_people(corpus).add("a", "smug", face(20, 0.3) + CALM))
    assert model.labels == (*LABELS, "smug")
    assert cosine(model.faces[-1], CALM) > 0.98
    assert not model.prior[-1].any()


def test_only_people_with_a_neutral_recording_count(corpus: Corpus):
    model = learned(three_people(corpus).add("d", "happy", face(99, 3)).add("e", None, face(98, 3)))
    np.testing.assert_allclose(shape(model.faces[1]), shape(HAPPY), atol=3e-4)


def test_people_kept_aside_for_measuring_do_not_count(corpus: Corpus):
    three_people(corpus)
    plain = learned(corpus)
    for emotion, change in ((NEUTRAL, 0), ("happy", OTHER)):
        corpus = Corpus(corpus.folder, Manifest.read(corpus.folder).clips).add(
            "d", emotion, face(50) + change
        )
    *others, neutral, happy = Manifest.read(corpus.folder).clips
    aside = tuple(replace(clip, split="test") for clip in (neutral, happy))
    Manifest((*others, *aside)).write(corpus.folder)
    np.testing.assert_array_equal(learned(corpus).faces, plain.faces)
    np.testing.assert_array_equal(learned(corpus).jaw, plain.jaw)


def test_openness_is_the_mean_ratio_within_bounds(corpus: Corpus):
    for name, (calm, happy, sad) in {"a": (0.02, 0.03, 0.01), "b": (0.04, 0.044, 0.004)}.items():
        for label, opening in ((NEUTRAL, calm), ("happy", happy), ("sad", sad)):
            corpus = corpus.add(name, label, HAPPY if label == "happy" else 0 * HAPPY, opening)
    model = learned(corpus)
    assert model.openness[1] == pytest.approx((1.5 + 1.1) / 2)
    assert model.openness[2] == pytest.approx(1 / 1.7)
    assert learned(corpus, config=replace(AS_SEEN, most_openness=1.2)).openness[1] == pytest.approx(1.2)


def test_jaw_opens_as_in_neutral_speech(corpus: Corpus):
    still = corpus.add("a", NEUTRAL, 0 * HAPPY, turns=0).add("b", None, SAD, turns=0).add("a", "happy", HAPPY)
    np.testing.assert_allclose(learned(still).jaw, JAW, atol=1e-3 * np.abs(JAW).max())


def distances(model: ExpressionModel, row: int, pairs: tuple[tuple[int, int], ...]) -> np.ndarray:
    """How far apart points are under a face of the model, relative to the mean face."""
    mesh = BASIS.mean + BASIS.displacement(model.faces[row : row + 1])[0]
    high, low = np.array(pairs).T
    return (mesh[low, 1] - mesh[high, 1]) / (BASIS.mean[low, 1] - BASIS.mean[high, 1])


@pytest.mark.parametrize("seed", range(6))
def test_lids_and_lips_keep_room(corpus: Corpus, seed: int):
    grimace = np.random.default_rng(seed).normal(size=SIZE)
    squint = (
        np.eye(SIZE)[MOUTH:] @ BASIS.components[:, 145, 1]
        - np.eye(SIZE)[MOUTH:] @ BASIS.components[:, 159, 1]
    )
    grimace[MOUTH:] = -3 * squint / np.linalg.norm(squint)
    corpus.add("a", NEUTRAL, 0 * HAPPY, turns=0).add("a", "sad", grimace, turns=0)
    model, free = learned(corpus), replace(prior(), faces=np.tile(grimace, (4, 1)))
    eyes = (LIDS_LEFT, LIDS_RIGHT)
    assert distances(free, 2, eyes).min() < 0.5
    assert distances(model, 2, eyes).min() > FacesConfig().least_lids - 0.01
    parted = [gap_rows(BASIS) @ own.faces[2, :MOUTH] for own in (model, free)]
    for kept, wanted, bound, slack in (
        (distances(model, 2, LIPS), distances(free, 2, LIPS), FacesConfig().least_lips, 0.02),
        (parted[0], parted[1], 0.0, 0.003),
    ):
        assert kept.min() > bound - slack
        if wanted.min() > bound:
            np.testing.assert_allclose(kept, wanted, rtol=0.2, atol=slack)


def test_brows_do_not_come_down_on_the_lids(corpus: Corpus):
    rows = np.stack([BASIS.upper[:, lid, 1] - BASIS.upper[:, brow, 1] for brow, lid in BROWS_TO_LIDS])
    frown = np.zeros(SIZE)
    frown[MOUTH:] = np.linalg.pinv(rows) @ np.full(len(rows), -0.07)
    corpus.add("a", NEUTRAL, 0 * HAPPY, turns=0).add("a", "sad", frown, turns=0)
    free = replace(prior(), faces=np.tile(frown, (4, 1)))
    assert distances(free, 2, BROWS_TO_LIDS).max() < 0.3
    config = replace(AS_SEEN, least_lids=-9)
    assert (
        distances(learned(corpus, config=config), 2, BROWS_TO_LIDS).min() > FacesConfig().least_brows - 0.02
    )


@pytest.mark.parametrize("seed", range(3))
def test_skin_around_lips_is_not_folded(corpus: Corpus, seed: int):
    squeeze = 0.02 * np.random.default_rng(seed).normal(size=SIZE)
    lower, below = np.array([(lip, skin) for lip, skin in AROUND_LIPS if lip in (91, 17, 321)]).T
    rows = (BASIS.mouth[:, below, 1] - BASIS.mouth[:, lower, 1]).T
    squeeze[:MOUTH] += np.linalg.pinv(rows) @ np.full(len(lower), -0.05)  # lips over the skin below
    corpus.add("a", NEUTRAL, 0 * HAPPY, turns=0).add("a", "sad", squeeze, turns=0)

    def kept(model: ExpressionModel) -> np.ndarray:
        mesh = BASIS.mean + BASIS.displacement(model.faces[2:3])[0]
        one, other = np.array(AROUND_LIPS).T
        way = BASIS.mean[other] - BASIS.mean[one]
        return ((mesh[other] - mesh[one]) * way).sum(axis=1) / (way**2).sum(axis=1)

    assert kept(replace(prior(), faces=np.tile(squeeze, (4, 1)))).min() < 0.2
    assert kept(learned(corpus)).min() > FacesConfig().least_skin - 0.02
    assert kept(learned(corpus, config=replace(AS_SEEN, least_skin=0.5))).min() > 0.48


def test_face_with_room_enough_is_left_alone(corpus: Corpus):
    model = learned(corpus.add("a", NEUTRAL, SAD, turns=0).add("a", "happy", SAD + HAPPY, turns=0))
    np.testing.assert_allclose(model.faces[1], HAPPY, atol=1e-5)


@pytest.mark.parametrize(
    "recordings",
    [
        [],
        [("a", None)],
        [("a", NEUTRAL)],
        [("a", "happy"), ("b", "sad")],
        [("a", NEUTRAL), ("b", "happy")],
        [("a", None), ("a", "happy")],
    ],
)
def test_corpus_without_neutral_and_emotional_recordings_of_one_person_is_refused(
    corpus: Corpus, recordings: list[tuple[str, str | None]]
):
    Manifest().write(corpus.folder)
    for speaker, emotion in recordings:
        corpus = corpus.add(speaker, emotion, HAPPY)
    for before in (prior(), prior(np.zeros((len(LABELS), SIZE)))):
        with pytest.raises(
            InputError, match="nobody is there both in neutral speech and in an emotion"
        ) as refused:
            learned(corpus, before)
        assert str(refused.value).startswith(f"{corpus.folder}: ")
        assert "\n" not in str(refused.value)
