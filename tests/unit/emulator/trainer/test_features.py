"""The frozen projection: what makes two texts alike, and that encoding in parts changes nothing."""

import numpy as np
import pytest

from tuneform_emulator.trainer import features
from tuneform_emulator.trainer.features import DIMENSIONS, EncodedTexts, centre, encode


def likeness(left: str, right: str) -> float:
    rows = encode([left, right])
    return float(rows[0] @ rows[1] / np.linalg.norm(rows[0]) / np.linalg.norm(rows[1]))


def test_texts_with_common_words_are_nearer_than_others() -> None:
    near = likeness("Where is my parcel?", "my parcel, where is it")
    far = likeness("Where is my parcel?", "I forgot the password")
    assert near > 0.5
    assert far < 0.2


def test_case_and_white_space_do_not_matter() -> None:
    assert likeness("Where  IS\nmy parcel", "where is my parcel") == pytest.approx(1)


def test_a_sign_before_a_number_matters() -> None:
    assert likeness("-3", "3") < 0.9


def test_a_text_is_encoded_the_same_alone_and_among_others() -> None:
    texts = ["one", "", "zwölf Äpfel 🍎", "two hundred and two", "a" * 10_000, "\ud800 half a character"]
    together = encode(texts)
    for row, text in zip(together, texts, strict=True):
        assert np.array_equal(row, encode([text])[0])


def test_of_a_long_text_the_beginning_and_the_end_count() -> None:
    middle = "filler " * 5000
    assert likeness(f"refund please {middle}", middle) < 1
    assert likeness(f"{middle} cancel the order", middle) < 1
    assert np.array_equal(
        encode([f"{middle} in the middle {middle}"])[0], encode([f"{middle} somewhere {middle}"])[0]
    )


def test_no_texts_and_empty_texts_are_encoded() -> None:
    assert encode([]).shape == (0, DIMENSIONS)
    assert not encode(["", "   "]).any()


def test_cached_and_uncached_texts_give_the_same_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"message {number} about parcel {number % 7}" for number in range(600)]
    cached = EncodedTexts(texts)
    monkeypatch.setattr(features, "_CACHED_CHARACTERS", 0)
    uncached = EncodedTexts(texts)
    rows = [599, 0, 256, 255, 3]
    assert np.array_equal(cached.counts(rows), uncached.counts(rows))
    assert np.array_equal(cached.counts(rows), encode([texts[row] for row in rows]))
    assert np.array_equal(cached.mean, uncached.mean)


def test_a_shared_preamble_is_centred_away() -> None:
    texts = ["where is my parcel", "refund my money", "close my account"]
    preamble = "You are a patient assistant of a shop. Name the intent of this message: "
    plain, prefixed = EncodedTexts(texts), EncodedTexts([preamble + text for text in texts])
    for row in range(len(texts)):
        left = centre(plain.counts([row]), plain.mean)
        right = centre(prefixed.counts([row]), prefixed.mean)
        assert float((left @ right.T)[0, 0]) > 0.9


def test_the_mean_text_itself_stays_finite() -> None:
    only = EncodedTexts(["alone"])
    assert not centre(only.counts([0]), only.mean).any()
