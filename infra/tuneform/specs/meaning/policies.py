"""Whether policies can be judged at all: expressions that are CEL, rules that there are, exceptions of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from tuneform.errors import Diagnostic
from tuneform.policy import LIBRARY, Rule
from tuneform.policy.expressions import Compiled, ExpressionError, compiled
from tuneform.policy.library import Parameter
from tuneform.specs.kinds import KINDS, Policy, SpecModel
from tuneform.specs.kinds.policy import PolicyRule
from tuneform.specs.policies import exemption_of, rule_of
from tuneform.specs.shape import did_you_mean, fields
from tuneform.specs.text.nodes import ScalarNode
from tuneform.specs.tree import Document, Step

FOLLOWED: Mapping[tuple[str, str], frozenset[str]] = {
    ("TuningJob", "encryptionKey"): frozenset({"name", "projectId", "location"}),
    ("DatasetBucket", "encryptionKey"): frozenset({"name", "projectId", "location"}),
    ("TuningJob", "serviceAccount"): frozenset({"email"}),
    ("TuningJob", "dataset"): frozenset({"task", "format"}),
    ("TuningJob", "preTunedModel"): frozenset({"baseModel"}),
    ("TunedModel", "job"): frozenset({"baseModel", "method"}),
    ("Dataset", "bucket"): frozenset({"bucketName"}),
    ("EncryptionKey", ""): frozenset({"name", "projectId"}),
    ("ServiceAccount", ""): frozenset({"email"}),
}
"""What rules see beside what is written: by kind and field of its spec, what a reference leads to."""

_EXPRESSIONS = (("expression", "BOOL"), ("each", "LIST"), ("messageExpression", "STRING"))


def check_policies(documents: Sequence[Document[SpecModel]]) -> Iterator[Diagnostic]:
    """Everything that is wrong with the policies among the documents, each written one looked at once."""
    written: dict[tuple[object, int], Document[SpecModel]] = {}
    for document in documents:
        if isinstance(document.spec, Policy):
            written.setdefault((document.origin.file, document.origin.number), document)
    known = [
        f"{document.name}/{rule.name}"
        for document in written.values()
        if isinstance(document.spec, Policy)
        for rule in document.spec.rules
    ]
    for document in written.values():
        assert isinstance(document.spec, Policy)
        for index, rule in enumerate(document.spec.rules):
            yield from _rule(document, document.spec, rule, index)
        yield from _exceptions(document, document.spec, known)


def _rule(
    document: Document[SpecModel], policy: Policy, written: PolicyRule, index: int
) -> Iterator[Diagnostic]:
    at: tuple[Step, ...] = ("spec", "rules", index)
    if written.builtin is not None:
        base = LIBRARY.get(written.builtin)
        if base is None:
            hint = did_you_mean(written.builtin, list(LIBRARY), f"there are {', '.join(LIBRARY)}")
            yield document.diagnostic(
                "E191", f"there is no built-in rule {written.builtin!r}", *at, "builtin", hint=hint
            )
            return
        wrong = list(_params(document, written, index, base.params or {}, set(base.optional or {})))
        yield from wrong
        if wrong:
            return
    yield from _expressions(document, rule_of(document.name, policy, written), written, at)


def _params(
    document: Document[SpecModel],
    written: PolicyRule,
    index: int,
    wanted: Mapping[str, Parameter],
    optional: set[str],
) -> Iterator[Diagnostic]:
    """Parameters of a built-in rule that are missing, of the wrong type, or not its own."""
    at: tuple[Step, ...] = ("spec", "rules", index)
    for name, value in written.params.items():
        if name not in wanted:
            hint = did_you_mean(
                name, list(wanted), f"it takes {', '.join(wanted)}" if wanted else "it takes none"
            )
            message = f"{written.builtin} takes no parameter {name!r}"
            yield document.diagnostic("E191", message, *at, "params", name, key=True, hint=hint)
        elif not _fits(value, wanted[name]):
            form = {
                "number": "a number",
                "text": "a text",
                "texts": "a list of texts, which is not empty",
            }[wanted[name]]
            yield document.diagnostic("E191", f"{name} must be {form}", *at, "params", name)
    for name in wanted:
        if name not in written.params and name not in optional:
            message = f"{written.builtin} needs the parameter {name!r}"
            place = ("params",) if written.params else ("builtin",)
            yield document.diagnostic("E191", message, *at, *place, hint=f"write params: {{{name}: …}}")


def _fits(value: object, kind: Parameter) -> bool:
    match kind:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "text":
            return isinstance(value, str) and bool(value)
        case "texts":
            return (
                isinstance(value, tuple)
                and bool(value)
                and all(isinstance(one, str) and one for one in value)
            )


def _expressions(
    document: Document[SpecModel], rule: Rule, written: PolicyRule, at: tuple[Step, ...]
) -> Iterator[Diagnostic]:
    texts = {
        "expression": rule.expression,
        "each": rule.each,
        "messageExpression": rule.message_expression,
    }
    own = {
        "expression": written.expression,
        "each": written.each,
        "messageExpression": written.message_expression,
    }
    for name, wanted in _EXPRESSIONS:
        if not texts[name]:
            continue
        item = bool(rule.each) and name != "each"
        try:
            found = compiled(texts[name], wanted=wanted, params=rule.params, item=item)
        except ExpressionError as error:
            place = name if own[name] is not None else "builtin"
            yield _at(document, (*at, place), error, exact=own[name] is not None)
            continue
        if own[name] is not None:
            yield from _paths(document, rule, found, (*at, name))


def _at(
    document: Document[SpecModel], path: tuple[Step, ...], error: ExpressionError, *, exact: bool
) -> Diagnostic:
    """The diagnostic at the very character, where the text stands as it is."""
    hint = "docs/policy.md has the variables and examples; cel.dev has the language"
    plain_one = document.diagnostic("E190", f"this is not a rule: {error}", *path, hint=hint)
    where = document.origin.written(*path)
    node = _scalar(document, where.path)
    if not exact or node is None or error.line < 1:
        return plain_one
    source = where.file.source
    raw = source.text[node.start : node.end]
    lines = node.text.splitlines() or [""]
    wanted = lines[min(error.line, len(lines)) - 1]
    offset = raw.find(wanted) if wanted else -1
    if offset < 0:
        return plain_one
    start = node.start + offset + min(max(error.column, 1) - 1, len(wanted))
    return source.diagnostic("E190", plain_one.message, start, start + 1, hint=hint)


def _scalar(document: Document[SpecModel], path: tuple[Step, ...]) -> ScalarNode | None:
    """The text that is written at a path."""
    node: object = document.origin.written(*path).root
    for step in path:
        entries = getattr(node, "entries", None)
        items = getattr(node, "items", None)
        if entries is not None and isinstance(step, str) and step in entries:
            node = entries[step][1]
        elif isinstance(items, list) and isinstance(step, int) and step < len(items):
            node = items[step]
        else:
            return None
    return node if isinstance(node, ScalarNode) else None


def _paths(
    document: Document[SpecModel], rule: Rule, found: Compiled, path: tuple[Step, ...]
) -> Iterator[Diagnostic]:
    """Fields that no kind has which the rule is about: `has()` of a misspelt field would be false for ever."""
    kinds = sorted(rule.kinds) if rule.kinds else [kind for kind in KINDS if kind != "Policy"]
    for read in sorted(found.reads.all):
        root, *steps = read.split(".")
        if root != "object" or steps[:1] != ["spec"] or not kinds:
            continue
        wrong = [astray(kind, steps[1:]) for kind in kinds]
        if all(wrong):
            step, known = next(one for one in wrong if one)
            about = " or ".join(kinds[:3]) + (" or another kind" if len(kinds) > 3 else "")
            hint = did_you_mean(step, known, f"there are {', '.join(known)}" if known else "")
            yield document.diagnostic("E193", f"{read}: no {about} has {step!r} there", *path, hint=hint)


def astray(kind: str, steps: Sequence[str]) -> tuple[str, list[str]] | None:
    """The first step that leads nowhere, with those that would lead on; None where all do, or nobody can tell."""
    model: type[SpecModel] | None = KINDS.get(kind)
    more = FOLLOWED.get((kind, ""), frozenset())
    for index, step in enumerate(steps):
        if model is None:
            return None
        known = {**fields(model), **dict.fromkeys(more)}
        if step not in known:
            return step, sorted(known)
        here = known[step]
        more = FOLLOWED.get((kind, step), frozenset()) if index == 0 else frozenset()
        model = here.model if here is not None else None
    return None


def _exceptions(document: Document[SpecModel], policy: Policy, known: Sequence[str]) -> Iterator[Diagnostic]:
    for index, written in enumerate(policy.exceptions):
        exemption = exemption_of(document.name, written)
        if exemption.rule not in known:
            own = [one.removeprefix(f"{document.name}/") for one in known]
            hint = did_you_mean(written.rule, [*own, *known], f"there are {', '.join(own)}" if own else "")
            message = f"there is no rule {written.rule!r} for it to be an exception of"
            yield document.diagnostic(
                "E192", message, "spec", "exceptions", index, "rule", hint=hint or "no rules are written here"
            )


def check_expiry(documents: Sequence[Document[Policy]], today: date) -> Iterator[Diagnostic]:
    """A warning for every exception that has ended: the rule holds again, and the text only misleads."""
    seen: set[tuple[object, int]] = set()
    for document in documents:
        place = (document.origin.file, document.origin.number)
        if place in seen:
            continue
        seen.add(place)
        for index, written in enumerate(document.spec.exceptions):
            if date.fromisoformat(written.expires) < today:
                message = f"this exception ended on {written.expires}: {written.rule} holds again"
                yield document.diagnostic(
                    "W191",
                    message,
                    *("spec", "exceptions", index, "expires"),
                    hint="mend what it was for, and take it out; or have it reviewed anew, with a later day",
                    severity="warning",
                )
