"""Values as YAML that is read back to the same values."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from tuneform.specs.text.nodes import meaning


def as_yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    """The documents as a file: a value a line, references as `{ref: name}`, no anchors, which the language has not.

    Text of several lines stands in a block where nothing of it would be lost to the eye.
    """
    # A value is never folded: what is one line is compared as one line.
    return yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize, explicit_start=True
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        return super().represent_mapping(tag, mapping, flow_style or set(mapping) == {"ref"})

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    """How text is quoted; None leaves it to PyYAML, which knows what YAML 1.1 takes for something else than text."""
    lines = text.removesuffix("\n").split("\n")
    if "\n" in text:
        plain = all(line == line.strip() and line.isprintable() for line in lines) and lines[0]
        return "|" if plain and len(lines) > 1 else '"'
    if not text.isprintable():  # such as U+0085, which YAML takes for the end of a line
        return '"'
    # What looks like a number in YAML 1.2 alone, such as 1e3.
    return "'" if meaning(text) != text else None


_Dumper.add_representer(str, _Dumper.represent_text)
