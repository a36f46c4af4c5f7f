"""Metrics: which files hold them, and which numbers in these they are."""

import pytest

from jupyter_datalake.model.metrics import MAX_METRICS_BYTES, is_metrics_file, metrics_in
from jupyter_datalake.model.paths import RepoPath


@pytest.mark.parametrize(
    ("path", "size_bytes", "is_one"),
    [
        ("metrics.json", 10, True),
        ("deep/er/Test_Metrics.json", 10, True),
        ("metrics.json", MAX_METRICS_BYTES + 1, False),
        ("metrics.json/x", 10, False),
        ("metrics.csv", 10, False),
        ("other.json", 10, False),
    ],
)
def test_a_file_of_metrics_is_told_by_its_name(path, size_bytes, is_one):
    assert is_metrics_file(RepoPath(path), size_bytes) is is_one


def test_numbers_are_named_by_where_they_are():
    document = b"""{"auc": 0.8, "n": 3, "train": {"loss": [0.5, 0.25]}, "name": "ridge",
                    "is_best": true, "none": null, "no": NaN, "much": 1e999}"""
    assert dict(metrics_in(document)) == {
        "auc": 0.8,
        "n": 3,
        "train.loss.0": 0.5,
        "train.loss.1": 0.25,
    }


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 10_000, b"1" * 400])
def test_what_does_not_parse_has_none(data):
    assert list(metrics_in(data)) == []
