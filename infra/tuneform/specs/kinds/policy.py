"""Policy: rules that documents must keep, and who need not keep one of them until when."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tuneform.specs.kinds.base import SpecModel, Text, matching, problem, shown

RuleName = Annotated[
    str, matching(r"[a-z][-a-z0-9]{0,62}", "a rule's name: lower-case letters, digits and dashes, at most 63")
]
RuleReference = Annotated[
    str,
    matching(
        r"([a-z][-a-z0-9]{0,22}/)?[a-z][-a-z0-9]{0,62}",
        "a rule: its name, or POLICY/NAME for another policy's",
    ),
]
Pattern = Annotated[str, Field(min_length=1, max_length=128)]
FieldPath = Annotated[
    str,
    matching(
        r"(metadata|spec)(\.[A-Za-z0-9_{][-A-Za-z0-9_{}]*)*",
        "the path of a field: spec.hyperParameters.epochCount, metadata.labels.team",
    ),
]
Cel = Annotated[str, Field(min_length=1, max_length=4096)]
EnforcementLevel = Literal["deny", "warn", "audit"]


def _day(value: str) -> str:
    try:
        day = date.fromisoformat(value).isoformat()
    except ValueError:
        day = ""
    if day != value:  # other forms of ISO 8601 are days, too, which not everybody reads
        raise problem("E127", f"{shown(value)} is not a day", hint="write it as 2027-01-31")
    return value


Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]


class PolicyMatch(SpecModel):
    """Which documents are meant. What is left out asks for nothing; `*` stands for any characters, `?` for one."""

    kinds: tuple[
        Literal[
            "Project",
            "DatasetBucket",
            "EncryptionKey",
            "ServiceAccount",
            "Dataset",
            "TuningJob",
            "TunedModel",
        ],
        ...,
    ] = ()
    """Kinds of document."""
    names: tuple[Pattern, ...] = ()
    """Patterns of metadata.name."""
    projects: tuple[Pattern, ...] = ()
    """Patterns of the names of Projects, or of their projectId."""
    platforms: tuple[Literal["vertex", "gemini-api"], ...] = ()
    """Platforms of the Project."""
    labels: dict[str, str] = Field(default={})
    """Labels that the document or its Project has, each with a pattern for its value."""


class PolicyRule(SpecModel):
    """One rule: a built-in one by its name, or an expression of its own."""

    name: RuleName
    """What messages and exceptions call it."""
    builtin: RuleName | None = None
    """A built-in rule. Either this or `expression`."""
    expression: Cel | None = None
    """CEL that is true of what keeps the rule. It may name object, project, data, cost and params."""
    params: dict[str, Any] = Field(default={})
    """Values for the rule, which it reads as params.NAME."""
    each: Cel | None = None
    """CEL for a list; the expression is then asked of each `item` in it."""
    field: FieldPath | None = None
    """The field that is pointed at, in which {item} stands for the item."""
    message: str = ""
    """What is wrong where the rule is broken."""
    message_expression: Cel | None = None
    """CEL for that text, so that it can hold values."""
    why: str = ""
    """What the rule is for."""
    remedy: str = ""
    """What to do about a breach."""
    enforcement: EnforcementLevel | None = None
    """What a breach does; the policy's own unless said otherwise."""
    match: PolicyMatch = PolicyMatch()
    """Narrows what the policy is about."""
    mendable: bool | None = None
    """Whether a breach can still be put right when the job has finished: such jobs are judged by these rules alone."""

    @model_validator(mode="after")
    def _builtin_or_own(self) -> Self:
        if (self.builtin is None) == (self.expression is None):
            both = self.builtin is not None
            message = "'builtin' and 'expression' exclude each other" if both else "no rule: nothing is asked"
            hint = "give builtin: with a built-in rule, or expression: with CEL"
            raise problem("E130", message, hint=hint, at=("expression",) if both else ())
        for name, value in (("each", self.each), ("messageExpression", self.message_expression)):
            if self.builtin is not None and value is not None:
                message = f"{name!r} belongs to a rule of its own, and this is a built-in one"
                raise problem("E130", message, hint="leave it out, or write the expression too", at=(name,))
        return self


class PolicyException(SpecModel):
    """One document that need not keep one rule, for a reason, until a day."""

    rule: RuleReference
    """The rule: NAME of this policy, or POLICY/NAME."""
    kind: Literal[
        "Project", "DatasetBucket", "EncryptionKey", "ServiceAccount", "Dataset", "TuningJob", "TunedModel"
    ]
    """Kind of the document."""
    name: Text
    """Name of the document."""
    project: Text | None = None
    """Its Project's name or projectId; all where it is left out."""
    field: FieldPath | None = None
    """The one field that is meant; the whole document where it is left out."""
    reason: Annotated[str, Field(min_length=8)]
    """Why, for whoever reads the review."""
    expires: Day
    """The last day on which it counts, in UTC; from the next on the rule holds again."""


class Policy(SpecModel):
    """Rules over the documents of its projects. Without `metadata.project` or `projects` it is for all of them."""

    match: PolicyMatch = PolicyMatch()
    """What all its rules are about."""
    enforcement: EnforcementLevel = "deny"
    """What a breach does: deny stops everything, warn is shown, audit is shown by `audit` and `report` alone."""
    rules: tuple[PolicyRule, ...] = ()
    """The rules."""
    exceptions: tuple[PolicyException, ...] = ()
    """Who need not keep one, until when."""

    @model_validator(mode="after")
    def _each_rule_once(self) -> Self:
        names = [rule.name for rule in self.rules]
        for index, name in enumerate(names):
            if name in names[:index]:
                message = f"there are two rules {name!r}"
                raise problem("E127", message, hint="give one another name", at=("rules", index, "name"))
        return self
