"""What is wrong with a dataset is said with its place, all at once, and never as a traceback."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tuneform.datasets
from tuneform.datasets.codes import CODES
from tuneform.errors import DatasetErrors, Diagnostic

from .helpers import as_csv, pair_jsonl, prepared, refused, vertex_jsonl

GOOD = vertex_jsonl([("a", "b")])


def line(*turns: Any, **fields: Any) -> bytes:
    return json.dumps({"contents": list(turns), **fields}).encode()


def turn(role: str, text: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


USER, MODEL = turn("user", "q"), turn("model", "a")
DEEP: Any = 1
for _ in range(80):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        (b'{"contents": ', "E210", "not JSON"),
        (b"[" * 3000, "E210", "not JSON"),
        (b'{"contents": "\xff"}', "E206", "0xff"),
        (b'{"contents": \0}', "E207", "NUL"),
        (b"3", "E211", "an object, not a number"),
        (b"{}", "E220", "contents"),
        (b'{"contents": []}', "E220", "contents"),
        (line("hello", MODEL), "E211", "turn 1"),
        (line(USER, turn("assistant", "x")), "E221", "turn 2 has the unknown role 'assistant'"),
        (line({"parts": [{"text": "x"}]}, MODEL), "E221", "turn 1 has no role"),
        (line(USER), "E222", "user"),
        (line(MODEL), "E223", "user"),
        (line(turn("user", ""), MODEL), "E224", "turn 1 is empty"),
        (line(USER, turn("model", " \n")), "E224", "turn 2 is empty"),
        (line({"role": "user", "parts": []}, MODEL), "E224", "turn 1"),
        (line({"role": "user"}, MODEL), "E214", "turn 1 has no parts"),
        (line({"role": "user", "parts": ["x"]}, MODEL), "E211", "not a text"),
        (line(turn("user", 4), MODEL), "E211", "not a number"),
        (line(turn("user", "a\0b"), MODEL), "E207", "NUL"),
        (line(USER, MODEL, systemInstruction=[]), "E211", "not a list"),
        (line(USER, MODEL, systemInstruction={"parts": []}), "E224", "systemInstruction"),
        (line(USER, MODEL, systemInstruction="x", system_instruction="x"), "E212", "systemInstruction"),
        (line(USER, MODEL, tools=DEEP), "E215", "deeper"),
        (line(turn("user", "word " * 110_000), MODEL), "E240", "131,072"),
    ],
)
def test_a_bad_vertex_line_is_named_by_its_line(tmp_path: Path, bad: bytes, code: str, words: str) -> None:
    (wrong,) = refused(tmp_path, GOOD + b"\n" + bad + b"\n" + GOOD)
    assert wrong.code == code
    assert words in wrong.message
    assert wrong.position is not None
    assert str(wrong.position).startswith(f"{tmp_path / 'data.jsonl'}:3:")


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        ({"text_input": "a"}, "E214", "no output"),
        ({"output": "a"}, "E214", "no text_input"),
        ({"text_input": "a", "output": ""}, "E224", "output is empty"),
        ({"text_input": " ", "output": "a"}, "E224", "input is empty"),
        ({"text_input": 1, "output": "a"}, "E211", "not a number"),
        ({"text_input": "a", "output": "b", "context": "c"}, "E213", "'context'"),
        ({"text_input": "a", "textInput": "b", "output": "c"}, "E212", "twice"),
        (["a", "b", "c"], "E211", "3 values"),
        (["a", None], "E211", "null"),
        ("a", "E211", "pair"),
    ],
)
def test_a_bad_pair_is_named_by_its_line_or_its_place_in_the_list(
    tmp_path: Path, bad: Any, code: str, words: str
) -> None:
    (in_lines,) = refused(tmp_path, pair_jsonl([("a", "b")]) + json.dumps(bad).encode())
    (in_list,) = refused(tmp_path, json.dumps([["a", "b"], bad]).encode(), "list.json")
    assert in_lines.code == in_list.code == code
    assert words in in_lines.message
    assert in_lines.position is not None
    assert in_lines.position.line == 2
    assert in_list.message == f"list.json: example 2: {in_lines.message}"


@pytest.mark.parametrize(
    ("data", "code", "number", "words"),
    [
        (b'text_input,output\n"two\nlines",x\na,\n', "E224", 4, "output is empty"),
        (b'text_input,output\na,b\n"never ends,x\ny,z\n', "E231", 3, "unbalanced quote"),
        (b'text_input,output\na,b\n"a"b,c\n', "E231", 3, "closing quote"),
        (b"text_input,output\na,b\n\na,b,c\n", "E232", 4, "3 fields"),
        (b"text_input,output\na\n", "E232", 2, "1 field,"),
        (b"text_input,output\na,\xfcber\n", "E206", 2, "0xfc"),
        (b"text_input,output\na,b\0\n", "E207", 2, "NUL"),
        (b"a,b,c\n1,2,3\n", "E230", 1, "3 columns"),
        (b"a,a\n1,2\n", "E230", 1, "'a' twice"),
    ],
)
def test_a_bad_csv_row_is_named_by_the_line_it_begins_on(
    tmp_path: Path, data: bytes, code: str, number: int, words: str
) -> None:
    wrong = refused(tmp_path, data, "rows.csv")[0]
    assert (wrong.code, wrong.position and wrong.position.line) == (code, number)
    assert words in wrong.message


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_what_is_wrong_far_down_in_a_csv_file_has_its_line_and_its_turn(tmp_path: Path, end: bytes) -> None:
    # Longer than what is decoded at once; two lines to each record.
    rows = [b'"%d%s%s",b' % (number, end, b"a" * 200) for number in range(7_000)]
    rows[0:0] = [b"\xef\xbb\xbftext_input,output"]
    rows[6_000:6_000] = [b"a,b,c", b"a,\xfcber", b"", b'"a"b,c', b"a,b\0", b'"c' + end + b'd",']
    found = refused(tmp_path, end.join(rows), "rows.csv")
    start = 2 * 6_000
    assert [(wrong.code, wrong.position and wrong.position.line) for wrong in found] == [
        ("E232", start),
        ("E206", start + 1),
        ("E231", start + 3),
        ("E207", start + 4),  # the line, and then the text that is in it
        ("E207", start + 4),
        ("E224", start + 5),
    ]


def test_a_missing_column_is_told_what_the_header_has(tmp_path: Path) -> None:
    columns = {"input": "text", "output": "intent"}
    (wrong,) = refused(tmp_path, b"text,category\na,b\n", "rows.csv", columns=columns)
    assert wrong.code == "E230"
    assert "'intent'" in wrong.message
    assert "'text', 'category'" in wrong.hint


def test_columns_are_found_by_name_wherever_they_are(tmp_path: Path) -> None:
    data = b" output ,id,text_input\nb,1,a\n"
    assert prepared(tmp_path, data, "x.csv").training == prepared(tmp_path, GOOD).training
    named = {"input": "text_input", "output": "output"}
    assert prepared(tmp_path, data, "x.csv", columns=named).training == prepared(tmp_path, GOOD).training


def test_a_csv_field_may_be_longer_than_pythons_own_limit(tmp_path: Path) -> None:
    long = "word " * 40_000
    assert prepared(tmp_path, as_csv([(long, "x")]), "x.csv").training.examples == 1


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b" \r\n"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json"])
def test_an_empty_file_has_no_examples(tmp_path: Path, data: bytes, name: str) -> None:
    (wrong,) = refused(tmp_path, data, name)
    assert wrong.code == "E204"


@pytest.mark.parametrize("data", [b"[]", b"text_input,output\n"])
def test_a_list_or_a_header_alone_has_no_examples(tmp_path: Path, data: bytes) -> None:
    (wrong,) = refused(tmp_path, data, "a.csv" if data != b"[]" else "a.json")
    assert wrong.code == "E204"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.txt", b"once upon a time"),
        ("data", b"a,b\n1,2\n"),
        ("x.jsonl", b'{"messages": []}\n'),
        ("x.jsonl", b"3\n"),
    ],
)
def test_a_format_that_cannot_be_told_is_asked_for(tmp_path: Path, name: str, data: bytes) -> None:
    (wrong,) = refused(tmp_path, data, name)
    assert wrong.code == "E205"
    assert wrong.hint


def test_content_decides_where_the_name_says_nothing(tmp_path: Path) -> None:
    expected = prepared(tmp_path, GOOD).training
    assert prepared(tmp_path, GOOD, "data").training == expected
    assert prepared(tmp_path, as_csv([("a", "b")]), "data.txt").training == expected


def test_a_format_that_is_named_is_not_guessed(tmp_path: Path) -> None:
    assert prepared(tmp_path, b"q,a\na,b\n", "x.txt", format="csv").training.examples == 1
    (wrong,) = refused(tmp_path, GOOD, format="gemini-pairs")
    assert wrong.code == "E213"
    (wrong,) = refused(tmp_path, pair_jsonl([("a", "b")]), format="vertex-jsonl")
    assert wrong.code == "E220"


def test_a_single_object_is_one_line_and_one_spread_over_lines_is_refused(tmp_path: Path) -> None:
    assert prepared(tmp_path, GOOD.strip()).training.examples == 1
    (wrong,) = refused(tmp_path, json.dumps(json.loads(GOOD), indent=1).encode())
    assert wrong.code == "E211"
    assert "list" in wrong.message


def test_lists_of_two_may_stand_one_a_line(tmp_path: Path) -> None:
    assert prepared(tmp_path, b'["a","b"]\n["c","d"]\n').training.examples == 2
    assert prepared(tmp_path, b'["a","b"]\n').training == prepared(tmp_path, GOOD).training


def test_a_broken_list_is_shown_where_it_breaks(tmp_path: Path) -> None:
    (wrong,) = refused(tmp_path, b'[\n["a","b"],\n["c" "d"]\n]', "a.json")
    assert wrong.code == "E210"
    assert str(wrong.position) == f"{tmp_path / 'a.json'}:3:6"


def test_all_problems_of_all_parts_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_bytes(b"text_input,output\na,\n")
    found = refused(tmp_path, b"{}\n" + GOOD + b"{\n", format="auto", test="test.csv", validation="no.csv")
    assert [wrong.code for wrong in found] == ["E205", "E201", "E224"]


def test_problems_beyond_twenty_are_counted(tmp_path: Path) -> None:
    found = refused(tmp_path, GOOD + b"{}\n" * 33)
    assert len(found) == 21
    assert found[-1].message == "and 13 more"


def test_no_content_of_the_data_is_shown(tmp_path: Path) -> None:
    bad = b'{"contents": [{"role": "user", "parts": [{"text": "my IBAN is DE00"}]}], }\n'
    shown = DatasetErrors(refused(tmp_path, GOOD + bad)).render()
    assert "IBAN" not in shown


def test_a_name_that_is_not_one_is_cut(tmp_path: Path) -> None:
    (wrong,) = refused(tmp_path, GOOD + line(USER, turn("x" * 500, "a")))
    assert len(wrong.message) < 100


def test_limits_stop_the_reading(tmp_path: Path) -> None:
    (wrong,) = refused(tmp_path, GOOD * 3, limits={"textExamples": {"value": 2, "source": "a page"}})
    assert (wrong.code, wrong.position and wrong.position.line) == ("E241", 3)
    (wrong,) = refused(tmp_path, GOOD * 2, limits={"trainingFile": {"value": 150, "source": "a page"}})
    assert wrong.code == "E242"
    assert "documented in a page" in wrong.hint


def test_examples_with_media_have_a_limit_of_their_own(tmp_path: Path) -> None:
    limits = {"multimodalExamples": {"value": 2, "source": "a page"}}
    image = turn("user", "see")
    image["parts"].append({"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}})
    (wrong,) = refused(tmp_path, GOOD * 2 + line(image, MODEL), limits=limits)
    assert (wrong.code, "3 examples, with media among them; 2 at most" in wrong.message) == ("E241", True)
    assert prepared(tmp_path, GOOD + line(image, MODEL), limits=limits).training.examples == 2
    asked = line(turn("user", '{"fileData": {"fileUri": "no file but a text"}}'), MODEL)
    assert prepared(tmp_path, GOOD * 2 + asked, limits=limits).training.examples == 3


def test_what_is_unknown_limits_nothing(tmp_path: Path) -> None:
    long = line(turn("user", "word " * 110_000), MODEL)
    (tmp_path / "validation.jsonl").write_bytes(pair_jsonl([(f"q{n}", "a") for n in range(1_001)]))
    made = prepared(tmp_path, GOOD + long, validation="validation.jsonl", limits={})
    assert made.training.examples == 2


def test_too_many_validation_examples_are_refused_with_the_source(tmp_path: Path) -> None:
    rows = [(f"q{number}", "a") for number in range(1_001)]
    (tmp_path / "validation.jsonl").write_bytes(pair_jsonl(rows))
    (wrong,) = refused(tmp_path, GOOD, validation="validation.jsonl")
    assert wrong.code == "E243"
    assert "at most 1,000" in wrong.message
    assert "documented in" in wrong.hint


def test_repeated_and_leaked_examples_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_bytes(b"text_input,output\na,b\n")
    made = prepared(tmp_path, vertex_jsonl([("x", "y"), ("a", "b"), ("a", "b")]), test="test.csv")
    repeated, leaked = made.warnings
    assert (repeated.code, repeated.severity) == ("E250", "warning")
    assert repeated.position is not None
    assert repeated.position.line == 2
    assert leaked.code == "E251"
    assert "1 example in training and in test" in leaked.message


def test_a_clean_dataset_has_no_warnings(tmp_path: Path) -> None:
    assert prepared(tmp_path, GOOD).warnings == ()


def test_every_code_that_is_raised_is_explained() -> None:
    folder = Path(tuneform.datasets.__file__).parent
    modules = [path for path in folder.glob("*.py") if path.name != "codes.py"]
    raised = {code for path in modules for code in re.findall(r'"(E2\d\d)"', path.read_text())}
    assert raised == set(CODES)


fragments = st.sampled_from(
    [
        b"",
        b"{",
        b"[",
        b'"',
        b",",
        b"\n",
        b"\r\n",
        b"\xef\xbb\xbf",
        b'{"contents":',
        b"text_input,output",
        b"]",
        b"}",
        GOOD,
        b'{"text_input":"a","output":',
        b'["a","b"]',
        b"\xff\xfe",
        b"\0",
        b"null",
        b"1e999",
        b'"\\ud800"',
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.lists(fragments, max_size=12).map(b"".join)),
    st.sampled_from(["a.jsonl", "a.json", "a.csv", "a"]),
    st.sampled_from(["auto", "csv", "vertex-jsonl", "gemini-pairs"]),
)
@example(b'"\n"', "a.csv", "auto")
def test_any_bytes_are_a_dataset_or_a_clear_error(data: bytes, name: str, file_format: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wrong, examples = outcome(Path(folder), data, name, file_format)
    assert bool(wrong) != bool(examples)
    assert all(diagnostic.code in CODES and diagnostic.render() for diagnostic in wrong)


def outcome(root: Path, data: bytes, name: str, file_format: str) -> tuple[tuple[Diagnostic, ...], int]:
    try:
        return (), prepared(root, data, name, format=file_format).training.examples
    except DatasetErrors as error:
        return error.diagnostics, 0


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "datasets.md").read_text()
    rows = [f"| {code} | **{entry.title}.** {entry.explanation} |" for code, entry in CODES.items()]
    assert [line for line in page.splitlines() if line.startswith("| E2")] == rows
