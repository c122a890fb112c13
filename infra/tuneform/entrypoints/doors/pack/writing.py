"""The files of a policy pack: all that it needs is among them, but for what requirements.txt names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path

from tuneform import __version__
from tuneform.errors import SettingsError
from tuneform.policy import PolicySet
from tuneform.policy.packed import stored

_MARK = "# Written by `tuneform policy pack`"
_PROJECT = """\
{mark}; write it anew rather than change it.
description: >-
  {count} rules of tuneform {version}, {digest}
runtime:
  name: python
  options:
    virtualenv: venv
"""
_PACKAGE = '"""What the pack carries of tuneform: how rules are judged."""\n'


def write_pack(folder: Path, name: str, sets: Sequence[PolicySet]) -> list[Path]:
    """Write the pack into a folder, and return its files.

    Raises:
        SettingsError: the folder holds something that is no pack, or cannot be written.
    """
    project = folder / "PulumiPolicy.yaml"
    ours = project.is_file() and project.read_text(encoding="utf-8").startswith(_MARK)
    try:
        if folder.exists() and not ours and any(folder.iterdir()):
            raise SettingsError(
                f"{folder} holds something that is no pack of ours",
                remedy="name a folder that is new or empty",
            )
        return [_write(folder / path, text) for path, text in _files(name, sets)]
    except OSError as error:
        raise SettingsError(
            f"the pack cannot be written to {folder}: {error.strerror}",
            remedy="name a folder that can be written",
        ) from error


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _files(name: str, sets: Sequence[PolicySet]) -> Iterator[tuple[str, str]]:
    values = {"name": name, **stored(sets)}
    count = sum(len(one.rules) for one in sets)
    own = files("tuneform.entrypoints.doors.pack")
    yield (
        "PulumiPolicy.yaml",
        _PROJECT.format(mark=_MARK, count=count, version=__version__, digest=values["digest"]),
    )
    yield "requirements.txt", own.joinpath("requirements.txt").read_text(encoding="utf-8")
    yield "__main__.py", own.joinpath("analyzer.py").read_text(encoding="utf-8")
    yield "policies.json", json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    yield "tuneform/__init__.py", _PACKAGE
    yield from _sources(files("tuneform.policy"), "tuneform/policy")


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{path}/{entry.name}", entry.read_text(encoding="utf-8")
