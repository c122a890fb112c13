"""What each code in a diagnostic about datasets means. Codes are stable: they are looked up, filtered and linked."""

from __future__ import annotations

from collections.abc import Mapping

from tuneform.specs.reference.codes import Code

CODES: Mapping[str, Code] = {
    "E201": Code("Dataset file not found", "The file named in the spec does not exist or cannot be read."),
    "E202": Code(
        "Dataset path leaves the spec folder",
        "Dataset files live in the folder of the specs, so that a review of that folder sees all of "
        "them; this path, after following symbolic links, leads out of it.",
    ),
    "E203": Code("Malformed dataset source", "The description of the dataset itself is not understood."),
    "E204": Code("No examples", "The file or list holds no example, or the split leaves none to train on."),
    "E205": Code(
        "Format not recognised",
        "`format: auto` goes by the file's extension and then by its first example, and neither was enough.",
    ),
    "E206": Code("Not UTF-8", "Datasets are UTF-8 text, with or without a byte order mark."),
    "E207": Code("NUL character", "A NUL character is in the data, which usually means that it is not text."),
    "E210": Code("Not JSON", "The line, or the document, is not JSON."),
    "E211": Code("Unexpected value", "The value is JSON, but not of the type that belongs here."),
    "E212": Code("Field given twice", "A field is there in two spellings, such as textInput and text_input."),
    "E213": Code("Unknown field", "A Gemini pair holds text_input and output, and nothing else."),
    "E214": Code("Missing field", "An example lacks a field that it must have."),
    "E215": Code("Nested too deeply", "The example is nested deeper than any real request."),
    "E220": Code("Missing contents", "A Vertex example has its turns in `contents`."),
    "E221": Code("Unknown role", "The role of a turn is user, model or function."),
    "E222": Code(
        "Last turn is not the model's",
        "What the model should learn to answer is the last turn of an example, so its role is model.",
    ),
    "E223": Code("No user turn", "An example asks something before the model answers it."),
    "E224": Code("Empty text", "A prompt, an answer or a text part is empty or blank."),
    "E225": Code(
        "Preference data",
        "The example has two scored answers, which is what preference tuning learns from; the Dataset does not say so.",
    ),
    "E226": Code(
        "Not a preference",
        "An example for preference tuning is a prompt that ends with the user's turn, and two different answers of the "
        "model's: the preferred one with the score 1, the other with 0.",
    ),
    "E227": Code("More than text", "Preference tuning takes text; images, sound and other data it does not."),
    "E230": Code("Missing column", "The CSV header does not name the columns that are needed."),
    "E231": Code("Malformed CSV", "A row breaks the CSV rules, most often with an unbalanced quote."),
    "E232": Code("Wrong number of fields", "A CSV row has more or fewer fields than the header."),
    "E240": Code(
        "Example too long", "By estimate, the example is longer than the service accepts for one example."
    ),
    "E241": Code("Too many examples", "There are more examples than the service accepts in one file."),
    "E242": Code("File too large", "The file that would be uploaded is larger than the service accepts."),
    "E243": Code(
        "Too many validation examples",
        "The service accepts 5,000 validation examples, and at most 30% of the number of training "
        "examples when there are more than 1,000 of them.",
    ),
    "E249": Code("More problems", "Only the first problems of a run are listed."),
    "E250": Code(
        "Repeated examples",
        "A warning: the same example is there more than once, so it weighs more. Sometimes that is meant.",
    ),
    "E251": Code(
        "Example in two splits",
        "A warning: the same example is used to train and to judge, so the measured quality flatters "
        "the model.",
    ),
}
