"""Prints how well emotion is heard in speakers left out of training, from what ``evp train emotion`` wrote.

    python benchmarks/emotion_bars.py RUN/strangers.json --speakers 'Actor_*'

Every recording was heard by the one network that was not trained on its speaker.
"""

import argparse
import json
from collections import defaultdict
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from evp.evaluation.recognition import average_recall, confusion


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("strangers", type=Path)
    parser.add_argument("--speakers", default="*", help="pattern of the speakers that count")
    options = parser.parse_args()
    found = json.loads(options.strangers.read_text())
    labels = sorted(found[0]["heard"])
    by_speaker = defaultdict(list)
    for recording in found:
        if fnmatch(recording["speaker"], options.speakers) and recording["emotion"] in labels:
            named = max(recording["heard"], key=recording["heard"].get)
            by_speaker[recording["speaker"]].append((recording["emotion"], named))
    matrices = {
        speaker: confusion(*zip(*pairs, strict=True), labels) for speaker, pairs in by_speaker.items()
    }
    whole = sum(matrices.values())
    each = [average_recall(matrix) for matrix in matrices.values()]
    print(
        f"unweighted average recall {average_recall(whole):.3f} over {whole.sum()} recordings of {len(each)} speakers"
    )
    print(
        f"single speakers {np.min(each):.3f} .. {np.max(each):.3f}, standard deviation {np.std(each):.3f}\n"
    )
    print(" " * 12 + " ".join(f"{label[:6]:>6}" for label in labels))
    for label, row in zip(labels, whole, strict=True):
        print(
            f"{label:12}"
            + " ".join(f"{count:6}" for count in row[:-1])
            + f"   {row[labels.index(label)] / max(row.sum(), 1):.2f}"
        )


if __name__ == "__main__":
    main()
