"""The digest: equal for equal content, however written; different for any other content."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuneform.datasets import DatasetSource, Split, pairs, prepare
from tuneform.datasets.canonical import vertex_line
from tuneform.datasets.problems import RowError

from .helpers import WRITERS, Pairs, as_csv, no_fetch, pair_jsonl, prepared, vertex_jsonl

# From the Gemini API fine-tuning guide: the next number.
NUMBERS = (("1", "2"), ("-3", "-2"), ("twenty two", "twenty three"), ("1,000", "1,001"), ("seven", "eight"))
AWKWARD = (
    ('say "hi", please', "hi"),
    ("two\nlines\n", " x "),
    ("Grüße, 東京 \u2028", "Zürich e\u0301"),
    ("0", "1"),
)

# Changing one of these changes every revision that was ever paid for: only with a new version of the form.
GOLDEN_NUMBERS = "sha256:a56a206beb69f40cdee62e84db13d8722ce0e54db6646a77af8a803f5552e180"
GOLDEN_CONVERSATION = "sha256:53953750e5be8f5f864fa942f40e03720bc599cc6a55807d723e599ca7e229e7"

CONVERSATION = {
    "systemInstruction": {"parts": [{"text": "Answer in one word."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}},
                {"text": "What is it?", "videoMetadata": {"fps": 4}},
            ],
        },
        {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"zoom_level": 4}}}]},
        {"role": "function", "parts": [{"functionResponse": {"name": "look", "response": {"a_b": None}}}]},
        {"role": "model", "parts": [{"text": "Cat"}]},
    ],
}
# The same in another hand: proto field names, another order of keys, nulls, 4.0, roles in capitals.
SAME_CONVERSATION = """
{"system_instruction": {"role": "SYSTEM", "parts": {"text": "Answer in one word."}}, "tools": null, "contents": [
 {"parts": [{"file_data": {"file_uri": "gs://b/a.png", "mime_type": "image/png"}},
            {"video_metadata": {"fps": 4.0}, "text": "What is it?"}], "role": "User"},
 {"parts": [{"function_call": {"args": {"zoom_level": 4.0}, "name": "look"}}], "role": "MODEL"},
 {"parts": [{"function_response": {"name": "look", "response": {"a_b": null}}}], "role": "function"},
 {"parts": [{"text": "Cat"}], "role": "model"}]}
""".replace("\n", " ").encode()

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1).filter(
    lambda text: not text.isspace()
)
examples = st.lists(st.tuples(texts, texts), min_size=1, max_size=8)


def training(root: Path, data: bytes, name: str = "data.jsonl") -> Split:
    return prepared(root, data, name).training


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("content", [NUMBERS, AWKWARD], ids=["numbers", "awkward"])
def test_every_format_gives_the_digest_of_the_vertex_form(tmp_path: Path, name: str, content: Pairs) -> None:
    expected = training(tmp_path, vertex_jsonl(content), "expected.jsonl")
    assert training(tmp_path, WRITERS[name](content), name) == expected


def test_inline_examples_give_the_digest_of_the_file(tmp_path: Path) -> None:
    inline = {"examples": [{"input": prompt, "output": output} for prompt, output in AWKWARD]}
    made = prepare(DatasetSource.from_json({"training": inline}), root=tmp_path, fetch=no_fetch)
    assert made.training == training(tmp_path, vertex_jsonl(AWKWARD))


def test_a_fetched_object_gives_the_digest_of_the_file(tmp_path: Path) -> None:
    fetched = {"gs://bucket/rows.csv": as_csv(AWKWARD)}
    source = DatasetSource.from_json({"training": "gs://bucket/rows.csv"})
    made = prepare(source, root=tmp_path, fetch=fetched.__getitem__)
    assert made.training == training(tmp_path, vertex_jsonl(AWKWARD))


def test_golden_digests(tmp_path: Path) -> None:
    assert training(tmp_path, pair_jsonl(NUMBERS)).digest == GOLDEN_NUMBERS
    assert training(tmp_path, orjson.dumps(CONVERSATION)).digest == GOLDEN_CONVERSATION


def test_spelling_of_a_conversation_does_not_matter(tmp_path: Path) -> None:
    assert training(tmp_path, SAME_CONVERSATION) == training(tmp_path, orjson.dumps(CONVERSATION))


def test_names_inside_function_arguments_are_left_alone(tmp_path: Path) -> None:
    line = orjson.loads(training(tmp_path, orjson.dumps(CONVERSATION)).lines[0])
    assert line["contents"][1]["parts"][0]["functionCall"]["args"] == {"zoom_level": 4}
    assert line["contents"][2]["parts"][0]["functionResponse"]["response"] == {"a_b": None}


def test_names_of_schema_properties_are_left_alone_and_their_fields_are_not(tmp_path: Path) -> None:
    schema = {"properties": {"user_id": {"any_of": [{"type": "STRING"}]}}}
    tools = [{"function_declarations": [{"name": "find", "parameters": schema}]}]
    line = orjson.loads(training(tmp_path, orjson.dumps({**CONVERSATION, "tools": tools})).lines[0])
    properties = line["tools"][0]["functionDeclarations"][0]["parameters"]["properties"]
    assert properties == {"user_id": {"anyOf": [{"type": "STRING"}]}}


@pytest.mark.parametrize("other", [(*NUMBERS[:-1], ("seven", "Eight")), NUMBERS[:-1], (*NUMBERS, NUMBERS[0])])
def test_another_character_another_row_or_another_copy_changes_the_digest(
    tmp_path: Path, other: Pairs
) -> None:
    assert training(tmp_path, pair_jsonl(other)).digest != training(tmp_path, pair_jsonl(NUMBERS)).digest


def test_unicode_is_not_normalised(tmp_path: Path) -> None:
    composed, decomposed = (training(tmp_path, pair_jsonl([(text, "x")])) for text in ("\u00e9", "e\u0301"))
    assert composed.digest != decomposed.digest


def test_line_ends_of_a_csv_file_do_not_matter_even_between_quotes(tmp_path: Path) -> None:
    unix = as_csv(AWKWARD)
    assert training(tmp_path, unix.replace(b"\n", b"\r\n"), "a.csv") == training(tmp_path, unix, "b.csv")


def test_the_uploaded_file_is_its_own_canonical_form(tmp_path: Path) -> None:
    first = training(tmp_path, orjson.dumps(CONVERSATION) + b"\n" + vertex_jsonl(AWKWARD))
    again = training(tmp_path, first.jsonl())
    assert again == first
    assert again.jsonl() == first.jsonl()


@settings(max_examples=60, deadline=None)
@given(examples, st.sampled_from(sorted(WRITERS)), st.randoms(use_true_random=False))
def test_any_content_in_any_order_and_format_has_one_digest(
    content: Pairs, name: str, random: object
) -> None:
    shuffled = list(content)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis names no type for its random
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        assert training(root, WRITERS[name](shuffled), name) == training(root, vertex_jsonl(content))


@settings(max_examples=60, deadline=None)
@given(examples, st.sampled_from(sorted(WRITERS)))
def test_pairs_come_back_as_they_were_written(content: Pairs, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert sorted(pairs(training(Path(folder), WRITERS[name](content), name))) == sorted(content)


def test_equal_content_in_json_escapes_is_equal(tmp_path: Path) -> None:
    escaped = json.dumps({"text_input": "Grüße 東京 😀", "output": "x/y"}).replace("/", "\\/").encode()
    assert training(tmp_path, escaped) == training(tmp_path, pair_jsonl([("Grüße 東京 😀", "x/y")]))


SOME_TURN = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "model", "model", "function", "User", "system"]),
        "parts": st.lists(st.fixed_dictionaries({"text": texts | st.just(" ")}), min_size=1, max_size=2),
    }
)


def made_of(example: dict[str, object], preamble: str) -> object:
    try:
        return vertex_line(example, preamble)
    except RowError as wrong:
        return wrong.code, wrong.message, wrong.hint


@settings(deadline=None)
@given(st.lists(SOME_TURN, max_size=4), st.sampled_from(["", " ", "Say it.\n"]))
@example([{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}], "Say it.")
def test_turns_of_text_alone_give_the_line_that_all_else_would(turns: list[object], preamble: str) -> None:
    # A null field is left out, and such an example is looked at field by field.
    assert made_of({"contents": turns}, preamble) == made_of({"contents": turns, "tools": None}, preamble)
