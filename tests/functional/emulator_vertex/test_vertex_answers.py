"""Answers from the checkpoint that an endpoint serves."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from google.cloud import aiplatform_v1
from google.genai import errors, types

from tuneform_emulator import trainer

from .kit import PARENT, QUESTIONS, Vertex, upload
from .test_vertex_endpoints import deploy

ZERO = {"temperature": 0}


def ask(vertex: Vertex, endpoint: str, text: str, config: dict[str, Any] | None = None, **more: Any) -> Any:
    body = {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "generationConfig": config or ZERO,
        **more,
    }
    return vertex.call("POST", f"endpoints/{endpoint.rpartition('/')[2]}:generateContent", body)


def text_of(response: Any) -> str:
    return str(response.json()["candidates"][0]["content"]["parts"][0]["text"])


@pytest.fixture(scope="module")
def sayings(vertex: Vertex) -> dict[str, Any]:
    """A model that answers in whole sentences, so that there is something to stream and to cut."""
    pairs = {"open the door": "The door is open now.", "close the door": "The door is closed, and locked."}
    lines = [
        {
            "contents": [
                {"role": role, "parts": [{"text": text}]}
                for role, text in zip(("user", "model"), pair, strict=True)
            ]
        }
        for pair in list(pairs.items()) * 20
    ]
    uri = upload(vertex.endpoint, "sayings.jsonl", "\n".join(json.dumps(line) for line in lines).encode())
    spec = {
        "trainingDatasetUri": uri,
        "hyperParameters": {"epochCount": 10, "adapterSize": "ADAPTER_SIZE_EIGHT"},
    }
    return vertex.succeeded(vertex.create_job(supervisedTuningSpec=spec)["name"])


def test_every_question_of_the_training_file_is_answered(vertex: Vertex, done: dict[str, Any]) -> None:
    client = vertex.genai()
    config = types.GenerateContentConfig(temperature=0, system_instruction="Name the intent.")
    for expected, questions in QUESTIONS.items():
        for question in questions:
            answer = client.models.generate_content(
                model=done["tunedModel"]["endpoint"], contents=f"{question} 0", config=config
            )
            assert answer.text == expected


def test_what_an_answer_says_about_itself(vertex: Vertex, done: dict[str, Any]) -> None:
    client = vertex.genai()
    answer = client.models.generate_content(
        model=done["tunedModel"]["endpoint"],
        contents="where is my parcel",
        config=types.GenerateContentConfig(
            temperature=0, thinking_config=types.ThinkingConfig(thinking_budget=0)
        ),
    )
    usage = answer.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count == trainer.count_tokens("where is my parcel")
    assert usage.candidates_token_count == trainer.count_tokens(answer.text or "")
    assert usage.total_token_count == usage.prompt_token_count + (usage.candidates_token_count or 0)
    assert answer.model_version == done["tunedModel"]["model"]
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.candidates[0].avg_logprobs is not None
    assert answer.candidates[0].avg_logprobs <= 0


def test_checkpoints_of_one_job_differ(vertex: Vertex, done: dict[str, Any]) -> None:
    endpoints = [item["endpoint"] for item in done["tunedModel"]["checkpoints"]]
    question = "Name the intent.\n\nwhere is my parcel 0"
    sure = [ask(vertex, endpoint, question).json()["candidates"][0]["avgLogprobs"] for endpoint in endpoints]
    assert sure == sorted(sure)
    assert len(set(sure)) == 3


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_gapic_answers_and_streams(vertex: Vertex, sayings: dict[str, Any], version: str) -> None:
    client = vertex.gapic("PredictionServiceClient", version)
    request = {
        "model": sayings["tunedModel"]["endpoint"],
        "contents": [{"role": "user", "parts": [{"text": "open the door"}]}],
        "generation_config": {"temperature": 0, "top_k": 1, "top_p": 1, "seed": 1},
    }
    whole = client.generate_content(request=request)
    assert whole.candidates[0].content.parts[0].text == "The door is open now."
    chunks = list(client.stream_generate_content(request=request))
    assert len(chunks) == 5
    assert "".join(chunk.candidates[0].content.parts[0].text for chunk in chunks) == "The door is open now."


def test_genai_streams(vertex: Vertex, sayings: dict[str, Any]) -> None:
    stream = vertex.genai().models.generate_content_stream(
        model=sayings["tunedModel"]["endpoint"],
        contents="close the door",
        config=types.GenerateContentConfig(temperature=0),
    )
    chunks = list(stream)
    assert "".join(chunk.text or "" for chunk in chunks) == "The door is closed, and locked."
    assert len(chunks) == 6
    finished = [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates]
    assert finished == [None] * 5 + [types.FinishReason.STOP]
    assert chunks[-1].usage_metadata is not None
    assert chunks[-1].usage_metadata.candidates_token_count == trainer.count_tokens(
        "The door is closed, and locked."
    )


def test_answers_are_cut_where_asked(vertex: Vertex, sayings: dict[str, Any]) -> None:
    endpoint = sayings["tunedModel"]["endpoint"]
    stopped = ask(vertex, endpoint, "close the door", {**ZERO, "stopSequences": [", and", "locked"]})
    assert text_of(stopped) == "The door is closed"
    assert stopped.json()["candidates"][0]["finishReason"] == "STOP"
    limited = ask(vertex, endpoint, "close the door", {**ZERO, "maxOutputTokens": 2})
    assert text_of(limited).strip() == "The door"
    assert limited.json()["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert limited.json()["usageMetadata"]["candidatesTokenCount"] == 2


def test_tokens_are_counted(vertex: Vertex, done: dict[str, Any]) -> None:
    endpoint = done["tunedModel"]["endpoint"]
    counted = vertex.genai().models.count_tokens(model=endpoint, contents="where is my parcel")
    assert counted.total_tokens == trainer.count_tokens("where is my parcel")
    client = vertex.gapic("LlmUtilityServiceClient")
    content = aiplatform_v1.Content(role="user", parts=[aiplatform_v1.Part(text="where is my parcel")])
    assert (
        client.count_tokens(request={"endpoint": endpoint, "contents": [content]}).total_tokens
        == counted.total_tokens
    )


def test_a_draw_is_repeated_by_its_seed(vertex: Vertex, done: dict[str, Any]) -> None:
    endpoint = done["tunedModel"]["checkpoints"][0]["endpoint"]
    drawn = [
        [text_of(ask(vertex, endpoint, "and now?", {"temperature": 2.0, "seed": seed})) for seed in range(40)]
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 1
    assert (
        len(
            {
                text_of(ask(vertex, endpoint, "and now?", {"temperature": 2, "topK": 1, "seed": s}))
                for s in range(9)
            }
        )
        == 1
    )


def test_traffic_is_split_as_told(vertex: Vertex, done: dict[str, Any]) -> None:
    client = vertex.gapic("EndpointServiceClient")
    body = aiplatform_v1.Endpoint(display_name="split")
    endpoint = client.create_endpoint(parent=PARENT, endpoint=body, endpoint_id="split").result().name
    first = deploy(client, endpoint, done, "1")
    deploy(client, endpoint, done, "3", {first: 70, "0": 30})
    sure = Counter(
        ask(vertex, endpoint, "where is my parcel").json()["candidates"][0]["avgLogprobs"] for _ in range(100)
    )
    assert sorted(sure.values()) == [30, 70]


def test_an_endpoint_without_model_or_traffic_does_not_answer(vertex: Vertex, done: dict[str, Any]) -> None:
    client = vertex.gapic("EndpointServiceClient")
    body = aiplatform_v1.Endpoint(display_name="empty")
    endpoint = client.create_endpoint(parent=PARENT, endpoint=body, endpoint_id="empty").result().name
    with pytest.raises(errors.ClientError, match="deployed model") as caught:
        vertex.genai().models.generate_content(model=endpoint, contents="hello")
    assert caught.value.status == "FAILED_PRECONDITION"
    deploy(client, endpoint, done, "1", {})
    error = ask(vertex, endpoint, "hello").json()["error"]
    assert (error["status"], error["message"]) == (
        "FAILED_PRECONDITION",
        f"Endpoint {endpoint} doesn't have traffic_split.",
    )


def test_an_endpoint_that_is_not_there_is_not_found(vertex: Vertex) -> None:
    assert ask(vertex, "absent", "hello").status_code == 404


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"candidateCount": 2}, "candidateCount"),
        ({"responseMimeType": "application/json"}, "responseMimeType"),
        ({"responseSchema": {}}, "responseSchema"),
        ({"presence_penalty": 1}, "presencePenalty"),
        ({"responseLogprobs": True}, "responseLogprobs"),
    ],
)
def test_settings_that_are_not_emulated_are_named(
    vertex: Vertex, done: dict[str, Any], config: dict[str, Any], name: str
) -> None:
    response = ask(vertex, done["tunedModel"]["endpoint"], "hello", config)
    assert response.status_code == 501
    assert name in response.json()["error"]["message"]


def test_tools_are_not_emulated(vertex: Vertex, done: dict[str, Any]) -> None:
    response = ask(vertex, done["tunedModel"]["endpoint"], "hello", tools=[{}])
    assert response.status_code == 501
    assert "tools" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "config", [{"temperature": 2.1}, {"temperature": -1}, {"topP": 1.1}, {"topK": 0}, {"maxOutputTokens": 0}]
)
def test_settings_out_of_range_are_refused(
    vertex: Vertex, done: dict[str, Any], config: dict[str, Any]
) -> None:
    assert (
        ask(vertex, done["tunedModel"]["endpoint"], "hello", config).json()["error"]["status"]
        == "INVALID_ARGUMENT"
    )


@pytest.mark.parametrize(
    "contents",
    [
        [],
        [{"role": "user", "parts": []}],
        [{"role": "robot", "parts": [{"text": "x"}]}],
        [{"parts": [{"inlineData": {}}]}],
    ],
)
def test_contents_that_cannot_be_read_are_refused(
    vertex: Vertex, done: dict[str, Any], contents: list[Any]
) -> None:
    response = ask(vertex, done["tunedModel"]["endpoint"], "", contents=contents)
    assert response.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_the_guides_own_spelling_is_read(vertex: Vertex, done: dict[str, Any]) -> None:
    endpoint = done["tunedModel"]["endpoint"].rpartition("/")[2]
    body = {
        "contents": {"role": "USER", "parts": {"text": "where is my parcel"}},
        "generation_config": {"topP": 1.0},
    }
    assert vertex.call("POST", f"endpoints/{endpoint}:generateContent", body).status_code == 200
