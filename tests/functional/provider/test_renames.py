"""Documents that get another name: with `previousNames` what is live goes on, and nothing is paid."""

from __future__ import annotations

from typing import Any

from tests.functional.emulators import Emulator
from tests.functional.provider.engine import WITH_ENGINE, Stack, edit, vertex

pytestmark = WITH_ENGINE

RENAMED = ("Dataset/answers", "TunedModel/answers", "TuningJob/answers")


def rename(stack: Stack, *, kept: bool = True) -> None:
    """All three documents of the tuning, and what refers to them."""
    earlier = ", previousNames: [intents]" if kept else ""
    edit(
        stack,
        "{name: intents, labels: {team: support}}",
        f"{{name: answers, labels: {{team: support}}{earlier}}}",
    )
    edit(stack, "{name: intents}", f"{{name: answers{earlier}}}")
    edit(stack, "{ref: intents}", "{ref: answers}")


def identities(stack: Stack) -> set[str]:
    """The ids of our resources in the state."""
    state = stack.stack().export_stack().deployment
    assert state is not None
    return {one["id"] for one in state["resources"] if one["type"].startswith("tuneform:index:")}


def stored(emulator: Emulator) -> dict[str, str]:
    """The folder of each object that is live in the dataset bucket, by its name in there."""
    found = emulator.storage().bucket("tuneform-test-data").list_blobs(prefix="datasets/")
    return {blob.name.rpartition("/")[2]: blob.name.rpartition("/")[0] for blob in found}


def paid(emulator: Emulator) -> list[Any]:
    return [job["name"] for job in vertex(emulator, "tuningJobs")]


def test_a_rename_with_previous_names_pays_nothing_and_clients_keep_their_endpoint(
    stack: Stack, emulator: Emulator
) -> None:
    stack.up()
    served, jobs, files = stack.outputs()["intents"], paid(emulator), set(stored(emulator))
    rename(stack)

    preview = stack.preview()
    assert preview.changed == dict.fromkeys(RENAMED, "update")
    assert "one tuning job" not in preview.said
    stack.up()

    assert stack.outputs() == {"answers": served}
    assert paid(emulator) == jobs
    assert stored(emulator) == dict.fromkeys(files, "datasets/answers"), "nothing is left in the old folder"
    (model,) = vertex(emulator, "models")
    assert model["labels"]["tuneform-name"] == "answers"
    assert stack.preview().changed == {}

    assert identities(stack) == {"demo/intents"}, "the engine takes no other id from an update"
    stack.refresh()
    assert identities(stack) == {"demo/answers"}, "and does from a read"
    assert stack.preview().changed == {}

    stack.destroy()
    assert vertex(emulator, "models") == vertex(emulator, "endpoints") == []
    assert [bucket.name for bucket in emulator.storage().list_buckets()] == ["tuneform-test-tuneform-state"]


def test_a_rename_and_another_recipe_at_once_is_one_new_revision(stack: Stack, emulator: Emulator) -> None:
    stack.up()
    served = stack.outputs()["intents"]
    rename(stack)
    edit(stack, "epochCount: 2", "epochCount: 3")
    assert "hyperParameters.epochCount 2 → 3" in stack.preview().said
    stack.up()
    again = stack.outputs()["answers"]
    assert again["endpoint"] == served["endpoint"]
    assert again["revision"] != served["revision"]
    assert len(paid(emulator)) == 2
    assert stack.preview().changed == {}


def test_a_rename_without_previous_names_is_another_tuning(stack: Stack, emulator: Emulator) -> None:
    stack.up()
    served = stack.outputs()["intents"]
    rename(stack, kept=False)
    preview = stack.preview()
    assert {name: step for name, step in preview.changed.items() if name in RENAMED} == dict.fromkeys(
        RENAMED, "create"
    )
    stack.up()
    assert stack.outputs()["answers"]["endpoint"] != served["endpoint"]
    assert len(paid(emulator)) == 2
    assert [model["displayName"] for model in vertex(emulator, "models")] == ["answers"]
    assert [endpoint["displayName"] for endpoint in vertex(emulator, "endpoints")] == ["answers"]
