"""Writes the reference of the spec language and of what is known of models: `python -m tuneform.specs.reference docs`.

A test fails when the pages are out of date.
"""

import sys
from pathlib import Path

from tuneform.capabilities.words import page as capabilities_page
from tuneform.specs.reference.builtins import with_rules
from tuneform.specs.reference.pages import errors_page, specs_page


def main(folder: Path) -> None:
    """Writes the pages into the folder."""
    (folder / "specs.md").write_text(specs_page(), encoding="utf-8")
    (folder / "capabilities.md").write_text(capabilities_page(), encoding="utf-8")
    policy = folder / "policy.md"
    policy.write_text(with_rules(policy.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "errors.md").write_text(errors_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
