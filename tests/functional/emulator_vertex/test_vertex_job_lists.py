"""Listing jobs: order, pages, filters, and what the settings change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tuneform_emulator.world import Settings

from .kit import PARENT, Vertex, dataset, launch, upload


@pytest.fixture(scope="module")
def jobs(vertex: Vertex) -> list[str]:
    """Five jobs, named oldest first, the last one in another team."""
    teams = ["red", "red", "red", "red", "blue"]
    return [vertex.create_job(labels={"team": team, "list": "yes"})["name"] for team in teams]


def test_the_newest_come_first_over_all_pages(vertex: Vertex, jobs: list[str]) -> None:
    client = vertex.gapic("GenAiTuningServiceClient")
    pager = client.list_tuning_jobs(request={"parent": PARENT, "page_size": 2, "filter": "labels.list:*"})
    assert [len(page.tuning_jobs) for page in pager.pages] == [2, 2, 1]
    everything = client.list_tuning_jobs(
        request={"parent": PARENT, "page_size": 2, "filter": "labels.list:*"}
    )
    assert [job.name for job in everything] == jobs[::-1]


def test_genai_pages_as_well(vertex: Vertex, jobs: list[str]) -> None:
    pager = vertex.genai().tunings.list(config={"page_size": 2, "filter": "labels.list:*"})
    assert [job.name for job in pager] == jobs[::-1]


def test_labels_and_states_are_filtered_on(vertex: Vertex, jobs: list[str]) -> None:
    for name in jobs:
        vertex.succeeded(name)
    client = vertex.gapic("GenAiTuningServiceClient", "v1beta1")

    def found(text: str) -> list[str]:
        return [job.name for job in client.list_tuning_jobs(request={"parent": PARENT, "filter": text})]

    assert found('labels.team="blue"') == jobs[4:]
    assert found('labels.list=yes AND labels.team:red AND state="JOB_STATE_SUCCEEDED"') == jobs[3::-1]
    assert found('labels.list=yes AND state="JOB_STATE_FAILED"') == []


def test_an_empty_list_is_an_empty_object(vertex: Vertex) -> None:
    assert vertex.call("GET", "tuningJobs?filter=labels.absent:*").json() == {}


def test_another_location_has_its_own_jobs(vertex: Vertex, jobs: list[str]) -> None:
    client = vertex.gapic("GenAiTuningServiceClient")
    assert jobs
    assert list(client.list_tuning_jobs(parent="projects/vertex-tests/locations/europe-west4")) == []


def test_a_bad_filter_is_refused(vertex: Vertex) -> None:
    assert vertex.call("GET", "tuningJobs?filter=state==").json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.fixture(scope="module")
def slow_lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vertex]:
    path = tmp_path_factory.mktemp("lists") / "emulator.db"
    settings = Settings(list_lag_seconds=3600, list_filters_labels=False, labels_copied=False)
    for running in launch(path, settings):
        upload(running.endpoint, "training.jsonl", dataset(2))
        yield running


def test_a_list_may_lag(slow_lists: Vertex) -> None:
    job = slow_lists.create_job()
    assert slow_lists.call("GET", "tuningJobs").json() == {}
    assert slow_lists.job(job["name"])["name"] == job["name"]


def test_a_list_may_not_know_labels(slow_lists: Vertex) -> None:
    error = slow_lists.call("GET", "tuningJobs?filter=labels.a=b").json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"


def test_labels_may_stay_on_the_job(slow_lists: Vertex) -> None:
    job: dict[str, Any] = slow_lists.succeeded(slow_lists.create_job(labels={"team": "x"})["name"])
    assert "team" not in slow_lists.job(job["tunedModel"]["model"])["labels"]
    assert slow_lists.job(job["tunedModel"]["model"])["labels"]["tune-type"] == "sft"
