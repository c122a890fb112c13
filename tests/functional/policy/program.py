"""infra/__main__.py on a project, as a language host runs it, under Pulumi's mocks: prints why it refuses.

In a process of its own, for Pulumi leaves event loops behind.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pulumi
from pulumi.runtime import mocks


class _Nothing(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, object]]:
        raise AssertionError(f"{args.name} is declared, and nothing may be")

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, object], list[tuple[str, str]]]:
        raise AssertionError(f"{args.token} is called, and nothing may be")


def main(root: str) -> None:
    """Run it."""
    mocks.set_mocks(_Nothing(), project="tuneform", stack="test", preview=True)
    pulumi.runtime.settings.SETTINGS.root_directory = root
    try:
        runpy.run_path(str(Path(__file__).parents[3] / "infra"), run_name="__main__")
    except pulumi.RunError as refused:
        sys.stdout.write(str(refused))


if __name__ == "__main__":
    main(sys.argv[1])
