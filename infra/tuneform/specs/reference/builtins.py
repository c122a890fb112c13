"""The built-in rules of policies in words: for `explain`, and for docs/policy.md."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.policy import LIBRARY, Builtin

_VALUES = {"number": "10", "text": "USD", "texts": "[one, two]"}
_FORMS = {"number": "a number", "text": "a text", "texts": "a list of texts"}
_SHOWN = {
    "projects": "[acme-keys]",
    "locations": "[europe-west4, eu]",
    "models": "[gemini-2.5-flash]",
    "labels": "[team, cost-center]",
    "mostDays": "365",
    "leastDays": "30",
    ("max-tokens", "most"): "5_000_000",
    ("max-cost", "most"): "250",
    ("max-examples", "most"): "50_000",
}


def example(name: str) -> str:
    """A rule that takes a built-in one, as YAML: what stands below `rules:`."""
    params = {
        one: _SHOWN.get((name, one)) or _SHOWN.get(one) or _VALUES[kind]
        for one, kind in (LIBRARY[name].params or {}).items()
    }
    lines = [f"- name: {name}", f"  builtin: {name}"]
    if params:
        lines.append(f"  params: {{{', '.join(f'{one}: {value}' for one, value in params.items())}}}")
    return "\n".join(lines)


def builtin_in_words(name: str) -> Iterator[str]:
    """All that is known of a built-in rule, line by line."""
    rule = LIBRARY[name]
    yield f"{name}: {rule.title}, a built-in rule of policies"
    yield ""
    yield rule.why
    yield ""
    yield f"about: {', '.join(rule.kinds)}; points at {rule.field}"
    yield f"to keep it: {rule.remedy}"
    yield from (f"params.{one}: {form}" for one, form in parameters(rule))
    if rule.mendable:
        yield "It is asked of finished jobs, too: what it is about can be changed without another training."
    yield ""
    yield f"expression: {rule.expression}"
    if rule.each:
        yield f"for each item of: {rule.each}"
    yield "\nExample:\n"
    yield f"rules:\n{example(name)}"


BEGIN, END = "<!-- built-in rules: begin -->", "<!-- built-in rules: end -->"
"""What docs/policy.md has around the part that is written from here."""


def with_rules(page: str) -> str:
    """The page with what it says of built-in rules written anew."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{''.join(map(_section, LIBRARY))}{END}{rest.split(END)[1]}"


def _section(name: str) -> str:
    rule = LIBRARY[name]
    takes = "".join(f"- `params.{one}`: {form}\n" for one, form in parameters(rule))
    finished = " Asked of finished jobs, too." if rule.mendable else ""
    indented = example(name).replace("\n", "\n    ")
    return (
        f"### {name}: {rule.title}\n\n{rule.why} About {', '.join(rule.kinds)}.{finished}\n\n"
        f"{takes}{chr(10) if takes else ''}"
        "```yaml\napiVersion: tuneform.dev/v1\nkind: Policy\nmetadata: {name: house}\nspec:\n  rules:\n"
        f"    {indented}\n```\n\nTo keep it: {rule.remedy}.\n\n"
    )


def parameters(rule: Builtin) -> Iterator[tuple[str, str]]:
    """Each parameter with its form, and what it is where it is left out."""
    for one, kind in (rule.params or {}).items():
        optional = rule.optional or {}
        left_out = f"; may be left out ({_plain(optional[one])})" if one in optional else ""
        yield one, f"{_FORMS[kind]}{left_out}"


def _plain(value: object) -> str:
    return "none" if value in ((), []) else str(value)
