"""What a person sees of the engine's events."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pulumi.automation.events import EngineEvent
from rich.console import Console

from tuneform.entrypoints.cli.running.display import Display

URN = "urn:pulumi:local::tuneform::tuneform:index:TuningJob::support-intents"


def event(**fields: Any) -> EngineEvent:
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, **fields})


def began(op: str, urn: str = URN, kind: str = "tuneform:index:TuningJob") -> EngineEvent:
    return event(resourcePreEvent={"metadata": {"op": op, "urn": urn, "type": kind, "provider": ""}})


def ended(op: str, urn: str = URN) -> EngineEvent:
    metadata = {"op": op, "urn": urn, "type": "tuneform:index:TuningJob", "provider": ""}
    return event(resOutputsEvent={"metadata": metadata})


def said(message: str, *, severity: str = "info", ephemeral: bool = False, urn: str = URN) -> EngineEvent:
    fields = {"message": message, "color": "never", "severity": severity, "ephemeral": ephemeral, "urn": urn}
    return event(diagnosticEvent=fields)


def summary(**changes: int) -> EngineEvent:
    return event(
        summaryEvent={
            "maybeCorrupt": False,
            "durationSeconds": 1,
            "resourceChanges": changes,
            "PolicyPacks": {},
        }
    )


def shown(*events: EngineEvent, preview: bool = False) -> tuple[str, Display]:
    out = io.StringIO()
    display = Display(Console(file=out, width=120), preview=preview)
    with display.shown():
        for one in events:
            display.event(one)
    if preview:
        display.plan()
    return out.getvalue(), display


def test_a_job_that_is_waited_for_is_a_line_a_move_and_one_at_its_end() -> None:
    text, _ = shown(
        began("create"),
        said("RUNNING, epoch 1/8, loss 1.749", ephemeral=True),
        said("RUNNING, epoch 2/8, loss 0.400", ephemeral=True),
        ended("create"),
    )

    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines == [
        "+ TuningJob support-intents RUNNING, epoch 1/8, loss 1.749",
        "+ TuningJob support-intents RUNNING, epoch 2/8, loss 0.400",
        "+ TuningJob support-intents created",
    ]


def test_a_preview_says_what_would_be_done_and_why() -> None:
    text, display = shown(
        began("update"),
        said("new revision r1-0123456789abcdef (recipe changed: epochCount 4 → 6)"),
        ended("update"),
        summary(update=1, same=22),
        preview=True,
    )

    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "~ TuningJob support-intents update",
        "new revision r1-0123456789abcdef (recipe changed: epochCount 4 → 6)",
    ]
    assert display.summary() == "1 to update, 22 unchanged"


def test_a_preview_names_the_fields_of_infrastructure_that_differ() -> None:
    metadata = {
        "op": "update",
        "urn": "urn:a::b::gcp:storage/bucket:Bucket::data",
        "type": "gcp:storage/bucket:Bucket",
        "provider": "",
        "detailedDiff": {"versioning.enabled": {"diffKind": "update", "inputDiff": True}},
    }
    text, _ = shown(event(resourcePreEvent={"metadata": metadata}), preview=True)

    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "~ Bucket data update",
        "differs in versioning.enabled",
    ]


def test_what_stays_the_same_is_a_number_and_no_line() -> None:
    text, display = shown(began("same"), ended("same"), summary(same=23))

    assert text == ""
    assert display.summary() == "everything unchanged (23 resources)"


def test_errors_are_kept_and_colour_marks_are_not() -> None:
    _, display = shown(said("<{%fg 1%}>the job failed<{%reset%}>\n", severity="error"))

    assert [problem.text for problem in display.errors] == ["the job failed"]


@pytest.mark.parametrize("name", ["gcp", "tuneform"])
def test_plugins_found_on_path_are_no_news(name: str) -> None:
    warning = f"using pulumi-resource-{name} from $PATH at somewhere"
    text, _ = shown(said(warning, severity="warning"), said("the state is old", severity="warning"))

    assert text.strip() == "warning: the state is old"


def test_the_stack_itself_and_its_providers_are_not_resources_to_people() -> None:
    text, _ = shown(
        began("create", "urn:a::b::pulumi:pulumi:Stack::x", "pulumi:pulumi:Stack"),
        began("create", "urn:a::b::pulumi:providers:gcp::default", "pulumi:providers:gcp"),
        ended("create", "urn:a::b::pulumi:providers:gcp::default"),
    )

    assert text == ""


def test_what_a_destroy_leaves_live_is_kept_and_not_deleted() -> None:
    ring = "urn:pulumi:local::tuneform::gcp:kms/keyRing:KeyRing::ring"
    old = {"urn": ring, "type": "gcp:kms/keyRing:KeyRing", "id": "ring", "parent": "", "provider": ""}
    held = {**old, "retainOnDelete": True, "inputs": {}, "outputs": {}}
    retained = {"op": "delete", "urn": ring, "type": old["type"], "provider": "", "old": held}
    begun = event(resourcePreEvent={"metadata": retained})

    text, display = shown(begun, ended("delete", ring), began("delete"), ended("delete"), summary(delete=2))

    assert "KeyRing            ring" in text
    assert "kept" in text
    assert display.summary() == "1 deleted, 1 kept"
