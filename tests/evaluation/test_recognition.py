import numpy as np
import pytest

from evp.evaluation.recognition import average_recall, confusion

LABELS = ("angry", "sad", "calm")


def test_confusion_counts_true_labels_in_rows_and_names_in_columns() -> None:
    truth, named = ["angry", "angry", "sad", "angry"], ["angry", "sad", None, "sad"]
    np.testing.assert_array_equal(confusion(truth, named, LABELS), [[1, 2, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])


def test_a_rare_class_counts_as_much_as_a_frequent_one() -> None:
    matrix = confusion(["angry"] * 98 + ["sad"] * 2, ["angry"] * 99 + ["sad"], LABELS)
    assert average_recall(matrix) == pytest.approx((1 + 0.5) / 2)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError):
        confusion(["angry"], ["cheerful"], LABELS)
