"""What goes over the wire: requests, routes, responses, errors, and the spelling of keys.

Handlers are plain functions from `Request` to `Response` (or to a mapping, which means 200 and JSON). They
raise `ApiError` for every refusal; the server renders it in the shape of the API that was called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

# Maps whose keys belong to the user (or to an embedded document), so their spelling is never changed.
OPAQUE = frozenset({"labels", "metadata", "annotations", "trafficSplit", "traffic_split", "examples"})

JSON_NAMES = {dict: "an object", list: "a list", str: "a string", int: "an integer", bool: "true or false"}

PARAMETER = re.compile(r"\{(\w+)(\*?)\}")


class ApiError(Exception):
    """A refusal: the HTTP status, the canonical status name, a message and google.rpc details.

    `reason` is the word of the older JSON APIs (Cloud Storage) for the same thing, e.g. "notFound".
    """

    def __init__(
        self,
        code: int,
        status: str,
        message: str,
        details: tuple[dict[str, Any], ...] = (),
        *,
        reason: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.details = details
        self.reason = reason or "backendError"

    @classmethod
    def not_found(cls, message: str) -> ApiError:
        """404: the thing named is not there."""
        return cls(404, "NOT_FOUND", message, reason="notFound")

    @classmethod
    def already_exists(cls, message: str) -> ApiError:
        """409: a thing of that name is there already."""
        return cls(409, "ALREADY_EXISTS", message, reason="conflict")

    @classmethod
    def invalid(cls, message: str, *violations: tuple[str, str]) -> ApiError:
        """400: wrong whatever the state; `violations` are (field, description) pairs."""
        details: tuple[dict[str, Any], ...] = ()
        if violations:
            found = [{"field": name, "description": text} for name, text in violations]
            details = ({"@type": BAD_REQUEST, "fieldViolations": found},)
        return cls(400, "INVALID_ARGUMENT", message, details, reason="invalid")

    @classmethod
    def failed_precondition(cls, message: str) -> ApiError:
        """400: right in itself, but not in the present state."""
        return cls(400, "FAILED_PRECONDITION", message, reason="failedPrecondition")

    @classmethod
    def permission_denied(cls, message: str) -> ApiError:
        """403: a grant is missing."""
        return cls(403, "PERMISSION_DENIED", message, reason="forbidden")

    @classmethod
    def aborted(cls, message: str) -> ApiError:
        """409: somebody else changed it first (a stale etag)."""
        return cls(409, "ABORTED", message, reason="conflict")

    @classmethod
    def conflict(cls, message: str) -> ApiError:
        """409 of Cloud Storage: the present state forbids it, e.g. deleting a bucket that holds objects."""
        return cls(409, "FAILED_PRECONDITION", message, reason="conflict")

    @classmethod
    def conditional(cls, message: str) -> ApiError:
        """412 of Cloud Storage: a precondition such as ifGenerationMatch did not hold."""
        return cls(412, "FAILED_PRECONDITION", message, reason="conditionNotMet")

    @classmethod
    def unimplemented(cls, message: str) -> ApiError:
        """501: the real service may know this, the emulator does not; say what by name."""
        return cls(501, "UNIMPLEMENTED", message, reason="notImplemented")


@dataclass(frozen=True)
class Request:
    """One call. `params` are the path's, percent-decoded; header names are in lower case."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    version: str = ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, `{}` when there is none; raises `ApiError` 400 for anything else."""
        return parse_object(self.body)

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter, given in camelCase and also accepted in snake_case."""
        for spelling in (name, snake_key(name)):
            if values := self.query.get(spelling):
                return values[0]
        return default

    def flag(self, name: str) -> bool:
        """A boolean query parameter."""
        return self.one(name).lower() in ("true", "1")

    def whole(self, name: str, default: int = 0) -> int:
        """An integer query parameter; raises `ApiError` 400 when it is not one."""
        text = self.one(name)
        if not text:
            return default
        if not re.fullmatch(r"-?\d{1,19}", text):
            raise ApiError.invalid(f"Invalid value '{text}' for {name}: an integer is needed.", (name, text))
        return int(text)


@dataclass(frozen=True)
class Response:
    """One answer; `body` is sent as it is when it is bytes and as JSON otherwise."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"

    def content(self) -> bytes:
        """The bytes to send."""
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)


Handler = Callable[[Request], Response | Mapping[str, Any]]


@dataclass(frozen=True)
class Route:
    """A handler and what it answers to.

    In `pattern`, `{x}` matches one path segment up to a colon, `{x*}` matches across slashes and colons, and
    `{version}` matches v1 or v1beta1 and becomes `Request.version`; a literal `:verb` may follow.
    """

    method: str
    pattern: str
    handler: Handler


def parse_object(text: bytes) -> dict[str, Any]:
    """A JSON object from bytes, `{}` from none; raises `ApiError` 400 for anything else."""
    if not text.strip():
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ApiError.invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(value, dict):
        raise ApiError.invalid("Invalid JSON payload received. The root must be an object.")
    return value


def parse_query(text: str) -> dict[str, tuple[str, ...]]:
    """A query string as name → values in order; repeated names are kept (tuning-api.md §0.12)."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found[name] = (*found.get(name, ()), value)
    return found


@lru_cache(maxsize=4096)
def camel_key(key: str) -> str:
    """`display_name` → `displayName`; a key without underscores is returned as it is."""
    head, *rest = key.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest) if head else key


@lru_cache(maxsize=4096)
def snake_key(key: str) -> str:
    """`displayName` → `display_name`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower()


def camel(value: Any, *, opaque: Collection[str] = OPAQUE) -> Any:
    """The value with snake_case keys turned into camelCase at every level, as ProtoJSON accepts both.

    Keys inside maps named in `opaque` are the user's own and stay untouched.
    """
    if isinstance(value, dict):
        return {
            camel_key(key): item if key in opaque else camel(item, opaque=opaque)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [camel(item, opaque=opaque) for item in value]
    return value


def only(body: Mapping[str, Any], known: Collection[str], what: str) -> None:
    """Raises `ApiError` 501 naming the first field of `body` that the emulator does not know.

    `what` names the message the fields belong to, e.g. "TuningJob".
    """
    for name in body:
        if name not in known:
            raise ApiError.unimplemented(f"tuneform-emulator does not implement the field '{name}' of {what}")


def conform(value: Any, shape: Any, where: str) -> None:
    """Raises `ApiError` 400 when a value of a body has not the shape, 501 for a field the emulator does not know.

    A shape is a type (or a tuple of types), `[shape]` for a list, or `{field: shape}` for a message, where the
    field "*" stands for any name. JSON's null is no value and has every shape. `where` names the value in the
    error, e.g. "Bucket.labels".
    """
    if value is None:
        return
    if isinstance(shape, dict):
        require_type(value, dict, where)
        if "*" not in shape:
            only(value, shape, where)
        for name, item in value.items():
            conform(item, shape.get(name, shape.get("*")), f"{where}.{name}")
    elif isinstance(shape, list):
        require_type(value, list, where)
        for number, item in enumerate(value):
            if item is None:
                raise ApiError.invalid(f"{where}[{number}] must not be null.", (f"{where}[{number}]", "null"))
            conform(item, shape[0], f"{where}[{number}]")
    else:
        require_type(value, shape, where)


def require_type(value: Any, wanted: type | tuple[type, ...], where: str) -> None:
    """Raises `ApiError` 400 unless the value has the type; a boolean is no number."""
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and not {bool, object}.intersection(wanted)):
        names = " or ".join(JSON_NAMES.get(kind, kind.__name__) for kind in wanted)
        raise ApiError.invalid(f"Invalid value at '{where}': {names} is needed.", (where, f"not {names}"))


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A route's pattern as a regular expression over the path as it was sent, still percent-encoded."""
    parts: list[str] = []
    position = 0
    for found in PARAMETER.finditer(pattern):
        parts.append(re.escape(pattern[position : found.start()]))
        name, star = found.groups()
        inner = "v1|v1beta1" if name == "version" else ".+" if star else "[^/:]+"
        parts.append(f"(?P<{name}>{inner})")
        position = found.end()
    return re.compile("".join(parts) + re.escape(pattern[position:]))


@dataclass(frozen=True)
class Match:
    """A route and the path's parameters, percent-decoded."""

    route: Route
    params: dict[str, str]


class Router:
    """Finds routes; the one with the fewest parameters wins, whatever the order they were given in."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._table: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in sorted(routes, key=generality):
            self._table.setdefault(route.method, []).append((compile_pattern(route.pattern), route))

    def match(self, method: str, raw_path: str) -> Match | None:
        """The route for a path as it was sent (`%2F` is part of a name, `/` separates), or None."""
        for pattern, route in self._table.get(method, ()):
            found = pattern.fullmatch(raw_path)
            if found:
                return Match(route, {name: unquote(value) for name, value in found.groupdict().items()})
        return None


def generality(route: Route) -> tuple[int, int]:
    """How much a pattern leaves open: parameters that cross slashes count before the others."""
    return route.pattern.count("*}"), route.pattern.count("{")
