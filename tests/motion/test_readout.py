import numpy as np
import pytest

from evp.motion.readout import MOMENTS, REACH, TYPICAL_TRAVEL, Example, ReadoutConfig, ReadoutFit, moments

OPENING = np.array([0.02, 0.0])
SMALL = ReadoutConfig(waves=60, ridge=0.01)
SILENCE = np.zeros(3)


def people(count: int, frames: int = 200) -> list[Example]:
    """Each opens the mouth by the product of two things heard, a frame later, each as far as he or she likes."""
    random = np.random.default_rng(0)
    examples = []
    for number in range(count):
        heard = np.zeros((frames, 3))
        phases = np.arange(20, frames - 20)[:, None] / (9, 13, 17) + random.uniform(0, 6, 3)
        heard[20:-20] = 1 + np.sin(phases)
        mouth = np.stack([np.roll(np.sin(2 * heard[:, 0]) * heard[:, 1], 1), heard[:, 2]], axis=1)
        examples.append(
            Example(f"p{number}", heard, (1 + number) * mouth + number, np.arange(frames) % 50 != 7)
        )
    return examples


def agreement(examples: list[Example], leave_out: str) -> float:
    [left] = [example for example in examples if example.speaker == leave_out]
    fit = ReadoutFit(examples, SILENCE, OPENING, ReadoutConfig(waves=300, ridge=0.003))
    mouth = fit.solve([leave_out]).mouth(left.heard)
    return float(np.corrcoef(mouth[:, 0], left.coefficients[:, 0])[0, 1])


def test_what_is_no_line_is_learned_for_a_person_never_met():
    assert agreement(people(8), "p2") > 0.8


def test_leaving_out_is_the_same_as_never_having_seen():
    examples = people(4)
    examples = [
        *examples,
        Example("p3", examples[3].heard[:100], examples[3].coefficients[:100], np.ones(100, bool)),
    ]
    fit = ReadoutFit(examples, SILENCE, OPENING, SMALL)
    changed = [
        Example(e.speaker, e.heard, -e.coefficients if e.speaker == "p3" else e.coefficients, e.tracked)
        for e in examples
    ]
    left, other = fit.solve(["p3"]), ReadoutFit(changed, SILENCE, OPENING, SMALL).solve(["p3"])
    np.testing.assert_allclose(left.weights, other.weights)
    assert np.abs(fit.solve().weights - left.weights).max() > 1e-4


def test_silence_closes_the_mouth():
    readout = ReadoutFit(people(3), SILENCE, OPENING, SMALL).solve()
    np.testing.assert_allclose(readout.mouth(np.zeros((30, 3))), 0, atol=1e-12)


def test_a_stranger_travels_as_far_as_people_do():
    examples = people(8)
    readout = ReadoutFit(examples, SILENCE, OPENING, SMALL).solve(["p2"])
    assert np.std(readout.mouth(examples[2].heard) @ OPENING) == pytest.approx(TYPICAL_TRAVEL, rel=0.3)


def test_moments_fade_and_count_alike_in_the_mean():
    values = moments()
    assert values.shape == (2 * REACH + 1, MOMENTS)
    assert np.abs(values[[0, -1]]).max() < 0.2 * np.abs(values[REACH]).max()
    assert np.mean(np.sum(values**2, axis=0)) == pytest.approx(1)
