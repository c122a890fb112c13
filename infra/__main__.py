"""The Pulumi program: the stack's settings and the specs they name, declared by `tuneform.entrypoints.program`."""

from __future__ import annotations

from pathlib import Path

import pulumi

from tuneform.entrypoints.cli.running.rows import load_with_rows, seen_facts
from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.documents import Documents
from tuneform.entrypoints.doors.policies import judge_of, named
from tuneform.entrypoints.doors.telling import judged
from tuneform.entrypoints.program import ProgramSettings, declare
from tuneform.errors import TuneformError, told_once


def main() -> None:
    """Read the settings, load the specs and their rows, ask the policies, declare."""
    config = pulumi.Config("tuneform")
    # A language host that names no root runs us all the same: the root is the folder of Pulumi.yaml, above this one.
    root = pulumi.get_root_directory() or Path(__file__).resolve().parents[1]
    folder = Path(root) / (config.get("specs") or "specs")
    try:
        own = Settings.at(Path(root))
        see, facts = seen_facts()
        tree, prices = load_with_rows(folder, own.known(), see)[0], own.prices()
        name = config.get("project") or ""
        one = tree.only(name) if name else tree
        bundles = named(config.get("policies"), Path(root))
        judgement = judged(Documents(one, facts, prices), judge_of(one, own, named=bundles))
        judgement.refuse()
    except TuneformError as wrong:
        raise pulumi.RunError(f"\n{wrong.render()}") from wrong
    for warning in told_once((*tree.warnings, *judgement.warned)):
        pulumi.log.warn(warning)
    for line in judgement.lines():
        pulumi.log.info(line)
    settings = ProgramSettings(
        wait=config.get("wait") or "succeeded",
        adopt=config.get_bool("adopt") or False,
        project=name,
        prices=prices,
    )
    declare(tree, settings)


main()
