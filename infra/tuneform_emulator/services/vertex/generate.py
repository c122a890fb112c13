"""Answering from the checkpoint an endpoint serves: generateContent, streamGenerateContent, countTokens.

What differs from the real service, on purpose: `thinkingConfig` and `safetySettings` are accepted and have no
effect; without a `seed` the draw at a temperature above 0 depends on the prompt alone, so that a run can be
repeated; and a traffic split is met exactly over every hundred requests.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tuneform_emulator import trainer, wire
from tuneform_emulator.services.vertex import endpoints, fields, models
from tuneform_emulator.services.vertex.resources import PREFIX, Json
from tuneform_emulator.world import World

CACHED_CHECKPOINTS = 32
DEFAULT_TEMPERATURE = 1.0
"""Of Gemini 2.5 and later: "Content generation parameters", Google Cloud (range 0 to 2, default 1)."""
MAX_TEMPERATURE = 2.0
_STRIDE = 61
"""Prime to 100: consecutive requests are spread over the split instead of coming in blocks."""

_CONFIG = (
    "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "thinkingConfig",
    "responseMimeType",
)  # fmt: skip


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn and cut."""

    temperature: float
    top_k: int | None
    top_p: float | None
    seed: int | None
    max_tokens: int | None
    stop: tuple[str, ...]


@dataclass
class Desk:
    """What answering keeps in memory: decoded checkpoints and, for each endpoint, how many requests it had."""

    world: World
    counters: dict[str, Iterator[int]] = field(default_factory=lambda: defaultdict(itertools.count))
    load: Callable[[str], trainer.Checkpoint] = field(init=False)

    def __post_init__(self) -> None:
        self.load = lru_cache(maxsize=CACHED_CHECKPOINTS)(self._decode)

    def _decode(self, key: str) -> trainer.Checkpoint:
        data = self.world.store.get_blob(key)
        if data is None:
            raise wire.ApiError.failed_precondition("The model of this endpoint was deleted.")
        return trainer.Checkpoint.from_bytes(data)

    def pick(self, endpoint: Mapping[str, Any]) -> Json:
        """The DeployedModel that the next request goes to.

        Raises:
            ApiError: 400 FAILED_PRECONDITION without a model or without traffic.
        """
        split: Mapping[str, int] = endpoint["trafficSplit"]
        deployed: dict[str, Json] = {item["id"]: item for item in endpoint["deployedModels"]}
        if not deployed:
            raise wire.ApiError.failed_precondition(
                f"Endpoint {endpoint['name']} doesn't have a deployed model."
            )
        slot = next(self.counters[endpoint["name"]]) * _STRIDE % 100
        for key, upper in zip(
            sorted(split), itertools.accumulate(split[key] for key in sorted(split)), strict=True
        ):
            if slot < upper:
                return deployed[key]
        raise wire.ApiError.failed_precondition(f"Endpoint {endpoint['name']} doesn't have traffic_split.")


def routes(world: World) -> tuple[wire.Route, ...]:
    """The methods that generate, and the count of tokens, on `endpoints/`."""
    desk = Desk(world)
    endpoint = f"{PREFIX}/endpoints/{{endpoint}}"
    return (
        wire.Route("POST", f"{endpoint}:generateContent", lambda request: _generate(desk, request)),
        wire.Route("POST", f"{endpoint}:streamGenerateContent", lambda request: _stream(desk, request)),
        wire.Route("POST", f"{endpoint}:countTokens", lambda request: _count(world, request)),
    )


def _generate(desk: Desk, request: wire.Request) -> Json:
    prompt, sampling = _asked(request)
    endpoint = endpoints.named(desk.world, request)
    deployed = desk.pick(endpoint)
    checkpoint = desk.load(models.served_blob(desk.world, deployed))
    seed = sampling.seed if sampling.seed is not None else _prompt_seed(prompt)
    answer = checkpoint.answer(
        prompt, temperature=sampling.temperature, top_k=sampling.top_k, top_p=sampling.top_p, seed=seed
    )
    text, reason = _cut(answer.text, sampling)
    tokens, spent = trainer.count_tokens(prompt), trainer.count_tokens(text)
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": text}]},
                "finishReason": reason,
                "avgLogprobs": answer.log_probability / max(trainer.count_tokens(answer.text), 1),
            }
        ],
        "usageMetadata": {
            "promptTokenCount": tokens,
            "candidatesTokenCount": spent,
            "totalTokenCount": tokens + spent,
            "trafficType": "ON_DEMAND",
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}],
            "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": spent}],
        },
        "modelVersion": deployed["model"],
        "createTime": desk.world.stamp(),
        "responseId": str(desk.world.store.next_id("response")),
    }


def _stream(desk: Desk, request: wire.Request) -> wire.Response:
    """The answer in pieces: server-sent events with `alt=sse`, a JSON array without."""
    chunks = list(_chunks(_generate(desk, request)))
    if request.one("alt") == "sse":
        body = "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks)
        return wire.Response(body.encode(), media_type="text/event-stream")
    return wire.Response(json.dumps(chunks).encode(), media_type="application/json")


def _chunks(whole: Json) -> Iterator[Json]:
    """A word a chunk; how it ended and what it used are on the last one only."""
    candidate = whole["candidates"][0]
    words = re.findall(r"\s*\S+\s*?(?=\s|$)|\s+$", candidate["content"]["parts"][0]["text"]) or [""]
    common = {key: whole[key] for key in ("modelVersion", "createTime", "responseId")}
    for number, word in enumerate(words, 1):
        content = {"content": {"role": "model", "parts": [{"text": word}]}}
        if number < len(words):
            yield {"candidates": [content], **common}
        else:
            yield {
                "candidates": [{**candidate, **content}],
                "usageMetadata": whole["usageMetadata"],
                **common,
            }


def _count(world: World, request: wire.Request) -> Json:
    body = fields.known(
        wire.camel(request.json()), "CountTokensRequest", read=("contents", "systemInstruction", "model"),
        ignored=("generationConfig",),
    )  # fmt: skip
    endpoints.named(world, request)
    text = _prompt(body)
    tokens = trainer.count_tokens(text)
    return {
        "totalTokens": tokens,
        "totalBillableCharacters": len(re.sub(r"\s", "", text)),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}],
    }


def _asked(request: wire.Request) -> tuple[str, Sampling]:
    body = fields.known(
        wire.camel(request.json()),
        "GenerateContentRequest",
        read=("contents", "systemInstruction", "generationConfig"),
        ignored=("model", "labels", "safetySettings"),
    )
    config = fields.known(fields.message(body, "generationConfig"), "GenerationConfig", read=_CONFIG)
    if (fields.integer(config, "candidateCount") or 1) != 1:
        raise wire.ApiError.unimplemented(
            "tuneform-emulator does not emulate GenerationConfig.candidateCount above 1 yet"
        )
    if (mime := fields.string(config, "responseMimeType")) not in ("", "text/plain"):
        raise wire.ApiError.unimplemented(
            f"tuneform-emulator does not emulate GenerationConfig.responseMimeType {mime} yet"
        )
    stop = config.get("stopSequences") or []
    if not isinstance(stop, list) or not all(isinstance(item, str) and item for item in stop):
        raise wire.ApiError.invalid(
            "stop_sequences must be a list of strings.", ("stop_sequences", str(stop))
        )
    sampling = Sampling(
        temperature=_ranged(config, "temperature", 0, MAX_TEMPERATURE, DEFAULT_TEMPERATURE) or 0.0,
        top_p=_ranged(config, "topP", 0, 1, None),
        top_k=_least_one(config, "topK"),
        seed=fields.integer(config, "seed"),
        max_tokens=_least_one(config, "maxOutputTokens"),
        stop=tuple(stop),
    )
    return _prompt(body), sampling


def _prompt(body: Json) -> str:
    """The prompt as training read it: see `trainer.prompt_text`."""
    contents = body.get("contents")
    contents = [contents] if isinstance(contents, dict) else contents
    if not isinstance(contents, list) or not contents:
        raise wire.ApiError.invalid(
            "contents is required.", ("contents", "At least one content field is required.")
        )
    for content in contents:
        role = content.get("role", "user") if isinstance(content, dict) else None
        if str(role).lower() not in ("user", "model"):
            reason = "Please use a valid role: user, model."
            raise wire.ApiError.invalid(reason, ("contents.role", reason))
    instruction = body.get("systemInstruction")
    try:
        return trainer.prompt_text(
            [_listed(content) for content in contents], _listed(instruction) if instruction else None
        )
    except ValueError as error:
        raise wire.ApiError.invalid(str(error), ("contents", str(error))) from error


def _listed(content: Any) -> Any:
    """A content whose `parts` is a list; the service's guides also show a single part there."""
    if isinstance(content, dict) and isinstance(content.get("parts"), dict):
        return {**content, "parts": [content["parts"]]}
    return content


def _ranged(config: Json, name: str, low: float, high: float, default: float | None) -> float | None:
    value = fields.number(config, name)
    if value is None:
        return default
    if not low <= value <= high:
        reason = f"{name} must be in the range [{low}, {high}], got {value}."
        raise wire.ApiError.invalid(reason, (f"generation_config.{name}", reason))
    return value


def _least_one(config: Json, name: str) -> int | None:
    value = fields.number(config, name)
    if value is None:
        return None
    if not 1 <= value < math.inf:
        reason = f"{name} must be at least 1, got {value}."
        raise wire.ApiError.invalid(reason, (f"generation_config.{name}", reason))
    return int(value)


def _prompt_seed(prompt: str) -> int:
    return int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "big")


def _cut(text: str, sampling: Sampling) -> tuple[str, str]:
    """The text up to a stop sequence or the token limit, and the reason it ended."""
    ends = [text.index(item) for item in sampling.stop if item in text]
    if ends:
        text = text[: min(ends)]
    if sampling.max_tokens is None or trainer.count_tokens(text) <= sampling.max_tokens:
        return text, "STOP"
    fits, overflows = 0, len(text)
    while overflows - fits > 1:
        middle = (fits + overflows) // 2
        if trainer.count_tokens(text[:middle]) <= sampling.max_tokens:
            fits = middle
        else:
            overflows = middle
    return text[:fits], "MAX_TOKENS"
