"""Datasets: read, check, convert, divide, digest, count."""

from tuneform.datasets.prepare import Prepared, prepare
from tuneform.datasets.source import DatasetSource, Fractions, Part
from tuneform.datasets.splits import Split, pairs, requests
from tuneform.datasets.tokens import count_tokens

__all__ = [
    "DatasetSource",
    "Fractions",
    "Part",
    "Prepared",
    "Split",
    "count_tokens",
    "pairs",
    "prepare",
    "requests",
]
