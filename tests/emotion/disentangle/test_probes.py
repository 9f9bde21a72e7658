from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from evp.emotion.disentangle.probes import (
    Codes,
    Leak,
    by_phone,
    chance,
    errors,
    leaks,
    probe,
    transcribed,
    unlearned,
)
from planted import recordings

RANDOM = np.random.default_rng(0)


def _right(said, labels):
    return np.mean([a == b for a, b in zip(said, labels, strict=True)])


@pytest.mark.parametrize("kernel", ["linear", "curved"])
def test_a_probe_reads_what_is_there_and_no_more(kernel):
    labels = [str(number % 3) for number in range(300)]
    codes = RANDOM.standard_normal((300, 10))
    assert _right(probe(codes[:200], labels[:200], codes[200:], kernel), labels[200:]) < 0.5
    codes[:, :3] += 4 * np.eye(3)[[int(label) for label in labels]]
    assert _right(probe(codes[:200], labels[:200], codes[200:], kernel), labels[200:]) > 0.95


def test_only_a_curved_probe_reads_what_is_not_linear():
    codes = RANDOM.standard_normal((400, 2))
    labels = ["same" if a * b > 0 else "other" for a, b in codes]
    assert _right(probe(codes[:300], labels[:300], codes[300:], "linear"), labels[300:]) < 0.65
    assert _right(probe(codes[:300], labels[:300], codes[300:], "curved"), labels[300:]) > 0.9


def test_rare_classes_count_as_much_as_others():
    codes = np.concatenate([RANDOM.normal(0, 1, (190, 1)), RANDOM.normal(2, 1, (10, 1))])
    said = probe(codes, ["often"] * 190 + ["rare"] * 10, np.linspace(-1, 3, 9)[:, None])
    assert said == ["often"] * 4 + said[4:5] + ["rare"] * 4


def test_leaks_tell_the_codes_apart():
    people = recordings(("anna", "bert", "carl"))
    train, test = people[:12], people[12:]
    emotions, sentences = ["angry", "calm", "sad"], ["dogs", "kids"]
    said = [np.eye(2)[sentences.index(r.sentence)] for r in people]
    felt = [np.eye(3)[emotions.index(r.manner.emotion)] for r in people]
    apart = [
        Codes(emotion, content, np.stack([content] * 4), content)
        for emotion, content in zip(felt, said, strict=True)
    ]
    read = leaks(train, apart[:12], test, apart[12:])
    assert read.emotion_from_emotion == read.sentence_from_content == 1
    assert read.sentence_from_emotion == 0.5
    assert max(read.emotion_from_content, read.emotion_from_phones, read.emotion_from_window) <= 0.5
    assert np.isnan(read.emotion_among_strangers)
    swapped = [
        Codes(code.content, code.emotion, np.stack([code.emotion] * 4), code.emotion) for code in apart
    ]
    read = leaks(train[:6], swapped[:6], people[6:], swapped[6:])
    assert read.emotion_among_strangers == read.emotion_from_phones == 1
    assert chance(test) == Leak(1 / 3, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3, 1 / 3)


def test_without_learning_both_codes_are_the_sound():
    (codes, *_) = unlearned(recordings(("anna",)))
    np.testing.assert_array_equal(codes.content, codes.emotion)
    assert codes.content.shape == (2 * 28 * 12,)


def test_every_phone_counts_once():
    windows = np.array([[9.0], [1.0], [1.0], [3.0], [9.0], [3.0], [5.0]])
    np.testing.assert_array_equal(by_phone(windows, ["", "D", "D", "AO", "", "AO", "AO"]), [[1], [3], [4]])
    np.testing.assert_array_equal(by_phone(windows, []), windows)


def test_timing_tells_in_phones_and_not_where_each_counts_once():
    """Whoever is sad holds the second phone for longer."""
    said = [
        replace(
            r,
            phones=("D",) * (8 if r.manner.emotion == "calm" else 4)
            + ("AO",) * (4 if r.manner.emotion == "calm" else 8),
        )
        for r in recordings(("anna", "bert"), ("a", "b", "c"), ("calm", "sad"))
    ]
    codes = transcribed(said, ["AO", "D"])
    read = leaks(said[:6], codes[:6], said[6:], codes[6:])
    assert read.emotion_from_content == 1 and read.emotion_from_phones == 0.5
    np.testing.assert_allclose(codes[0].content[:2], [1 / 3, 2 / 3])
    (unknown,) = transcribed([replace(said[0], phones=())], ["AO", "D"])
    assert not unknown.content.any() and not unknown.phones.any()


class Copies:
    """Stands for weights that give back what is said, whatever is felt."""

    metadata: ClassVar = {"config": {"ear": {"level": False, "tract": 0.0, "speed": 0.0}}}

    @staticmethod
    def run(says, feels):  # noqa: ARG004
        return None, None, says


def test_errors_of_a_network_that_changes_nothing():
    train, test = recordings(("anna",)), recordings(("bert",))
    found = errors(Copies(), train, test, 10)
    assert found.self == 0
    assert found.cross == found.unchanged == found.source > 0
    assert errors(Copies(), train, test, 10) == found
