"""The built-in rules: each an expression, the kinds it is about, the parameters it takes, and why one would want it.

A policy takes one by its name (`builtin: cmek-required`), with its parameters, and may say its own enforcement, message
and match. Nothing is judged that no policy asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Parameter = Literal["number", "text", "texts"]


@dataclass(frozen=True)
class Builtin:
    """A rule that comes with tuneform. `params` are its parameters with their types; `optional` has values for some.

    `why` says what it protects from, `remedy` what to do about a breach. See `rules.Rule` for the others.
    """

    title: str
    kinds: tuple[str, ...]
    expression: str
    field: str
    why: str
    remedy: str
    message: str = ""
    message_expression: str = ""
    each: str = ""
    params: Mapping[str, Parameter] | None = None
    optional: Mapping[str, object] | None = None
    mendable: bool = False


_KEY = "object.spec.encryptionKey"
_BASE = "(has(object.spec.baseModel) ? object.spec.baseModel : object.spec.preTunedModel.baseModel)"
_EPOCHS = "object.spec.hyperParameters.epochCount"
_LABELLED = ("DatasetBucket", "TuningJob", "TunedModel")

LIBRARY: Mapping[str, Builtin] = {
    "cmek-required": Builtin(
        "A key of your own",
        ("TuningJob", "DatasetBucket"),
        f"has({_KEY})",
        "spec.encryptionKey",
        "What is learned from customer data can be made unreadable by whoever holds the key, and by nobody else.",
        "name an EncryptionKey with encryptionKey: {ref: …}",
        message="no key of your own encrypts it",
    ),
    "key-placement": Builtin(
        "Keys in allowed projects and locations",
        ("TuningJob", "DatasetBucket"),
        f"!has({_KEY}) || ({_KEY}.projectId in params.projects && {_KEY}.location in params.locations)",
        "spec.encryptionKey",
        "A key in somebody else's project, or in another region, is ruled by other people and other laws.",
        "take a key that lies in one of the allowed projects and locations",
        message_expression=f"'the key lies in ' + {_KEY}.projectId + ', ' + {_KEY}.location + "
        "'; allowed are ' + params.projects.join(', ') + ' in ' + params.locations.join(', ')",
        params={"projects": "texts", "locations": "texts"},
    ),
    "regions": Builtin(
        "Allowed regions",
        ("Project", "DatasetBucket"),
        "params.locations.exists(one, one.lowerAscii() == object.spec.location.lowerAscii()) && "
        "(!has(object.spec.servingLocation) || "
        "params.locations.exists(one, one.lowerAscii() == object.spec.servingLocation.lowerAscii()))",
        "spec.location",
        "Data and models stay where the law, a contract or latency wants them.",
        "take one of the allowed locations",
        message_expression="'it lies in ' + object.spec.location + "
        "(has(object.spec.servingLocation) && object.spec.servingLocation != object.spec.location "
        "? ' and serves from ' + object.spec.servingLocation : '') + "
        "'; allowed are ' + params.locations.join(', ')",
        params={"locations": "texts"},
    ),
    "base-models": Builtin(
        "Allowed base models",
        ("TuningJob",),
        f"{_BASE} in params.models",
        "spec.baseModel",
        "Each model has terms, prices and a retirement date that somebody has looked at, or has not.",
        "take one of the allowed models, or have this one looked at",
        message_expression=f"{_BASE} + ' is not among the allowed models: ' + params.models.join(', ')",
        params={"models": "texts"},
    ),
    "reviewed-parents": Builtin(
        "No unreviewed model to go on from",
        ("TuningJob",),
        "!has(object.spec.preTunedModel) || !has(object.spec.preTunedModel.name) || "
        "object.spec.preTunedModel.name in params.models",
        "spec.preTunedModel",
        "A model from elsewhere brings along what it was trained on, which no document here shows.",
        "go on from a TuningJob with ref:, or have the model reviewed and added to the policy",
        message_expression="object.spec.preTunedModel.name + ' is not among the reviewed models'",
        optional={"models": ()},
        params={"models": "texts"},
    ),
    "max-epochs": Builtin(
        "At most so many epochs",
        ("TuningJob",),
        f"has({_EPOCHS}) && {_EPOCHS} <= params.most",
        "spec.hyperParameters.epochCount",
        "Every epoch bills the whole dataset once more, and too many make a model that has learned it by heart.",
        "set epochCount, no higher than the policy allows",
        message_expression=f"has({_EPOCHS}) ? string({_EPOCHS}) + ' epochs; ' + string(params.most) + "
        "' are the most' : 'epochCount is not set, so that Vertex AI chooses; ' + string(params.most) + "
        "' are the most'",
        params={"most": "number"},
    ),
    "max-tokens": Builtin(
        "At most so many billed tokens a job",
        ("TuningJob",),
        "has(cost.tokensHigh) && cost.tokensHigh <= params.most",
        "spec.dataset",
        "Tokens are what is billed, and known before a price is.",
        "train on fewer examples or for fewer epochs; the upper end of the estimate counts",
        message_expression="has(cost.tokensHigh) ? 'up to ' + string(cost.tokensHigh) + ' tokens; ' + "
        "string(params.most) + ' are the most' : 'no upper end of its tokens is known; ' + "
        "string(params.most) + ' are the most'",
        params={"most": "number"},
    ),
    "max-cost": Builtin(
        "At most so much money a job",
        ("TuningJob",),
        "has(cost.high) && cost.currency == params.currency && cost.high <= double(params.most)",
        "spec.dataset",
        "A budget holds only what is held against it before the job is made: afterwards the money is gone.",
        "train on fewer examples or for fewer epochs, or give a price table where the price is not known",
        message_expression="has(cost.high) && cost.currency == params.currency ? 'up to ' + "
        "string(cost.high) + ' ' + params.currency + '; ' + string(params.most) + ' are the most' : "
        "'what it costs in ' + params.currency + ' is not known; ' + string(params.most) + ' are the most'",
        params={"most": "number", "currency": "text"},
    ),
    "max-examples": Builtin(
        "At most so many training examples",
        ("Dataset", "TuningJob"),
        "!has(data.training) || data.training.examples <= params.most",
        "spec.dataset",
        "A dataset that grew by accident is paid for in every epoch.",
        "take fewer examples",
        message_expression="string(data.training.examples) + ' training examples; ' + string(params.most) + "
        "' are the most'",
        params={"most": "number"},
    ),
    "required-labels": Builtin(
        "Labels that must be there",
        _LABELLED,
        "item in object.metadata.labels && object.metadata.labels[item] != ''",
        "metadata.labels.{item}",
        "Bills and alerts find their owner by labels; what carries none belongs to nobody.",
        "add the label to the document, or to its Project for all",
        each="params.labels",
        message_expression="'the label ' + item + ' is missing'",
        params={"labels": "texts"},
        mendable=True,
    ),
    "validation-required": Builtin(
        "Validation examples",
        ("TuningJob",),
        "has(data.validation)",
        "spec.dataset",
        "Without them nobody sees when training begins to do harm, and `checkpoint: best` has nothing to go by.",
        "give the Dataset validation:, or a split",
        message="its dataset has no validation examples",
    ),
    "test-required": Builtin(
        "Test examples for the gate",
        ("TunedModel",),
        "has(data.test)",
        "spec.gate",
        "A gate that is measured on what chose the model proves nothing.",
        "give the Dataset test:, or a split",
        message="its dataset has no test examples",
    ),
    "gate-required": Builtin(
        "A gate before it serves",
        ("TunedModel",),
        "has(object.spec.gate) && (has(object.spec.gate.exactMatch) || has(object.spec.gate.evalLoss) || "
        "has(object.spec.gate.evalAccuracy) || has(object.spec.gate.noWorseThan))",
        "spec.gate",
        "Without a gate whatever was trained last gets the traffic.",
        "write gate: with at least one condition",
        message="nothing has to be shown before it serves",
        mendable=True,
    ),
    "dedicated-service-account": Builtin(
        "A service account of its own",
        ("TuningJob",),
        "has(object.spec.serviceAccount) && "
        "!object.spec.serviceAccount.email.endsWith('-compute@developer.gserviceaccount.com') && "
        "!object.spec.serviceAccount.email.endsWith('@appspot.gserviceaccount.com')",
        "spec.serviceAccount",
        "The default accounts can do nearly everything in a project; one of its own reads the data and no more.",
        "name a ServiceAccount with serviceAccount: {ref: …}",
        message_expression="has(object.spec.serviceAccount) ? object.spec.serviceAccount.email + "
        "' is a default account' : 'it runs as the tuning agent, and not as an account of its own'",
    ),
    "no-primitive-roles": Builtin(
        "No owner, editor or viewer",
        ("ServiceAccount",),
        "!(item in ['roles/owner', 'roles/editor', 'roles/viewer'])",
        "spec.projectRoles",
        "Primitive roles reach over every service of the project, those that are not there yet included.",
        "grant the roles that it needs, on what it needs them for",
        each="has(object.spec.projectRoles) ? object.spec.projectRoles : []",
        message_expression="'it has ' + string(item) + ' on the whole project'",
        mendable=True,
    ),
    "uniform-bucket-access": Builtin(
        "Access by IAM alone",
        ("DatasetBucket",),
        "object.spec.uniformBucketLevelAccess",
        "spec.uniformBucketLevelAccess",
        "Lists per object open single files past every rule that the bucket has.",
        "leave uniformBucketLevelAccess as it is: on",
        message="single objects may have access lists of their own",
        mendable=True,
    ),
    "public-access-prevention": Builtin(
        "Never public",
        ("DatasetBucket",),
        "object.spec.publicAccessPrevention == 'enforced'",
        "spec.publicAccessPrevention",
        "One grant to allUsers publishes the training data.",
        "write publicAccessPrevention: enforced, or leave it out",
        message="it could be opened to the public",
        mendable=True,
    ),
    "retention": Builtin(
        "How long data is kept",
        ("DatasetBucket",),
        "has(object.spec.lifecycle) && object.spec.lifecycle.exists(rule, has(rule.age) && "
        "!has(rule.numNewerVersions) && rule.age <= params.mostDays) && "
        "object.spec.lifecycle.all(rule, !has(rule.age) || rule.age >= params.leastDays)",
        "spec.lifecycle",
        "Personal data may not be kept for ever, and what an audit asks for may not be gone too soon.",
        "write a lifecycle rule with an age between the two, and no other condition",
        message_expression="'objects must be deleted after ' + string(params.leastDays) + ' to ' + "
        "string(params.mostDays) + ' days'",
        params={"mostDays": "number", "leastDays": "number"},
        optional={"leastDays": 0},
        mendable=True,
    ),
}
"""The built-in rules by their names."""
