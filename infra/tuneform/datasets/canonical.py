"""One example as one canonical line: the same content gives the same bytes, however it was written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from tuneform.datasets.problems import RowError, quoted
from tuneform.datasets.tokens import count_tokens

ROLES = ("user", "model", "function")
_DEPTH = 64
_EXACT = 2**53
_SNAKE = re.compile(r"(?<=[A-Za-z0-9])_([A-Za-z0-9])")
# Values that are the user's own JSON (google.protobuf.Struct and Value fields): names in them are not ours to change.
_OPAQUE = frozenset({"args", "response", "labels", "default", "example", "enum", "parametersJsonSchema"})


class Canonical(NamedTuple):
    """The line, without a line feed, and the tokens of its texts by estimate.

    `again` are tokens that are billed a second time.
    """

    line: bytes
    tokens: int
    again: int = 0


def pair_line(prompt: str, output: str, preamble: str = "") -> Canonical:
    """The line of a single question and its answer. Raises RowError."""
    _check_text(prompt, "the input")
    _check_text(output, "the output")
    asked = _with_preamble(prompt, preamble)
    turns = [{"parts": [{"text": asked}], "role": "user"}, {"parts": [{"text": output}], "role": "model"}]
    return _finish({"contents": turns}, count_tokens(asked) + count_tokens(output))


def vertex_line(value: Any, preamble: str = "") -> Canonical:
    """The line of an example in Vertex form, as parsed from JSON. Raises RowError.

    Parts other than text pass through as they are, but for the spelling of field names and of numbers.
    """
    if not isinstance(value, dict):
        raise RowError("E211", f"an example is an object, not {_type(value)}")
    dialogue = _dialogue(value, preamble)
    if dialogue is not None:
        return dialogue
    example = _plain(value, 0)
    if "completions" in example:
        hint = "if the examples say which answer is preferred, write format: preference-jsonl in the Dataset"
        raise RowError("E225", "`completions` belong to preference tuning", hint=hint)
    turns = _turns(example)
    if turns[-1]["role"] != "model":
        raise RowError(
            "E222", f"the last turn is {turns[-1]['role']}'s; what is to be learned is a model turn"
        )
    asked = next((turn for turn in turns if turn["role"] == "user"), None)
    if asked is None:
        raise RowError("E223", "no turn of the user's: there is nothing to answer")
    if preamble.strip():
        asked["parts"] = _prepended(asked["parts"], preamble)
    example["contents"] = turns
    if "systemInstruction" in example:
        example["systemInstruction"] = _system(example["systemInstruction"])
    return _finish(example, sum(map(count_tokens, texts(example))))


def preference_line(value: Any, preamble: str = "") -> Canonical:
    """The line of an example for preference tuning: a prompt and two answers, the preferred one first. Raises RowError.

    Source: "Prepare preference tuning data for Gemini models", Google Cloud: turns that end with the user's, two
    completions of which one scores 1 and the other 0, text alone. A prompt is billed twice, the completions once
    ("About preference tuning for Gemini models", Google Cloud, as read on 2026-10-03).
    """
    if not isinstance(value, dict):
        raise RowError("E211", f"an example is an object, not {_type(value)}")
    example = _plain(value, 0)
    turns = _turns(example)
    if turns[-1]["role"] != "user":
        raise RowError("E226", f"the last turn is {turns[-1]['role']}'s; a prompt ends with the user's")
    if preamble.strip():
        asked = next(turn for turn in turns if turn["role"] == "user")
        asked["parts"] = _prepended(asked["parts"], preamble)
    example["contents"] = turns
    if "systemInstruction" in example:
        example["systemInstruction"] = _system(example["systemInstruction"])
    example["completions"] = _completions(example.get("completions"))
    if not all("text" in part for turn in _every_turn(example) for part in turn["parts"]):
        hint = "leave the example out, or use supervised tuning"
        raise RowError("E227", "preference tuning takes text alone", hint=hint)
    prompt = sum(map(count_tokens, _prompt(example)))
    return _finish(example, sum(map(count_tokens, texts(example))), again=prompt)


def billed(example: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a canonical example as often as it is billed: the prompt of a preference twice."""
    yield from texts(example)
    if "completions" in example:
        yield from _prompt(example)


def _prompt(example: Mapping[str, Any]) -> Iterator[str]:
    """The texts of what a preference asks."""
    return texts({**example, "completions": ()})


def _turns(example: Mapping[str, Any]) -> list[dict[str, Any]]:
    contents = example.get("contents")
    if not isinstance(contents, list) or not contents:
        hint = 'a line is {"contents": [{"role": "user", "parts": [...]}, {"role": "model", "parts": [...]}]}'
        raise RowError("E220", "missing `contents`: a list of turns, not empty", hint=hint)
    return [_turn(f"turn {index}", turn) for index, turn in enumerate(contents, 1)]


def _completions(given: Any) -> list[dict[str, Any]]:
    """The two answers, the preferred one first: their order means nothing, and the digest must not depend on it."""
    form = 'a pair is [{"score": 1, "completion": {...}}, {"score": 0, "completion": {...}}]'
    if not isinstance(given, list) or len(given) != 2 or not all(isinstance(one, dict) for one in given):
        raise RowError("E226", "`completions` is a pair: a preferred answer and another", hint=form)
    scores = [one.get("score") for one in given]
    if sorted(map(str, scores)) != ["0", "1"]:
        raise RowError("E226", "one completion has the score 1, the other 0", hint=form)
    ordered = sorted(given, key=lambda one: int(one["score"]), reverse=True)
    answers = [_turn(f"the completion with score {one['score']}", one.get("completion")) for one in ordered]
    for answer in answers:
        if answer["role"] != "model":
            raise RowError("E226", f"a completion is a turn of the model's, not of the {answer['role']}'s")
    if answers[0] == answers[1]:
        raise RowError("E226", "both completions say the same: nothing can be preferred")
    return [{"completion": answer, "score": score} for answer, score in zip(answers, (1, 0), strict=True)]


def _dialogue(value: dict[str, Any], preamble: str) -> Canonical | None:
    """The line of what most examples are: turns of text alone, the first one the user's, spelt as they should be.

    There is nothing in it to be spelt in another way or to be left out, which is most of the work with the others.
    None where it is anything else, or where something is wrong with it.
    """
    contents = value.get("contents")
    if len(value) != 1 or not isinstance(contents, list) or not contents:
        return None
    said: list[str] = []
    for turn in contents:
        if not isinstance(turn, dict) or len(turn) != 2 or turn.get("role") not in ROLES:
            return None
        parts = turn.get("parts")
        if not isinstance(parts, list) or len(parts) != 1:
            return None
        part = parts[0]
        text = part.get("text") if isinstance(part, dict) and len(part) == 1 else None
        if not isinstance(text, str) or not text or text.isspace() or "\0" in text:
            return None
        said.append(text)
    asked = contents[0]
    if asked["role"] != "user" or contents[-1]["role"] != "model":
        return None
    if preamble.strip():
        said[0] = _with_preamble(said[0], preamble)
        value = {"contents": [{**asked, "parts": [{"text": said[0]}]}, *contents[1:]]}
    return _finish(value, sum(map(count_tokens, said)))


def _finish(example: Mapping[str, Any], tokens: int, again: int = 0) -> Canonical:
    try:
        return Canonical(orjson.dumps(example, option=orjson.OPT_SORT_KEYS), tokens, again)
    except orjson.JSONEncodeError as error:  # a lone surrogate, which UTF-8 cannot carry
        raise RowError("E206", f"a text cannot be written as UTF-8: {error}") from error


def _plain(value: Any, depth: int, *, opaque: bool = False) -> Any:
    """Field names in camelCase, null fields left out, whole numbers as integers."""
    if depth > _DEPTH:
        raise RowError("E215", f"the example is nested deeper than {_DEPTH} levels")
    if isinstance(value, dict):
        return _fields(value, depth, opaque=opaque)
    if isinstance(value, list):
        return [_plain(item, depth + 1, opaque=opaque) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _fields(value: dict[str, Any], depth: int, *, opaque: bool) -> dict[str, Any]:
    if opaque:
        return {key: _plain(item, depth + 1, opaque=True) for key, item in value.items()}
    fields: dict[str, Any] = {}
    for key, item in value.items():
        name = _camel(key)
        if name in fields:
            raise RowError("E212", f"the field {name} is given twice, in two spellings")
        if item is not None:
            if name == "properties" and isinstance(item, dict):  # names of the user's own, schemas of ours
                fields[name] = {own: _plain(schema, depth + 1) for own, schema in item.items()}
            else:
                fields[name] = _plain(item, depth + 1, opaque=name in _OPAQUE)
    return fields


def _camel(key: str) -> str:
    return _SNAKE.sub(lambda match: match[1].upper(), key) if "_" in key else key


def _turn(place: str, turn: Any) -> dict[str, Any]:
    if not isinstance(turn, dict):
        raise RowError("E211", f"{place} is an object with role and parts, not {_type(turn)}")
    role = turn.get("role")
    known = role.lower() if isinstance(role, str) else ""
    if known not in ROLES:
        hint = "the answering role is called model" if known == "assistant" else f"roles: {', '.join(ROLES)}"
        message = f"{place} has the unknown role {quoted(role)}" if "role" in turn else f"{place} has no role"
        raise RowError("E221", message, hint=hint)
    return {**turn, "role": known, "parts": _parts(place, turn.get("parts"))}


def _system(value: Any) -> dict[str, Any]:
    """A system instruction: its role means nothing to the service, so there is one spelling of it."""
    if isinstance(value, str):
        value = {"parts": [{"text": value}]}
    if not isinstance(value, dict):
        raise RowError("E211", f"systemInstruction is an object with parts, not {_type(value)}")
    return {**value, "role": "system", "parts": _parts("systemInstruction", value.get("parts"))}


def _parts(place: str, parts: Any) -> list[Any]:
    """The parts of a turn; one part may stand without its list, as in Google's own curl examples."""
    listed = [parts] if isinstance(parts, dict) else parts
    if not isinstance(listed, list):
        raise RowError("E214", f"{place} has no parts", hint='parts are a list such as [{"text": "..."}]')
    if not listed:
        raise RowError("E224", f"{place} is empty: it has no part")
    for part in listed:
        if not isinstance(part, dict) or not part:
            raise RowError("E211", f"{place}: a part is an object with text or data, not {_type(part)}")
        if "text" in part:
            _check_text(part["text"], f"the text of {place}")
    return listed


def _check_text(text: Any, what: str) -> None:
    if not isinstance(text, str):
        raise RowError("E211", f"{what} is a text, not {_type(text)}", hint="put numbers in quotes")
    if not text or text.isspace():
        raise RowError("E224", f"{what} is empty")
    if "\0" in text:
        raise RowError("E207", f"{what} holds a NUL character")


def _with_preamble(prompt: str, preamble: str) -> str:
    lead = preamble.strip()
    return f"{lead}\n\n{prompt}" if lead else prompt


def _prepended(parts: list[Any], preamble: str) -> list[Any]:
    first, *others = parts
    if "text" in first:
        return [{**first, "text": _with_preamble(first["text"], preamble)}, *others]
    return [{"text": preamble.strip()}, *parts]


def texts(example: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a canonical example, those of its system instruction first."""
    for turn in _every_turn(example):
        for part in turn["parts"]:
            if "text" in part:
                yield part["text"]


def _every_turn(example: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if system := example.get("systemInstruction"):
        yield system
    yield from example["contents"]
    yield from (one["completion"] for one in example.get("completions", ()))


def _type(value: Any) -> str:
    """What a JSON value is, in JSON's words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
