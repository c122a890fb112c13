"""The codes of everything that can be wrong with a dataset: stable, so that they can be looked up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A stable code: what it is called and what it means."""

    code: str
    title: str
    explanation: str


_TABLE = (
    Code("E201", "dataset file not found", "The file named in the spec does not exist or cannot be read."),
    Code(
        "E202",
        "dataset path leaves the spec folder",
        "Dataset files live in the folder of the specs, so that a review of that folder sees all of them; this "
        "path, after following symbolic links, leads out of it.",
    ),
    Code("E203", "malformed dataset source", "The description of the dataset itself is not understood."),
    Code("E204", "no examples", "The file or list holds no example, or the split leaves none to train on."),
    Code(
        "E205",
        "format not recognised",
        "`format: auto` goes by the file's extension and then by its first example, and neither was enough.",
    ),
    Code("E206", "not UTF-8", "Datasets are UTF-8 text, with or without a byte order mark."),
    Code("E207", "NUL character", "A NUL character is in the data, which usually means that it is not text."),
    Code("E210", "not JSON", "The line, or the document, is not JSON."),
    Code("E211", "unexpected value", "The value is JSON, but not of the type that belongs here."),
    Code("E212", "field given twice", "A field is there in two spellings, such as textInput and text_input."),
    Code("E213", "unknown field", "A Gemini pair holds text_input and output, and nothing else."),
    Code("E214", "missing field", "An example lacks a field that it must have."),
    Code("E215", "nested too deeply", "The example is nested deeper than any real request."),
    Code("E220", "missing contents", "A Vertex example has its turns in `contents`."),
    Code("E221", "unknown role", "The role of a turn is user, model or function."),
    Code(
        "E222",
        "last turn is not the model's",
        "What the model should learn to answer is the last turn of an example, so its role is model.",
    ),
    Code("E223", "no user turn", "An example asks something before the model answers it."),
    Code("E224", "empty text", "A prompt, an answer or a text part is empty or blank."),
    Code("E230", "missing column", "The CSV header does not name the columns that are needed."),
    Code("E231", "malformed CSV", "A row breaks the CSV rules, most often with an unbalanced quote."),
    Code("E232", "wrong number of fields", "A CSV row has more or fewer fields than the header."),
    Code(
        "E240",
        "example too long",
        "By estimate, the example is longer than the service accepts for one example.",
    ),
    Code("E241", "too many examples", "There are more examples than the service accepts in one file."),
    Code("E242", "file too large", "The file that would be uploaded is larger than the service accepts."),
    Code(
        "E243",
        "too many validation examples",
        "The service accepts 5,000 validation examples, and at most 30% of the number of training examples when "
        "there are more than 1,000 of them.",
    ),
    Code("E249", "more problems", "Only the first problems of a run are listed."),
    Code(
        "E250",
        "repeated examples",
        "A warning: the same example is there more than once, so it weighs more. Sometimes that is meant.",
    ),
    Code(
        "E251",
        "example in two splits",
        "A warning: the same example is used to train and to judge, so the measured quality flatters the model.",
    ),
)

CODES = {entry.code: entry for entry in _TABLE}
