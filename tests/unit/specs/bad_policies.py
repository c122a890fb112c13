"""Bad Policy documents by name: why each is there, and its text."""

from __future__ import annotations

from collections.abc import Mapping


def policy(spec: str, *, name: str = "house") -> str:
    """A Policy with more in its spec, as flow or as blocks that are indented by two."""
    return f"apiVersion: tuneform.dev/v1\nkind: Policy\nmetadata: {{name: {name}}}\nspec:\n{spec}\n"


def rule(more: str, *, kinds: str = "TuningJob") -> str:
    """A policy with one rule; `more` is what stands below its name."""
    lines = "".join(f"\n      {line}" for line in more.splitlines())
    return policy(f"  match: {{kinds: [{kinds}]}}\n  rules:\n    - name: small{lines}")


def excepted(more: str) -> str:
    """A policy with one rule, and one exception."""
    rules = "  rules: [{name: small, builtin: max-epochs, params: {most: 9}}]\n"
    return policy(f"{rules}  exceptions:\n    - {{{more}}}")


_DOUBLED = "['a']" + ".map(x, x + x)" * 26
_SOUND = "kind: TuningJob, name: words, reason: agreed with Ada, expires: 2027-01-31"

POLICIES: Mapping[str, tuple[str, str]] = {
    "no CEL": ("the place is that of the character", rule("expression: object.spec.keep <")),
    "no CEL in a block": (
        "the line in the block is found",
        rule("expression: |\n  has(object.spec.limits) &&\n    object.spec.limits.retries =< 3"),
    ),
    "no CEL in quotes": ("the column counts the quote", rule("expression: \"'a' == 'b'' \"")),
    "several in one rule": (
        "all are said at once",
        rule("expression: 1 + 1\neach: 1 + 1\nmessageExpression: 1 + 1"),
    ),
    "unknown variable": ("of Kubernetes' own", rule("expression: oldObject.spec == object.spec")),
    "item without each": ("there is no item then", rule("expression: item == 'a'")),
    "types that do not go together": (
        "known before any document",
        rule("expression: object.kind + 'b' == 'a' + 1"),
    ),
    "a function that there is not": ("CEL has no such one here", rule("expression: now() > 1")),
    "a list for a rule": ("a rule is true or false", rule("expression: '[1, 2]'")),
    "text for each": ("each is a list", rule("expression: 'true'\neach: '''a'''")),
    "a number for a message": ("a message is text", rule("expression: 'true'\nmessageExpression: '1'")),
    "too long": ("several rules in one", rule(f"expression: {'1 + ' * 1100}1 > 0")),
    "a literal that is too large": (
        "CEL has 64 bits",
        rule("expression: object.spec.keep < 99999999999999999999"),
    ),
    "a parameter that is too large": (
        "the same in a parameter",
        rule("expression: object.spec.keep < params.most\nparams: {most: 99999999999999999999}"),
    ),
    "too deep": ("brackets without end", rule(f"expression: {'(' * 200}true{')' * 200}")),
    "doubled text": ("gigabytes within the iterations of CEL", rule(f'expression: "{_DOUBLED}.size() > 0"')),
    "a text that multiplies another": (
        "an unbounded product",
        rule("expression: object.metadata.name.replace('', object.spec.description).size() < 9"),
    ),
    "a separator that is no literal": (
        "the same with join",
        rule("expression: \"['a', 'b'].join(object.metadata.name) == ''\""),
    ),
    "neither builtin nor expression": ("nothing is asked", rule("message: it is wrong")),
    "both": ("one of them would be ignored", rule("expression: 'true'\nbuiltin: gate-required")),
    "each beside builtin": ("it has its own", rule("builtin: gate-required\neach: '[1]'")),
    "unknown builtin": ("the nearest is named", rule("builtin: max-epoch\nparams: {most: 9}")),
    "builtin of another tool": ("all are listed", rule("builtin: xyz")),
    "parameter missing": ("the form is shown", rule("builtin: max-epochs")),
    "parameters missing": ("each is said", rule("builtin: max-cost\nparams: {most: 9}")),
    "parameter unknown": ("the nearest is named", rule("builtin: max-epochs\nparams: {most: 9, mots: 3}")),
    "parameter of another type": ("a number is no text", rule("builtin: max-epochs\nparams: {most: nine}")),
    "parameter that is empty": ("nothing could keep it", rule("builtin: base-models\nparams: {models: []}")),
    "no parameters": ("it takes none", rule("builtin: gate-required\nparams: {most: 1}", kinds="TunedModel")),
    "field that no kind has": (
        "has() would be false for ever",
        rule("expression: has(object.spec.epochCount)"),
    ),
    "field below a field": ("the level is found", rule("expression: object.spec.limits.maxTokens < 9")),
    "field of another kind": ("keep belongs to TunedModel", rule("expression: object.spec.keep >= 2")),
    "field in a message": (
        "messages are looked at, too",
        rule("expression: 'true'\nmessageExpression: object.spec.basemodel"),
    ),
    "two rules of a name": (
        "exceptions would not know which",
        policy("  rules: [{name: a, builtin: cmek-required}, {name: a, builtin: gate-required}]"),
    ),
    "a rule's name": ("capitals and spaces", policy("  rules: [{name: My Rule, builtin: cmek-required}]")),
    "unknown field": ("the nearest is named", rule("expresion: 'true'\nbuiltin: cmek-required")),
    "enforcement": ("the choices are listed", rule("builtin: cmek-required\nenforcement: block")),
    "unknown kind to match": (
        "the choices are listed",
        rule("builtin: cmek-required", kinds="TuningJob, Tuning"),
    ),
    "path of a field": (
        "it begins with spec or metadata",
        rule("expression: 'true'\nfield: hyperParameters"),
    ),
    "exception of no rule": ("the nearest is named", excepted(f"rule: smal, {_SOUND}")),
    "exception of another policy": ("there is none of that name", excepted(f"rule: home/small, {_SOUND}")),
    "exception without an end": (
        "none lasts for ever",
        excepted("rule: small, kind: TuningJob, name: words, reason: agreed with Ada"),
    ),
    "exception without a reason": (
        "nobody could judge it",
        excepted("rule: small, kind: TuningJob, name: words, reason: ok, expires: 2027-01-31"),
    ),
    "exception on no day": (
        "there is no such day",
        excepted("rule: small, kind: TuningJob, name: words, reason: agreed with Ada, expires: 2027-02-30"),
    ),
    "exception on a day in another form": (
        "a week is a day of ISO 8601, too",
        excepted("rule: small, kind: TuningJob, name: words, reason: agreed with Ada, expires: 2027-W05"),
    ),
    "exception of an unknown kind": (
        "the choices are listed",
        excepted("rule: small, kind: Tuning, name: words, reason: agreed with Ada, expires: 2027-01-31"),
    ),
    "policy of a project that there is not": (
        "as for any document",
        rule("builtin: cmek-required").replace("{name: house}", "{name: house, project: prod}"),
    ),
    "in of a policy": (
        "said for one project, it is wrong in that one",
        "apiVersion: tuneform.dev/v1\nkind: Policy\nmetadata: {name: house, projects: [demo]}\n"
        "in: {demo: {rules: [{name: small, builtin: max-epoch}]}}\nspec: {}\n",
    ),
}
"""What is wrong with policies, by name."""
