"""Who is trained on and who is kept aside: always whole speakers."""

from collections.abc import Iterable, Mapping

from evp.corpora.manifest import Split


def split_speakers(
    speakers: Iterable[str], validation: float, test: float, known: Mapping[str, Split] | None = None
) -> dict[str, Split]:
    """The split of every speaker: shares ``validation`` and ``test`` of them, rounded, the rest for training.

    Those who are kept aside lie evenly in sorted order, since data sets number by sex or turn by turn: a corpus that is
    split twice is split alike. Speakers whose split is ``known`` keep it.
    """
    splits: dict[str, Split] = dict(known or {})
    everybody = set(speakers)
    shares: dict[Split, float] = {"test": test, "validation": validation}
    for name, share in shares.items():
        wanted = round(share * len(everybody)) - sum(splits.get(speaker) == name for speaker in everybody)
        free = sorted(everybody - splits.keys())
        for number in range(min(wanted, len(free))):
            splits[free[(2 * number + 1) * len(free) // (2 * wanted)]] = name
    return splits | dict.fromkeys(everybody - splits.keys(), "train")
