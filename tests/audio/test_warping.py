import numpy as np
import pytest

from evp.audio.warping import matching_rows, retimed, warping_path

RANDOM = np.random.default_rng(0)


def smallest_cost(reference, other):
    """The least sum of squared distances over all paths, by a plain loop."""
    distance = ((reference[:, None] - other[None]) ** 2).sum(axis=2)
    total = np.full((len(reference) + 1, len(other) + 1), np.inf)
    total[0, 0] = 0
    for i in range(len(reference)):
        for j in range(len(other)):
            total[i + 1, j + 1] = distance[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return total[-1, -1]


@pytest.mark.parametrize(("rows", "others"), [(7, 9), (12, 5), (1, 4), (4, 1), (1, 1)])
def test_path_is_the_cheapest_and_unbroken(rows, others):
    reference, other = RANDOM.standard_normal((rows, 3)), RANDOM.standard_normal((others, 3))
    path = warping_path(reference, other)
    cost = ((reference[path[:, 0]] - other[path[:, 1]]) ** 2).sum()
    assert cost == pytest.approx(smallest_cost(reference, other))
    assert path[0].tolist() == [0, 0] and path[-1].tolist() == [rows - 1, others - 1]
    assert {tuple(step) for step in np.diff(path, axis=0)} <= {(0, 1), (1, 0), (1, 1)}


def test_a_planted_timing_is_found_whatever_the_voice():
    reference = RANDOM.standard_normal((40, 12))
    held = np.repeat(np.arange(40), RANDOM.integers(1, 4, 40))
    other = reference[held] + 5.0
    assert held[matching_rows(reference, other)].tolist() == list(range(40))
    np.testing.assert_allclose(retimed(reference, other), reference + 5.0)


def test_the_middle_of_a_held_sound_is_taken():
    reference, other = np.array([-1.0, 0.0, 1.0]), np.array([-1.0, 0.0, 0.0, 0.0, 1.0])
    reference, other = np.stack([reference, -reference], axis=1), np.stack([other, -other], axis=1)
    assert matching_rows(reference, other).tolist() == [0, 2, 4]


def test_result_has_the_length_of_the_first_and_shares_no_memory():
    for reference, other in ((RANDOM.random((9, 2)), RANDOM.random((14, 2))), (np.eye(3), np.eye(3))):
        again = retimed(reference, other)
        assert again.shape == reference.shape
        assert not np.shares_memory(again, reference) and not np.shares_memory(again, other)


def test_nothing_to_align_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        warping_path(np.zeros((0, 12)), np.zeros((3, 12)))
