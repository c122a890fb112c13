"""CEL expressions: compiled with types, and evaluated within bounds.

The runtime (cel-expr-python, the CEL project's own) bounds an expression itself: 10,000 iterations, 32 levels, patterns
in linear time (RE2); `bounds` has what that leaves open. Its errors carry a line and a column, which are kept.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from tuneform.policy.bounds import Effort, Size, Unbounded, effort
from tuneform.policy.tokens import Reads, reads, renamed

LONGEST = 4_096
"""Characters of an expression: a rule that needs more is several rules."""
LARGEST = 65_536
"""Characters of the parameters of a rule, written out."""
ORDINARY = Size(entries=100, characters=4_000, longest=16, text=200)
"""A document with its project. An expression that could not be asked of it is refused before it meets one."""

_PLACE = re.compile(r"<input>:(-?\d+):(-?\d+): (.*)")
_NOISE = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$| \(in container ''\)| expecting .*")


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
    """An expression that can be evaluated, with what it looks at and what it could do."""

    program: Any
    type: str
    reads: Reads
    effort: Effort

    def value(self, variables: Mapping[str, Any], activation: Any) -> Any:
        """Its value as plain data, of variables and of what the runtime made of them.

        Raises:
            EvaluationError: it has none, or could take too long or too much to find.
        """
        if not self.effort.allows(variables):
            raise EvaluationError("the document is too large for what the expression does with it")
        try:
            found = self.program.eval(activation)
        except RuntimeError as error:
            raise EvaluationError(_said(str(error))) from error
        plain = found.plain_value()
        if not isinstance(plain, bool) and found.type().name() == "ERROR":
            raise EvaluationError(_said(str(plain)))
        return plain


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
        program = _with_params(environment, text, params)
    return Compiled(program, found, reads(text), _effort(text, params or {}))


def _effort(text: str, params: Mapping[str, Any]) -> Effort:
    try:
        found = effort(text, params)
    except Unbounded as error:
        before = text[: error.start]
        line, column = before.count("\n") + 1, error.start - before.rfind("\n")
        raise ExpressionError(str(error), line, column) from error
    if not found.within(ORDINARY):
        raise ExpressionError(
            "what it may have to do has no bound: fewer loops in each other, fewer additions", 1, 1
        )
    return found


def _with_params(environment: cel.Env, text: str, params: Mapping[str, Any]) -> Any:
    """The expression with its parameters; what is wrong only with them has no place in the text."""
    put_in = inlined(text, params)
    if len(put_in) > LONGEST + LARGEST:
        raise ExpressionError(f"its parameters have more than {LARGEST:,} characters")
    try:
        return _compile(environment, put_in)
    except ExpressionError as error:
        raise ExpressionError(f"with its parameters: {error}") from error


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
    """What the runtime said, without its status codes, its picture of the place, and its grammar."""
    first = text.splitlines()[0] if text else "it has no value"
    plain = _NOISE.sub("", first).replace("mismatched input '<EOF>'", "it ends too early")
    return plain[:1].lower() + plain[1:]


def activation(variables: Mapping[str, Any]) -> Any:
    """The values of the variables for the evaluations of one subject; converted once."""
    return _environment("item" in variables).Activation(dict(variables))


def inlined(text: str, params: Mapping[str, Any]) -> str:
    """The expression with the literal of `params` in place of their name.

    Raises:
        ExpressionError: a parameter is a number that CEL has not.
    """
    return renamed(text, {"params": literal(dict(params))})


def literal(value: Any) -> str:
    """A plain value as CEL writes it.

    Raises:
        ExpressionError: it is a number that CEL has not.
    """
    match value:
        case dict():
            return "{" + ", ".join(f"{literal(str(key))}: {literal(one)}" for key, one in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(literal, value)) + "]"
        case bool() | None:
            return json.dumps(value)
        case float():
            if not math.isfinite(value):
                raise ExpressionError(f"{value} is no number that a parameter can have")
            return repr(value) if value != int(value) else f"{value:.1f}"
        case int():
            if not -(2**63) <= value < 2**63:
                raise ExpressionError("a whole number in its parameters has more than 64 bits")
            return str(value)
        case _:
            return json.dumps(str(value), ensure_ascii=False)
