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

    def unreadable(error: OSError) -> None:
        # What is not read would look removed, and what is removed is destroyed.
        found.append(
            Diagnostic("E103", f"cannot be read: {error.strerror}", Position(Path(error.filename), 1, 1))
        )

    for folder, folders, names in os.walk(path, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [Path(folder, name) for name in folders if Path(folder, name).is_symlink()]
        specs = [
            Path(folder, name) for name in names if name.endswith(_SUFFIXES) and not name.startswith(".")
        ]
        outside = [file for file in specs if not file.resolve().is_relative_to(root)]
        files += [file for file in specs if file not in outside]
        found += [_link("leads out of the spec folder", file, "file") for file in outside]
        found += [_link("is not followed", link, "folder") for link in linked]
    if not files and not found:
        found.append(Diagnostic("E102", f"no *.yaml or *.yml file in {str(path)!r}"))
    return sorted(files), found


def _link(what: str, path: Path, kind: str) -> Diagnostic:
    hint = f"put the {kind} itself here"
    return Diagnostic("E115", f"a symbolic link to a {kind}, which {what}", Position(path, 1, 1), hint=hint)
