"""Filters and pages of list calls."""

import itertools
from typing import Any

import pytest

from tuneform_emulator.services.vertex import listing
from tuneform_emulator.wire import ApiError, Request

JOB = {"state": "JOB_STATE_RUNNING", "labels": {"team": "support", "tuneform-name": "intents", "empty": ""}}
GETTERS: dict[str, listing.Getter] = {
    "state": lambda job: job["state"],
    "parent_contexts": lambda _: ["a/b", "c/d"],
}


def holds(text: str) -> bool:
    return listing.matches(listing.parse(text), JOB, GETTERS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        'labels.team="support"',
        "labels.team=support",
        "labels.team:support",
        "labels.team:*",
        "labels:team",
        'labels."team"="support"',
        'labels.tuneform-name = "intents" AND state="JOB_STATE_RUNNING"',
        "labels.team!=sales",
        "labels.absent!=anything",
        'labels.empty=""',
        "state:JOB_STATE_RUNNING",
        'parent_contexts:"c/d"',
        'parentContexts:"a/b"',
    ],
)
def test_a_filter_that_holds_keeps_the_resource(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'labels.team="sales"',
        "labels.absent:*",
        "labels:absent",
        "labels.team!=support",
        "labels.absent=anything",
        'state="JOB_STATE_RUNNING" AND labels.team="sales"',
        'state="JOB_STATE"',
        'parent_contexts:"c"',
    ],
)
def test_a_filter_that_does_not_hold_drops_the_resource(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    "text", ["state", "state=", "= 3", 'state="x', "state=x labels.team=y", 'state="x" & y=z']
)
def test_a_filter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as refusal:
        holds(text)
    assert refusal.value.code == 400


@pytest.mark.parametrize(
    "text", ["state=x OR state=y", "NOT state=x", "(state=x)", "-state=x", "state=x AND NOT state=y"]
)
def test_operators_that_are_not_emulated_are_named(text: str) -> None:
    with pytest.raises(ApiError) as refusal:
        holds(text)
    assert refusal.value.code == 501
    assert "filters yet" in refusal.value.message


def test_a_field_that_is_not_emulated_is_named() -> None:
    with pytest.raises(ApiError, match="create_time"):
        holds('createTime="2026"')


def page(documents: list[tuple[int, dict[str, Any]]], **query: str) -> dict[str, Any]:
    request = Request("GET", "/", query={name: (value,) for name, value in query.items()})
    return listing.page(request, "items", documents)


def documents(*numbers: int) -> list[tuple[int, dict[str, Any]]]:
    return [(number, {"id": number}) for number in numbers]


def test_pages_follow_each_other_to_the_end() -> None:
    first = page(documents(5, 4, 3, 2, 1), pageSize="2")
    second = page(documents(5, 4, 3, 2, 1), pageSize="2", pageToken=first["nextPageToken"])
    third = page(documents(5, 4, 3, 2, 1), pageSize="2", pageToken=second["nextPageToken"])
    assert [item["id"] for part in (first, second, third) for item in part["items"]] == [5, 4, 3, 2, 1]
    assert "nextPageToken" not in third


def test_a_page_takes_no_more_than_it_shows_and_the_one_that_proves_there_is_more() -> None:
    endless = ((number, {"id": number}) for number in itertools.count(10**6, -1))
    found = listing.page(Request("GET", "/", query={"pageSize": ("3",)}), "items", endless)
    assert [item["id"] for item in found["items"]] == [10**6, 10**6 - 1, 10**6 - 2]
    assert next(endless)[0] == 10**6 - 4


def test_a_full_last_page_has_no_token() -> None:
    assert "nextPageToken" not in page(documents(2, 1), pageSize="2")


def test_what_is_created_or_deleted_between_pages_shifts_nothing() -> None:
    token = page(documents(5, 4, 3, 2), pageSize="2")["nextPageToken"]
    assert [item["id"] for item in page(documents(6, 5, 3, 2), pageSize="2", pageToken=token)["items"]] == [
        3,
        2,
    ]


def test_nothing_found_is_an_empty_answer() -> None:
    assert page([]) == {}


def test_the_default_page_holds_a_hundred() -> None:
    assert len(page(documents(*range(150, 0, -1)))["items"]) == 100


@pytest.mark.parametrize(
    "query", [{"pageToken": "nonsense"}, {"pageToken": "!"}, {"pageSize": "-1"}, {"pageSize": "x"}]
)
def test_a_bad_page_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as refusal:
        page(documents(1), **query)
    assert refusal.value.code == 400


@pytest.mark.parametrize("name", ["orderBy", "readMask"])
def test_order_and_masks_are_not_emulated(name: str) -> None:
    with pytest.raises(ApiError, match=name) as refusal:
        page(documents(1), **{name: "display_name"})
    assert refusal.value.code == 501


def test_all_filters_of_a_request_hold() -> None:
    request = Request("GET", "/", query={"filter": ("labels.a:*", "", "labels.b=1")})
    assert listing.filter_text(request) == "labels.a:* AND labels.b=1"
