"""`tuneform up` on the example, as a newcomer runs it, and run again."""

from __future__ import annotations

import re
from typing import Any

from tests.functional.main_job.checkout import Checkout

from tuneform.specs.text.files import spec_files

PROD = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: prod}
spec: {projectId: tuneform-prod, location: us-central1, owner: ml-team}
"""


def test_up_ends_with_answers_and_again_changes_nothing(checkout: Checkout) -> None:
    first = checkout.does("up")

    assert "endpoints/support-intents" in first
    assert "held out of training" in first
    assert "validation loss" in first
    assert re.search(r"advice +(plateau|still falling|overfitting): the validation loss", first)
    assert "Try next:" in first
    live = checkout.counts()
    assert live["jobs"] == 2

    again = checkout.does("up")

    assert "everything unchanged" in again
    assert checkout.counts() == live
    assert "everything unchanged" in checkout.does("preview")


def test_a_second_project_does_not_get_the_stack_of_the_first(checkout: Checkout) -> None:
    """After the test above, whose stack is up: what `up` would not declare there it would delete."""

    def belong(documents: list[dict[str, Any]]) -> None:
        for document in documents:
            if document["kind"] != "Project":
                document["metadata"]["project"] = "demo"

    for file in spec_files(checkout.folder / "specs")[0]:
        checkout.edit(file.name, belong)
    (checkout.folder / "specs" / "prod.yaml").write_text(PROD)
    live = checkout.counts()

    refused = checkout.run("up", "--project", "prod", "--stack", "local")

    assert refused.code == 1
    assert "error[E300]: the stack local holds Project 'demo', and 'prod' was to be worked on" in refused.text
    assert "remedy: name one of them with --project, or say --all" in checkout.run("destroy", "--yes").text
    assert checkout.counts() == live
    assert "everything unchanged" in checkout.does("preview", "--project", "demo")
