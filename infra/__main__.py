"""The Pulumi program: the stack's settings and the specs they name, declared by `tuneform.entrypoints.program`."""

from __future__ import annotations

from pathlib import Path

import pulumi

from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.program import ProgramSettings, declare
from tuneform.errors import TuneformError
from tuneform.specs import load


def main() -> None:
    """Read the settings, load the specs, declare."""
    config = pulumi.Config("tuneform")
    # A language host that names no root runs us all the same: the root is the folder of Pulumi.yaml, above this one.
    root = pulumi.get_root_directory() or Path(__file__).resolve().parents[1]
    folder = Path(root) / (config.get("specs") or "specs")
    try:
        own = Settings.at(Path(root))
        tree, prices = load(folder, own.known()), own.prices()
    except TuneformError as wrong:
        raise pulumi.RunError(f"\n{wrong.render()}") from wrong
    for warning in tree.warnings:
        pulumi.log.warn(warning.render())
    settings = ProgramSettings(
        wait=config.get("wait") or "succeeded",
        adopt=config.get_bool("adopt") or False,
        project=config.get("project") or "",
        prices=prices,
    )
    declare(tree, settings)


main()
