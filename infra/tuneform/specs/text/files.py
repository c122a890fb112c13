"""Which files hold specs: all of YAML but tests of policies."""

from __future__ import annotations

import os
from pathlib import Path

from tuneform.errors import Diagnostic, Position

_SUFFIXES = (".yaml", ".yml")
TEST_SUFFIXES = (".policytest.yaml", ".policytest.yml")
"""Files that `tuneform policy test` runs, and that hold no specs."""


def spec_files(path: Path) -> tuple[list[Path], list[Diagnostic]]:
    """The spec files of a folder, sorted, hidden ones left out; or the one file that `path` is."""
    if path.is_file():
        return [path], []
    if not path.is_dir():
        hint = "name a YAML file or a folder of them"
        return [], [Diagnostic("E101", f"there is no file or folder {str(path)!r}", hint=hint)]
    root = path.resolve()
    files: list[Path] = []
    found: list[Diagnostic] = []
    # What is to be looked at, last first, so that files come in the order of their paths.
    waiting: list[tuple[Path, os.DirEntry[str] | None]] = [(path, None)]
    while waiting:
        here, entry = waiting.pop()
        if entry is None or _is_folder(entry):
            if entry is not None and entry.is_symlink():
                found.append(_link("is not followed", here, "folder"))
                continue
            try:
                with os.scandir(here) as entries:
                    inside = sorted(entries, key=lambda one: one.name, reverse=True)
            except OSError as error:
                # What is not read would look removed, and what is removed is destroyed.
                found.append(Diagnostic("E103", f"cannot be read: {error.strerror}", Position(here, 1, 1)))
                continue
            waiting += [(here / one.name, one) for one in inside if _may_hold_specs(one)]
        elif entry.is_symlink() and not Path(os.path.realpath(here)).is_relative_to(root):
            found.append(_link("leads out of the spec folder", here, "file"))
        else:
            files.append(here)
    if not files and not found:
        found.append(Diagnostic("E102", f"no *.yaml or *.yml file in {str(path)!r}"))
    return files, found


def _may_hold_specs(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    if name.startswith(".") or name.endswith(TEST_SUFFIXES):
        return False
    return name.endswith(_SUFFIXES) or _is_folder(entry)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A ring of symbolic links, say: reading it as a file tells what is wrong.
        return False


def _link(what: str, path: Path, kind: str) -> Diagnostic:
    hint = f"put the {kind} itself here"
    return Diagnostic("E115", f"a symbolic link to a {kind}, which {what}", Position(path, 1, 1), hint=hint)
