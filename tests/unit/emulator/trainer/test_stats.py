"""Token counts and dataset statistics, on numbers that can be checked by hand."""

import pytest

from tuneform_emulator.trainer import Example, Preference, count_tokens, data_stats, fitting, preference_stats
from tuneform_emulator.trainer.examples import MAX_TOKENS


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("   ", 1),
        ("Where is my parcel?", 5),
        ("order_status", 3),
        ("-98", 3),
        ("10,100,000", 10),
        ("internationally", 3),
        ("größe", 3),
        ("注文はどこ", 3),
        ("👍", 1),
    ],
)
def test_tokens_are_counted(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_the_counts_of_a_dataset() -> None:
    examples = [Example("a b", "x"), Example("a b c d", "y z"), Example("a", "x", 4)]
    stats = data_stats(examples, epochs=5, batch_size=2)
    assert stats["tuningDatasetExampleCount"] == "3"
    assert stats["tuningStepCount"] == "10"
    assert stats["totalBillableTokenCount"] == "11"
    assert stats["totalTuningCharacterCount"] == "16"
    assert stats["totalTruncatedExampleCount"] == "0"
    assert stats["userOutputTokenDistribution"]["sum"] == "4"
    assert stats["userMessagePerExampleDistribution"]["sum"] == "8"
    assert stats["userMessagePerExampleDistribution"]["max"] == 4


def test_a_distribution_tells_its_shape() -> None:
    examples = [Example(" ".join("a" * number), "x") for number in range(1, 101)]
    distribution = data_stats(examples, epochs=1)["userInputTokenDistribution"]
    buckets = distribution.pop("buckets")
    assert distribution == {
        "sum": "5050",
        "billableSum": "5050",
        "min": 1,
        "max": 100,
        "mean": 50.5,
        "median": 50.5,
        "p5": pytest.approx(5.95),
        "p95": pytest.approx(95.05),
    }
    assert buckets == [{"count": 10, "left": low, "right": low + 9} for low in range(1, 101, 10)]


def test_empty_buckets_are_left_out_and_none_is_lost() -> None:
    examples = [Example("a", "x")] * 5 + [Example("a " * 50, "x")]
    buckets = data_stats(examples, epochs=1)["userInputTokenDistribution"]["buckets"]
    assert [bucket["count"] for bucket in buckets] == [5, 1]
    assert buckets[0]["left"] == 1
    assert buckets[-1]["right"] == 50


def test_equal_values_share_one_bucket() -> None:
    stats = data_stats([Example("a", "x")] * 500, epochs=1)
    assert stats["userMessagePerExampleDistribution"]["buckets"] == [{"count": 500, "left": 2, "right": 2}]


def test_three_examples_are_shown_with_long_texts_cut() -> None:
    examples = [Example("q" * 401, "a"), Example("q" * 400, "b"), Example("third", "c"), Example("no", "d")]
    shown = data_stats(examples, epochs=1)["userDatasetExamples"]
    assert [content["role"] for content in shown] == ["user", "model"] * 3
    texts = [content["parts"][0]["text"] for content in shown]
    assert texts == ["q" * 400 + "...", "a", "q" * 400, "b", "third", "c"]


def test_no_examples_have_no_statistics() -> None:
    with pytest.raises(ValueError, match="at least one example"):
        data_stats([], epochs=1)


def test_of_a_preference_the_prompt_is_billed_twice() -> None:
    stats = preference_stats([Preference("how are you", "well", "so so")], 3)
    assert stats["totalBillableTokenCount"] == "9"  # three twice, one, two


def test_what_is_too_long_is_dropped_and_named() -> None:
    fits, long = Example("a " * (MAX_TOKENS - 1), "b"), Example("a " * MAX_TOKENS, "b")
    kept, dropped = fitting((fits, long, fits, long))
    assert (kept, dropped) == ((fits, fits), (2, 4))
    stats = data_stats([Example("a", "b")], 1, dropped)
    assert (stats["totalTruncatedExampleCount"], stats["truncatedExampleIndices"]) == ("2", ["2", "4"])
    assert len(stats["droppedExampleReasons"]) == 2
    assert preference_stats([Preference("a", "b", "c")], 1, dropped)["droppedExampleIndices"] == ["2", "4"]
    assert "droppedExampleReasons" not in data_stats([fits], 1)
