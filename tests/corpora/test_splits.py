import pytest

from evp.corpora.splits import split_speakers

ACTORS = [f"Actor_{number:02d}" for number in range(1, 21)]


def of(splits, name):
    return sorted(speaker for speaker, split in splits.items() if split == name)


def test_shares_of_the_speakers_are_kept_aside():
    splits = split_speakers(ACTORS, validation=0.1, test=0.2)
    assert splits.keys() == set(ACTORS)
    assert (len(of(splits, "test")), len(of(splits, "validation"))) == (4, 2)
    odd = [int(speaker[-2:]) % 2 for speaker in of(splits, "test")]
    assert sum(odd) == 2  # RAVDESS gives men odd numbers: both sexes are measured


def test_order_does_not_matter():
    assert split_speakers(reversed(ACTORS), 0.1, 0.2) == split_speakers(ACTORS, 0.1, 0.2)


@pytest.mark.parametrize("count", range(12))
def test_somebody_is_left_to_train_on(count: int):
    splits = split_speakers(ACTORS[:count], 0.1, 0.2)
    assert len(of(splits, "train")) >= min(count, 1)
    assert len(splits) == count


def test_known_speakers_stay_where_they_are_when_others_come():
    first = split_speakers(ACTORS[:10], 0.1, 0.2)
    grown = split_speakers(ACTORS, 0.1, 0.2, first)
    assert {speaker: grown[speaker] for speaker in first} == first
    assert (len(of(grown, "test")), len(of(grown, "validation"))) == (4, 2)
    alone = split_speakers(ACTORS[10:], 0.0, 0.0, first)
    assert of(alone, "train") == sorted(of(first, "train") + ACTORS[10:])


def test_nobody_is_kept_aside_unless_wanted():
    assert set(split_speakers(ACTORS, 0, 0).values()) == {"train"}
