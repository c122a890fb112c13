"""Training examples, and the JSONL lines they are read from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tuneform_emulator.trainer.tokens import count_tokens

MAX_TOKENS = 131_072
"""Of one example, question and answer ("About supervised fine-tuning for Gemini models", Google Cloud, 2026-09-25)."""


@dataclass(frozen=True)
class Example:
    """One prompt and the output a model shall learn for it.

    `messages` counts the turns of the line it came from, the question's and the answer's included.
    """

    prompt: str
    output: str
    messages: int = 2

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that counts towards its length."""
        return self.prompt, self.output

    def content_key(self) -> bytes:
        """A digest of prompt and output. Training sorts by it: the order of a file's rows is no matter."""
        text = f"{len(self.prompt)}:{self.prompt}{self.output}"
        # A JSON escape may name half a character; it must not stop the training.
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class Preference:
    """One prompt and two outputs for it, of which people prefer one."""

    prompt: str
    preferred: str
    dispreferred: str

    @property
    def texts(self) -> tuple[str, ...]:
        """As `Example.texts`."""
        return self.prompt, self.preferred, self.dispreferred

    def content_key(self) -> bytes:
        """As `Example.content_key`."""
        text = f"{len(self.prompt)}:{len(self.preferred)}:{self.prompt}{self.preferred}{self.dispreferred}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


AnyExample = TypeVar("AnyExample", Example, Preference)


class DatasetError(ValueError):
    """A line that cannot be trained on. `row` counts from 0, as the real service's messages do."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(f"Row: {row}. {message}")
        self.row = row
        self.message = f"Row: {row}. {message}"


def fitting(examples: Sequence[AnyExample]) -> tuple[tuple[AnyExample, ...], tuple[int, ...]]:
    """The examples that are not too long to be trained on, and the numbers, from 1, of those that are.

    The service drops these and trains on the rest: `totalTruncatedExampleCount` in the discovery documents (aiplatform
    v1, revision 20261106) names too many tokens as a reason.
    """
    short = [_tokens(example) <= MAX_TOKENS for example in examples]
    kept = tuple(example for example, fits in zip(examples, short, strict=True) if fits)
    return kept, tuple(number for number, fits in enumerate(short, 1) if not fits)


def _tokens(example: Example | Preference) -> int:
    # No text has more tokens than characters: most need not be counted.
    length = sum(map(len, example.texts))
    return sum(map(count_tokens, example.texts)) if length > MAX_TOKENS else length


def parse_jsonl(data: bytes) -> tuple[Example, ...]:
    """Read the lines of a Vertex AI supervised tuning dataset; blank lines are passed over.

    The last turn is the output, everything before it the prompt (see `prompt_text`). Raises `DatasetError`
    at the first bad line. "Missing required `contents` field." is the real service's wording, seen in a
    public report; the wording of the others is not known and is ours.
    """
    examples = tuple(_example(row, line) for row, line in enumerate(data.split(b"\n")) if line.strip())
    if not examples:
        raise DatasetError(0, "The dataset holds no examples.")
    return examples


def parse_preferences(data: bytes) -> tuple[Preference, ...]:
    """Read the lines of a Vertex AI preference tuning dataset; blank lines are passed over.

    A line has the turns of the prompt, which ends with the user's, and two completions, one with the score 1 and one
    with the score 0 ("Prepare preference tuning data for Gemini models", Google Cloud). Raises `DatasetError` at the
    first bad line; the wording is ours.
    """
    rows = ((row, line) for row, line in enumerate(data.split(b"\n")) if line.strip())
    preferences = tuple(_preference(row, line) for row, line in rows)
    if not preferences:
        raise DatasetError(0, "The dataset holds no examples.")
    return preferences


def prompt_text(contents: Sequence[Any], system_instruction: Any = None) -> str:
    """The text a model sees: the system instruction, an empty line, then the turns, one below the other.

    Training and answering both use it, so that a question reads the same on both sides. A lone user turn
    is its bare text. Raises `ValueError` on content that is not text.
    """
    turns = "\n".join(_text(content) for content in contents)
    instruction = "" if system_instruction is None else _text(system_instruction)
    return f"{instruction}\n\n{turns}" if instruction else turns


def _example(row: int, line: bytes) -> Example:
    document, contents = _line(row, line)
    _check_turns(row, contents)
    if len(contents) < 2:
        raise DatasetError(row, "The `contents` field needs a user turn and a model turn.")
    if contents[-1]["role"] != "model":
        raise DatasetError(row, "The last turn of `contents` must have the role `model`.")
    try:
        prompt = prompt_text(contents[:-1], _instruction(document))
        output = _text(contents[-1])
    except ValueError as error:
        raise DatasetError(row, str(error)) from error
    if not output:
        raise DatasetError(row, "The last turn of `contents` has no text to learn.")
    return Example(prompt, output, len(contents))


def _preference(row: int, line: bytes) -> Preference:
    document, contents = _line(row, line)
    _check_turns(row, contents)
    if not contents or contents[-1]["role"] != "user":
        raise DatasetError(row, "The last turn of `contents` must have the role `user`.")
    completions = document.get("completions")
    pair = completions if isinstance(completions, list) and len(completions) == 2 else []
    scored = {one.get("score"): one.get("completion") for one in pair if isinstance(one, dict)}
    if set(scored) != {0, 1}:
        raise DatasetError(row, "The `completions` field needs two completions, with the scores 1 and 0.")
    try:
        return Preference(prompt_text(contents, _instruction(document)), _text(scored[1]), _text(scored[0]))
    except ValueError as error:
        raise DatasetError(row, str(error)) from error


def _line(row: int, line: bytes) -> tuple[dict[str, Any], Any]:
    """A line as JSON, and its `contents`."""
    try:
        document = json.loads(line)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DatasetError(row, f"The line is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise DatasetError(row, "The line must be a JSON object.")
    if document.get("contents") is None:
        raise DatasetError(row, "Missing required `contents` field.")
    return document, document["contents"]


def _instruction(document: Mapping[str, Any]) -> Any:
    return document.get("systemInstruction", document.get("system_instruction"))


def _check_turns(row: int, contents: Any) -> None:
    if not isinstance(contents, list) or not all(isinstance(turn, dict) for turn in contents):
        raise DatasetError(row, "The `contents` field must be a list of turns.")
    for turn in contents:
        if turn.get("role") not in ("user", "model"):
            raise DatasetError(row, f"The role {turn.get('role')!r} in `contents` is not `user` or `model`.")


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content.get("parts") if isinstance(content, Mapping) else None
    if not isinstance(parts, list) or not parts:
        raise ValueError("A turn needs a `parts` list with at least one part.")
    for part in parts:
        if not isinstance(part, Mapping) or not isinstance(part.get("text"), str):
            raise ValueError(  # noqa: TRY004 - bad data in a file, not a caller's wrong type
                "A part has no `text`; the emulator's trainer learns from text only."
            )
    return "".join(part["text"] for part in parts)
