"""What the example datasets under specs/data claim to be, checked on the files themselves."""

import csv
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "specs" / "data"
SPLITS = {"train": 65, "validation": 5, "test": 10}
INTENTS = {
    "account_access",
    "cancel_order",
    "change_address",
    "damaged_item",
    "order_status",
    "payment_problem",
    "product_question",
    "refund_status",
    "return_item",
    "speak_to_human",
}
# The examples of the Gemini API's tuning guide, in its order.
GUIDE = [
    *("1", "3", "-3", "twenty two", "two hundred", "ninety nine", "8", "-98", "1,000", "10,100,000"),
    *("thirteen", "eighty", "one", "three", "seven"),
]
SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
ROUND = "twenty thirty forty fifty sixty seventy eighty ninety"
UNITS = {word: number for number, word in enumerate(SMALL.split())}
TENS = {word: 10 * number for number, word in enumerate(ROUND.split(), start=2)}


@cache
def messages(split: str) -> list[tuple[str, str]]:
    with (DATA / "support-intents" / f"{split}.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == ["text", "intent"]
        return [(row["text"], row["intent"]) for row in reader]


@cache
def pairs() -> list[tuple[str, str]]:
    lines = (DATA / "next-number" / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    documents = [json.loads(line) for line in lines]
    assert all(set(document) == {"text_input", "output"} for document in documents)
    return [(document["text_input"], document["output"]) for document in documents]


def letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def number_of(text: str) -> int:
    """Read digits with thousands separators, or English words as a chain of additions and products."""
    if re.fullmatch(r"-?\d{1,3}(,\d{3})*", text):
        return int(text.replace(",", ""))
    sign, words = (-1, text.removeprefix("minus ")) if text.startswith("minus ") else (1, text)
    total = group = 0
    for word in words.split(" "):
        if word == "hundred":
            group *= 100
        elif word in ("thousand", "million"):
            total, group = total + group * {"thousand": 1_000, "million": 1_000_000}[word], 0
        else:
            group += UNITS[word] if word in UNITS else TENS[word]
    return sign * (total + group)


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_holds_each_intent_equally_often(split: str) -> None:
    assert Counter(intent for _, intent in messages(split)) == dict.fromkeys(INTENTS, SPLITS[split])


def test_no_message_occurs_twice_not_even_across_splits() -> None:
    seen = Counter(letters(text) for split in SPLITS for text, _ in messages(split))
    assert [text for text, count in seen.items() if count > 1] == []


def test_messages_are_written_and_not_filled_into_a_template() -> None:
    openings = Counter(tuple(text.lower().split()[:5]) for split in SPLITS for text, _ in messages(split))
    assert max(openings.values()) <= 8
    lengths = [len(text.split()) for split in SPLITS for text, _ in messages(split)]
    assert min(lengths) == 1
    assert max(lengths) >= 18


def test_messages_are_clean_text_without_personal_data() -> None:
    for split in SPLITS:
        for text, _ in messages(split):
            assert text == text.strip()
            assert not re.search(r"@|https?:|\d{6,}|[\x00-\x1f]", text)


def test_the_guides_pairs_come_first() -> None:
    assert [text for text, _ in pairs()[:15]] == GUIDE


def test_there_are_over_two_hundred_pairs_in_every_style() -> None:
    inputs = [text for text, _ in pairs()]
    assert len(inputs) >= 200
    assert len(set(inputs)) == len(inputs)
    for style in (r"\d{1,3}", r"-\d{1,3}", r"\d{1,3}(,\d{3})+", r"-\d{1,3}(,\d{3})+", r"[a-z ]+"):
        assert sum(bool(re.fullmatch(style, text)) for text in inputs) >= 9


def test_every_output_is_the_next_number_in_the_style_of_its_input() -> None:
    for text, output in pairs():
        assert number_of(output) == number_of(text) + 1, text
        assert output[-1].isdigit() == text[-1].isdigit(), text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-1,000", -1000),
        ("zero", 0),
        ("minus one hundred one", -101),
        ("one hundred twenty three thousand four hundred fifty six", 123_456),
        ("two million five hundred thousand", 2_500_000),
    ],
)
def test_the_reader_of_numbers_reads_them(text: str, number: int) -> None:
    assert number_of(text) == number
