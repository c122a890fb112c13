"""Reading tuning datasets: what a line means, and what is said of a bad one."""

import json

import pytest

from tuneform_emulator.trainer import DatasetError, Example, parse_jsonl, prompt_text

USER = {"role": "user", "parts": [{"text": "hi"}]}
MODEL = {"role": "model", "parts": [{"text": "greeting"}]}
GOOD = json.dumps({"contents": [USER, MODEL]})


def test_a_line_is_a_prompt_and_its_output() -> None:
    assert parse_jsonl(GOOD.encode()) == (Example("hi", "greeting", 2),)


def test_the_system_instruction_and_earlier_turns_are_part_of_the_prompt() -> None:
    line = {
        "systemInstruction": {"role": "system", "parts": [{"text": "Be"}, {"text": " brief."}]},
        "contents": [USER, MODEL, {"role": "user", "parts": [{"text": "bye"}]}, MODEL],
    }
    expected = Example("Be brief.\n\nhi\ngreeting\nbye", "greeting", 4)
    assert parse_jsonl(json.dumps(line).encode()) == (expected,)


def test_a_question_reads_the_same_as_in_training() -> None:
    line = json.dumps({"system_instruction": "Be brief.", "contents": [USER, MODEL]})
    assert prompt_text([USER], {"parts": [{"text": "Be brief."}]}) == parse_jsonl(line.encode())[0].prompt


def test_blank_lines_and_foreign_line_ends_are_passed_over() -> None:
    assert len(parse_jsonl(f"\ufeff{GOOD}\r\n\r\n  \n{GOOD}\n".encode())) == 2


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "Missing required `contents` field."),
        ('{"contents": "hi"}', "must be a list of turns"),
        ('{"contents": [1, 2]}', "must be a list of turns"),
        (json.dumps({"contents": [USER]}), "needs a user turn and a model turn"),
        (json.dumps({"contents": [MODEL, USER]}), "last turn of `contents` must have the role `model`"),
        (json.dumps({"contents": [{"role": "bot", "parts": []}, MODEL]}), "'bot'"),
        (json.dumps({"contents": [{"role": "user", "parts": []}, MODEL]}), "`parts`"),
        (json.dumps({"contents": [{"role": "user", "parts": "hi"}, MODEL]}), "`parts`"),
        (json.dumps({"contents": [{"role": "user", "parts": [{"fileData": {}}]}, MODEL]}), "text only"),
        (json.dumps({"contents": [USER, {"role": "model", "parts": [{"text": ""}]}]}), "no text to learn"),
        (json.dumps({"systemInstruction": 7, "contents": [USER, MODEL]}), "`parts`"),
    ],
)
def test_a_bad_line_is_named_by_its_row(line: str, complaint: str) -> None:
    with pytest.raises(DatasetError) as caught:
        parse_jsonl(f"{GOOD}\n\n{line}\n".encode())
    assert caught.value.row == 2
    assert caught.value.message.startswith("Row: 2. ")
    assert complaint in caught.value.message


def test_bytes_that_are_not_text_are_named_by_their_row() -> None:
    with pytest.raises(DatasetError, match=r"Row: 1\. The line is not valid JSON"):
        parse_jsonl(GOOD.encode() + b"\n\xff\xfe\xfa{}")


def test_the_missing_contents_message_is_the_services_own() -> None:
    with pytest.raises(DatasetError) as caught:
        parse_jsonl(b'{"text_input": "1", "output": "2"}')
    assert str(caught.value) == "Row: 0. Missing required `contents` field."


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_an_empty_dataset_is_refused(data: bytes) -> None:
    with pytest.raises(DatasetError, match="holds no examples"):
        parse_jsonl(data)


def test_the_content_key_tells_prompt_from_output() -> None:
    assert Example("ab", "c").content_key() != Example("a", "bc").content_key()
    assert Example("ab", "c", 2).content_key() == Example("ab", "c", 4).content_key()
    assert len(Example("\ud800", "half a character").content_key()) == 32
