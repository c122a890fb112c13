"""`tuneform endpoint` and `tuneform ask`: where clients of a served model call, and what it answers there."""

from __future__ import annotations

import pytest

from tuneform import serving
from tuneform.errors import ReconcileError

from .conftest import Shop

LASTING = "projects/tuneform-test/locations/us-central1/endpoints/colours"


def looked_up(shop: Shop, name: str = "colours") -> str:
    """What a Python program finds."""
    return serving.endpoint(
        name,
        project="shop",
        project_id="tuneform-test",
        location="us-central1",
        emulator=shop.emulator.endpoint,
    )


def test_the_lasting_name_alone_is_printed(served: Shop) -> None:
    ended = served.does("endpoint", "colours")

    assert (ended.out, ended.err) == (f"{LASTING}\n", "")
    assert looked_up(served) == LASTING
    found = served.does("endpoint", "colours", "--format", "json").json
    (job,) = served.live("tuningJobs")
    assert found["model"].rpartition("/")[2] == job["tunedModel"]["model"].rpartition("/")[2]
    assert (found["endpoint"], found["checkpoint"]) == (LASTING, "2")
    assert found["revision"] == job["labels"]["tuneform-revision"]


def test_while_nothing_serves_there_is_an_error_and_no_output(shop: Shop) -> None:
    ended = shop.run("endpoint", "colours")

    assert (ended.code, ended.out) == (1, "")
    assert "error[E620]: nothing serves shop/colours yet" in ended.err
    assert "remedy: `tuneform apply`" in ended.err
    with pytest.raises(serving.NothingServesError) as caught:
        looked_up(shop)
    assert isinstance(caught.value, ReconcileError)


def test_a_pointer_is_followed(shop: Shop) -> None:
    shop.write("colours", serving="pointer")
    shop.does("apply", "--yes")

    found = shop.does("endpoint", "colours").out.strip()

    (job,) = shop.live("tuningJobs")
    last = job["tunedModel"]["checkpoints"][-1]["endpoint"]
    assert found.rpartition("/")[2] == last.rpartition("/")[2]
    assert looked_up(shop) == found
    assert shop.does("ask", "colours", "say green 3").out == "green\n"


def test_asking_prints_the_answer_or_one_object(served: Shop) -> None:
    assert served.does("ask", "colours", "say blue 4").out == "blue\n"
    found = served.does("ask", "colours", "say blue 4", "--format", "json").json
    assert (found["answer"], found["question"], found["endpoint"]) == ("blue", "say blue 4", LASTING)


def test_a_system_instruction_goes_with_the_question(served: Shop) -> None:
    for colour in ("blue", "red"):
        assert served.does("ask", "colours", "please", "--system", f"say {colour} 4").out == f"{colour}\n"


def test_a_kept_checkpoint_is_asked_where_it_still_has_an_endpoint(shop: Shop) -> None:
    shop.write("colours", serving="pointer")
    shop.does("apply", "--yes")

    found = shop.does("ask", "colours", "say red 1", "--checkpoint", "1", "--format", "json").json

    (job,) = shop.live("tuningJobs")
    first = job["tunedModel"]["checkpoints"][0]
    assert found["checkpoint"] == first["checkpointId"]
    assert found["endpoint"].rpartition("/")[2] == first["endpoint"].rpartition("/")[2]
    missing = shop.run("ask", "colours", "say red 1", "--checkpoint", "7")
    assert missing.code == 1
    assert "has no checkpoint of epoch 7" in missing.err
    assert "it has those of 1, 2" in missing.err


def test_a_checkpoint_whose_endpoint_was_deleted_is_said_to_be_without(served: Shop) -> None:
    ended = served.run("ask", "colours", "say red 1", "--checkpoint", "1")

    assert (ended.code, ended.out) == (1, "")
    assert "error[E621]: nothing answers for checkpoint 1" in ended.err


def test_a_revision_that_is_not_kept_is_an_error_that_names_those_that_are(served: Shop) -> None:
    wanted = served.does("endpoint", "colours", "--format", "json").json["revision"]

    ended = served.run("ask", "colours", "say red 1", "--revision", "r1-0000000000000000")

    assert ended.code == 1
    assert f"it keeps: {wanted}" in ended.err
    assert served.does("ask", "colours", "say red 1", "--revision", wanted).out == "red\n"


def test_a_renamed_model_is_found_by_its_new_name_at_its_old_endpoint(served: Shop) -> None:
    served.remove("colours")
    served.write("shades", metadata={"previousNames": ["colours"]})
    served.does("apply", "--yes")

    assert served.does("endpoint", "shades").out == f"{LASTING}\n"
    assert looked_up(served, "shades") == LASTING
