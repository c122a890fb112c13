"""Check: the program's inputs judged, and completed with what the real provider would fill in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .resources import Context, Resource
from .schema_check import Problem, input_type, problems
from .values import DEFAULTS_KEY, reveal

SUFFIX_LENGTH = 7


@dataclass(frozen=True)
class Checked:
    """The completed inputs, and what is wrong with them."""

    inputs: dict[str, Any]
    problems: tuple[Problem, ...]


def check(
    resource: Resource,
    news: Mapping[str, Any],
    olds: Mapping[str, Any],
    context: Context,
    *,
    name: str,
    seed: bytes,
) -> Checked:
    """Judges `news` and fills in defaults. An automatic name is kept from `olds`, so that it never changes.

    `name` is the resource's name in the program, which automatic names start with; `seed` is the engine's.
    """
    declared = input_type(resource.module, resource.args)
    wrong = list(problems(news, declared, resource.supported))
    filled = {key: value for key, value in resource.virtual.items() if value is not None}
    filled |= resource.defaults(context)
    if resource.name_input:
        filled[resource.name_input] = _automatic_name(resource.name_input, olds, name, seed)
    added = {key: value for key, value in filled.items() if key not in news}
    inputs = {**{key: value for key, value in news.items() if key != DEFAULTS_KEY}, **added}
    if "project" in resource.supported.keys() - declared.required and "project" not in inputs:
        wrong.append(Problem("project", "is needed: give it here or set gcp:project"))
    if not wrong:
        # Only now are the types right, which the finer checks rely on.
        wrong.extend(resource.flaws(reveal(inputs)))
    return Checked({**inputs, DEFAULTS_KEY: sorted(added)}, tuple(wrong))


def _automatic_name(name_input: str, olds: Mapping[str, Any], name: str, seed: bytes) -> Any:
    if name_input in olds.get(DEFAULTS_KEY, []) and name_input in olds:
        return olds[name_input]
    # The engine's seed makes a plan and its apply choose the same name.
    return f"{name}-{hashlib.sha256(seed + name.encode()).hexdigest()[:SUFFIX_LENGTH]}"


def named_by_program(resource: Resource, inputs: Mapping[str, Any]) -> bool:
    """Whether a replacement would get the very name of what it replaces."""
    return bool(resource.name_input) and resource.name_input not in inputs.get(DEFAULTS_KEY, [])
