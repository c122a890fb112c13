"""CEL expressions: compiled with types, bounded in time, and read for what they look at.

The runtime (cel-expr-python, the CEL project's own) bounds an expression itself: 10,000 iterations, 32 levels, patterns
in linear time (RE2). Its errors carry a line and a column, which are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

VARIABLES = ("object", "project", "data", "cost", "params", "item")
"""What an expression may name. `item` is there in rules with `each` alone."""
LONGEST = 4_096
"""Characters of an expression: a rule that needs more is several rules."""

_PLACE = re.compile(r"<input>:(-?\d+):(-?\d+): (.*)")
_CODE = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
# Strings first, so that nothing in them is taken for a name. Names after a dot are fields, not variables.
_TOKEN = re.compile(
    r"""(?P<string>[rRbB]{0,2}(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
    |(?P<name>(?<![\w.])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*(?!\w|\s*\()|\[\s*(?:"[^"\\]*"|'[^'\\]*')\s*\])*)
    |(?P<comment>//[^\n]*)""",
    re.VERBOSE | re.DOTALL,
)
_HAS = re.compile(r"(?<![\w.])has\s*\(\s*\Z")
_STEP = re.compile(r"""\.\s*([A-Za-z_]\w*)|\[\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\]""")


class ExpressionError(ValueError):
    """An expression that is not CEL, or not of the type wanted. `line` and `column` count from 1; 0 is unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line, self.column = line, column


class EvaluationError(ValueError):
    """An expression that has no value for a subject: a key that is not there, types that do not go together."""


@lru_cache(maxsize=2)
def _environment(item: bool) -> cel.Env:
    kinds = {name: cel.Type("map<string, dyn>") for name in ("object", "project", "cost", "params")}
    kinds["data"] = cel.Type("map<string, map<string, dyn>>")
    if item:
        kinds["item"] = cel.Type.DYN
    return cel.NewEnv(variables=kinds, extensions=[ext_strings.ExtStrings()])


@dataclass(frozen=True)
class Compiled:
    """An expression that can be evaluated. `reads` are the dotted paths that it looks at, `object.spec.x` for one.

    `asks` are those among them of which it wants to know no more than whether they are there: `has(data.validation)`.
    """

    program: Any
    type: str
    reads: frozenset[str]
    asks: frozenset[str] = frozenset()

    def value(self, activation: Any) -> Any:
        """Its value as plain data.

        Raises:
            EvaluationError: it has none.
        """
        try:
            found = self.program.eval(activation)
        except RuntimeError as error:
            raise EvaluationError(_said(str(error))) from error
        if found.type().name() == "ERROR":
            raise EvaluationError(_said(str(found.plain_value())))
        return found.plain_value()


def compiled(
    text: str, *, wanted: str, params: Mapping[str, Any] | None = None, item: bool = False
) -> Compiled:
    """Compile an expression whose type must be `wanted` (BOOL, STRING, LIST) or unknown.

    `params` are put into the text as a literal, which is what other evaluators of the same text need as well.

    Raises:
        ExpressionError: it is too long, not CEL, names what is not there, or is of another type.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST:,} characters, and this has {len(text):,}")
    environment = _environment(item)
    program = _compile(environment, text)
    found = program.return_type().name()
    if found not in {wanted, "DYN"} and not found.startswith(f"{wanted}<"):
        raise ExpressionError(f"its type is {found.lower()}, and {wanted.lower()} is needed", 1, 1)
    if params is not None:
        program = _compile(environment, inlined(text, params))
    return Compiled(program, found, frozenset(reads(text)), _asks(text))


def _compile(environment: cel.Env, text: str) -> Any:
    try:
        return environment.compile(text)
    except (RuntimeError, TypeError, ValueError) as error:  # TypeError for text that is no UTF-8
        raise _placed(str(error)) from error


def _placed(said: str) -> ExpressionError:
    match = _PLACE.search(said)
    if match is None:
        return ExpressionError("it is no text" if "incompatible function" in said else _said(said))
    line, column = max(0, int(match[1])), max(0, int(match[2]))
    return ExpressionError(_said(match[3]), line, column)


def _said(text: str) -> str:
    """What the runtime said, without its status codes, its picture of the place, and its C++."""
    first = text.splitlines()[0] if text else "it has no value"
    plain = _CODE.sub("", _CODE.sub("", first)).replace(" (in container '')", "")
    return plain[:1].lower() + plain[1:]


def activation(variables: Mapping[str, Any]) -> Any:
    """The values of the variables for the evaluations of one subject; converted once."""
    return _environment("item" in variables).Activation(dict(variables))


def reads(text: str) -> Iterator[str]:
    """The paths that begin with one of the variables, as far as they are written out: `object.spec.baseModel`."""
    yield from (path for path, _ in _paths(text))


def _paths(text: str) -> Iterator[tuple[str, bool]]:
    """The same, each with whether it stands in a `has()`."""
    for match in _TOKEN.finditer(text):
        chain = match["name"]
        if chain is None:
            continue
        name = re.match(r"\w+", chain)
        assert name is not None
        if name[0] in VARIABLES:
            steps = [next(filter(None, step.groups())) for step in _STEP.finditer(chain, name.end())]
            yield ".".join((name[0], *steps)), _HAS.search(text, 0, match.start()) is not None


def _asks(text: str) -> frozenset[str]:
    found = set(_paths(text))
    return frozenset(path for path, in_has in found if in_has and (path, False) not in found)


def inlined(text: str, params: Mapping[str, Any], name: str = "params") -> str:
    """The expression with the literal of `params` in place of their name."""
    return renamed(text, {name: literal(dict(params))})


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The expression with variables replaced, nothing else: not what is in strings, nor fields of the same name."""

    def replace(match: re.Match[str]) -> str:
        chain = match["name"]
        if chain is None:
            return match[0]
        first = re.match(r"\w+", chain)
        assert first is not None
        return names.get(first[0], first[0]) + chain[first.end() :]

    return _TOKEN.sub(replace, text)


def literal(value: Any) -> str:
    """A plain value as CEL writes it."""
    match value:
        case dict():
            return "{" + ", ".join(f"{literal(str(key))}: {literal(one)}" for key, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(literal, value)) + "]"
        case bool() | None:
            return json.dumps(value)
        case float():
            return repr(value) if value != int(value) else f"{value:.1f}"
        case int():
            return str(value)
        case _:
            return json.dumps(str(value))
