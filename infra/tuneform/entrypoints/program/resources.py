"""Our provider's resources as Pulumi classes, with the outputs that the program uses."""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi


class _Resource(pulumi.CustomResource):
    token: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]]

    def __init__(self, name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__(self.token, name, {**dict.fromkeys(self.outputs), **inputs}, opts)


class Dataset(_Resource):
    """tuneform:index:Dataset. A split that the dataset does not have is None."""

    token = "tuneform:index:Dataset"  # noqa: S105 (a type token)
    outputs = ("training", "validation", "test", "warnings")

    training: pulumi.Output[dict[str, Any]]
    validation: pulumi.Output[dict[str, Any] | None]
    test: pulumi.Output[dict[str, Any] | None]


class TuningJob(_Resource):
    """tuneform:index:TuningJob. `model` is None until the job has succeeded."""

    token = "tuneform:index:TuningJob"  # noqa: S105 (as above)
    outputs = ("revision", "state", "job", "model", "endpoint", "checkpoints", "metrics", "billableTokens")

    revision: pulumi.Output[str]
    model: pulumi.Output[str | None]


class TunedModel(_Resource):
    """tuneform:index:TunedModel."""

    token = "tuneform:index:TunedModel"  # noqa: S105 (as above)
    outputs = ("state", "endpoint", "metrics", "gates")

    endpoint: pulumi.Output[str]
    revision: pulumi.Output[str]
    model: pulumi.Output[str | None]
    checkpoint: pulumi.Output[Any]
    metrics: pulumi.Output[dict[str, float]]
