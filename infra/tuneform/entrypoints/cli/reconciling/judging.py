"""Policies over what is to be planned or applied: the same rules that `check` asks, with the data that was read."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from tuneform.entrypoints.cli.reconciling.connecting import Opened
from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.documents import Documents, facts_of_desired
from tuneform.entrypoints.doors.policies import judge_of
from tuneform.entrypoints.doors.telling import Judgement, judged
from tuneform.errors import told_once
from tuneform.specs.tree import Document


def judge(found: Opened, settings: Settings) -> Judgement:
    """What the documents that are asked about break.

    Raises:
        SettingsError: a bundle of policies cannot be used.
        SpecErrors: what is wrong in one.
    """
    asked = judge_of(found.scope.tree, settings)
    if not asked.rules:
        return Judgement()
    tree, part, project = found.scope.tree, found.scope.part, found.scope.project.name

    def wanted(document: Document[Any]) -> bool:
        return document.project == project and (part is None or part(document))

    facts = facts_of_desired(tree, found.desired)
    return judged(Documents(tree, facts, settings.prices()), asked, wanted)


def show(judgement: Judgement, where: Console) -> None:
    """What policies forbid and warn of; then their sources, what is excepted, and what was not asked."""
    for diagnostic in judgement.denied:
        where.print(Text(diagnostic.render(), style="red"), soft_wrap=True)
    for text in told_once(judgement.warned):
        where.print(Text(text, style="yellow"), soft_wrap=True)
    for line in judgement.lines():
        where.print(Text(line, style="dim"), soft_wrap=True)
