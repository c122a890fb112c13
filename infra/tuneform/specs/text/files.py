"""Which files hold specs."""

from __future__ import annotations

import os
from pathlib import Path

from tuneform.errors import Diagnostic, Position

_SUFFIXES = (".yaml", ".yml")


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
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            if name.startswith(".") or file.suffix not in _SUFFIXES:
                continue
            if file.resolve().is_relative_to(root):
                files.append(file)
            else:
                message = "a symbolic link that leads out of the spec folder"
                found.append(
                    Diagnostic("E115", message, Position(file, 1, 1), hint="copy the file into the folder")
                )
    if not files and not found:
        found.append(Diagnostic("E102", f"no *.yaml or *.yml file in {str(path)!r}"))
    return sorted(files), found
