from __future__ import annotations

from typing import Any

import pytest

from tuneform_emulator.wire import (
    ApiError,
    Request,
    Response,
    Route,
    Router,
    camel,
    conform,
    parse_query,
    snake_key,
)


def answer(request: Request) -> Response:
    return Response(request.path)


def matched(router: Router, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    found = router.match(method, path)
    return (found.route.pattern, found.params) if found else None


def test_a_verb_after_a_colon_is_part_of_the_route() -> None:
    router = Router(
        [
            Route("POST", "/{version}/projects/{project}/jobs/{job}:cancel", answer),
            Route("POST", "/{version}/projects/{project}/jobs/{job}", answer),
        ]
    )
    path = "/v1beta1/projects/p/jobs/7"
    assert matched(router, path + ":cancel", "POST") == (
        "/{version}/projects/{project}/jobs/{job}:cancel",
        {"version": "v1beta1", "project": "p", "job": "7"},
    )
    assert matched(router, path, "POST") is not None
    assert matched(router, path + ":explode", "POST") is None
    assert matched(router, path) is None
    assert matched(router, path.replace("v1beta1", "v2"), "POST") is None


def test_names_are_decoded_after_the_path_was_divided() -> None:
    router = Router([Route("GET", "/b/{bucket}/o/{object*}", answer), Route("GET", "/m/{model}", answer)])
    assert matched(router, "/b/x/o/a%2Fb%20c%3Ad") == (
        "/b/{bucket}/o/{object*}",
        {"bucket": "x", "object": "a/b c:d"},
    )
    assert matched(router, "/b/x/o/a/b") == ("/b/{bucket}/o/{object*}", {"bucket": "x", "object": "a/b"})
    assert matched(router, "/m/9%401") == ("/m/{model}", {"model": "9@1"})
    assert matched(router, "/b/x%2Fy/o") is None


def test_the_more_particular_route_wins_in_any_order() -> None:
    routes = [Route("GET", "/b/{x*}", answer), Route("GET", "/b/{x}", answer), Route("GET", "/b/own", answer)]
    for given in (routes, routes[::-1]):
        router = Router(given)
        assert matched(router, "/b/own") == ("/b/own", {})
        assert matched(router, "/b/other") == ("/b/{x}", {"x": "other"})
        assert matched(router, "/b/o/p") == ("/b/{x*}", {"x": "o/p"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kms_key_name": "k"}, {"kmsKeyName": "k"}),
        ({"a_b": [{"c_d": 1}, "e_f"]}, {"aB": [{"cD": 1}, "e_f"]}),
        ({"labels": {"my_label": "x_y"}}, {"labels": {"my_label": "x_y"}}),
        ({"traffic_split": {"a_b": 1}}, {"trafficSplit": {"a_b": 1}}),
        ({"_private": 1, "already": 2}, {"_private": 1, "already": 2}),
    ],
)
def test_keys_become_camel_case_but_for_the_users_own(given: Any, expected: Any) -> None:
    assert camel(given) == expected


def test_query_parameters_are_read_in_either_spelling() -> None:
    request = Request("GET", "/", query=parse_query("page_size=5&filter=a&filter=b%3Ac&empty="))
    assert request.whole("pageSize") == 5
    assert request.query["filter"] == ("a", "b:c")
    assert request.one("filter") == "a"
    assert request.one("empty", "default") == ""
    assert request.one("nothing", "default") == "default"
    assert snake_key("ifMetagenerationNotMatch") == "if_metageneration_not_match"
    with pytest.raises(ApiError, match="an integer is needed"):
        request.whole("filter")


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"a"', b"\xff", b"null"])
def test_a_body_that_is_no_object_is_a_400(body: bytes) -> None:
    with pytest.raises(ApiError, match="Invalid JSON payload") as caught:
        Request("POST", "/", body=body).json()
    assert caught.value.code == 400


def test_no_body_is_an_empty_object() -> None:
    assert Request("POST", "/").json() == {}
    assert Request("POST", "/", body=b" \n").json() == {}


SHAPE = {
    "a": int,
    "any": object,
    "names": [str],
    "inner": {"flag": bool},
    "labels": {"*": str},
    "n": (str, int),
}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"a": 1, "any": [{}], "names": ["x"], "inner": {"flag": True}, "labels": {"x y": "z"}, "n": "5"},
        {"a": None, "names": None, "inner": {"flag": None}, "labels": {"x": None}},
    ],
)
def test_a_body_of_the_right_shape_is_taken(body: dict[str, Any]) -> None:
    conform(body, SHAPE, "Thing")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"a": "1"}, "Invalid value at 'Thing.a': an integer is needed."),
        ({"a": True}, "Invalid value at 'Thing.a': an integer is needed."),
        ({"names": "x"}, "Invalid value at 'Thing.names': a list is needed."),
        ({"names": ["x", 1]}, "Invalid value at 'Thing.names[1]': a string is needed."),
        ({"names": [None]}, "Thing.names[0] must not be null."),
        ({"inner": 5}, "Invalid value at 'Thing.inner': an object is needed."),
        ({"labels": {"x": 1}}, "Invalid value at 'Thing.labels.x': a string is needed."),
        ({"n": 1.5}, "Invalid value at 'Thing.n': a string or an integer is needed."),
    ],
)
def test_a_wrong_shape_is_a_400_that_names_the_place(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError) as caught:
        conform(body, SHAPE, "Thing")
    assert (caught.value.code, caught.value.message) == (400, message)


def test_an_unknown_field_is_a_501_that_names_it() -> None:
    with pytest.raises(ApiError, match=r"the field 'c' of Thing\.inner") as caught:
        conform({"inner": {"c": 1}}, SHAPE, "Thing")
    assert caught.value.code == 501


def test_violations_become_a_bad_request_detail() -> None:
    error = ApiError.invalid("no", ("field", "why"))
    assert error.details == (
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": "field", "description": "why"}],
        },
    )


def test_bytes_are_sent_as_they_are_and_all_else_as_json() -> None:
    assert Response(b"\x00").content() == b"\x00"
    assert Response({"a": "ü"}).content() == '{"a":"ü"}'.encode()
