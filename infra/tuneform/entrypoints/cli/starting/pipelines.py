"""The workflows that `tuneform init --github` and `--gitlab` write: check and plan, apply, drift.

They lie beside this module as they are written, for the folder `specs`; nothing in them is secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tuneform.errors import SettingsError

TEMPLATES = Path(__file__).with_name("workflows")
GITHUB: Mapping[str, str] = {
    ".github/workflows/tuneform-pull-request.yml": "github-pull-request.yml",
    ".github/workflows/tuneform-apply.yml": "github-apply.yml",
    ".github/workflows/tuneform-drift.yml": "github-drift.yml",
}
GITLAB: Mapping[str, str] = {".gitlab/tuneform.yml": "gitlab.yml"}
GITLAB_MAIN = {".gitlab-ci.yml": "gitlab-ci.yml"}
"""Written only where there is none: a repository's own one includes the other file."""
INCLUDE = "include:\n  - local: .gitlab/tuneform.yml"


def write(repository: Path, specs: str, *, github: bool, gitlab: bool) -> list[Path]:
    """Write the workflows for specs in a folder of the repository; what was written.

    Raises:
        SettingsError: one of the files is there already, and nothing was written.
    """
    wanted = {**(GITHUB if github else {}), **(GITLAB if gitlab else {})}
    if gitlab and not any((repository / name).exists() for name in GITLAB_MAIN):
        wanted |= GITLAB_MAIN
    for name in wanted:
        if (repository / name).exists():
            raise SettingsError(f"{name} is there already", remedy="move it away, or change it by hand")
    for name, template in wanted.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_for(specs, (TEMPLATES / template).read_text(encoding="utf-8")), encoding="utf-8")
    return [Path(name) for name in wanted]


def _for(specs: str, text: str) -> str:
    named = specs if re.fullmatch(r"[\w./-]*[a-zA-Z][\w./-]*", specs) else json.dumps(specs)
    return text.replace("SPECS: specs\n", f"SPECS: {named}\n").replace(
        '"specs/**"', json.dumps(f"{specs}/**")
    )


def repository_of(folder: Path) -> Path:
    """The repository that a folder lies in, the folder itself where it lies in none."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)
