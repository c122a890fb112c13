"""`tuneform policy list`: the rules that count here, who need not keep one until when, and the built-in rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click

from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.doors.policies import judge_of, sources
from tuneform.policy import LIBRARY, Exemption, Judge, Rule
from tuneform.specs import load


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--builtin", is_flag=True, help="Show the built-in rules that a policy can take instead.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or as one JSON object.",
)
def command(path: Path | None, builtin: bool, form: str) -> None:
    """Show the rules that count for the specs at PATH (default: specs): their own, and those of bundles.

    \b
    Examples:
      tuneform policy list
      tuneform policy list --format json
      tuneform policy list --builtin
    """
    if builtin:
        click.echo(_dump({"builtin": _library()}) if form == "json" else "\n".join(_library_lines()))
        return
    settings = Settings.here()
    judge = judge_of(load(settings.specs(path), settings.known()), settings)
    today = settings.today()
    if form == "json":
        click.echo(_dump(_object(judge, today)))
    else:
        click.echo("\n".join(_lines(judge, today)))


def _dump(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _lines(judge: Judge, today: date) -> Iterator[str]:
    if not judge.rules:
        yield "no policy counts here: write one (docs/policy.md), or name a bundle in the setting `policies`"
        return
    for one, source in zip(judge.sets, sources(judge), strict=True):
        yield source
        for rule in one.rules:
            yield f"  {rule.id:32} {rule.enforcement:5} {_about(rule)}"
            if rule.builtin:
                yield f"      {rule.builtin}{_params(rule)}"
            if rule.why:
                yield f"      {rule.why}"
            yield from (f"      {_excepted(e, today)}" for e in one.exemptions if e.rule == rule.id)
    yield f"all together: {judge.digest}"


def _about(rule: Rule) -> str:
    """The documents that a rule is about, in short."""
    kinds = ", ".join(sorted(rule.kinds)) if rule.kinds else "every kind"
    narrowed = [
        f"{word} {', '.join(values)}"
        for match in rule.matches
        for word, values in (
            ("named", match.names),
            ("in", match.projects),
            ("on", match.platforms),
            ("with", tuple(f"{key}={value}" for key, value in match.labels.items())),
        )
        if values
    ]
    return "; ".join([kinds, *dict.fromkeys(narrowed)])


def _params(rule: Rule) -> str:
    said = ", ".join(f"{name}: {_value(value)}" for name, value in rule.params.items())
    return f" ({said})" if said else ""


def _value(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list | tuple) else str(value)


def _excepted(exemption: Exemption, today: date) -> str:
    days = (exemption.expires - today).days
    left = "ended" if days < 0 else "last day" if days == 0 else f"{days} day{'' if days == 1 else 's'} left"
    where = f" in {exemption.project}" if exemption.project else ""
    field = f", {exemption.field}" if exemption.field else ""
    return (
        f"excepted: {exemption.kind} {exemption.name}{where}{field} until {exemption.expires} ({left}): "
        f"{exemption.reason}"
    )


def _object(judge: Judge, today: date) -> dict[str, Any]:
    return {
        "digest": judge.digest,
        "sources": [
            {
                "source": one.source,
                "digest": one.digest,
                "rules": [_rule(rule, one.exemptions, today) for rule in one.rules],
            }
            for one in judge.sets
        ],
    }


def _rule(rule: Rule, exemptions: tuple[Exemption, ...], today: date) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "builtin": rule.builtin or None,
        "enforcement": rule.enforcement,
        "kinds": sorted(rule.kinds) if rule.kinds is not None else None,
        "params": dict(rule.params),
        "why": rule.why,
        "expression": rule.expression,
        "exceptions": [
            {
                "kind": one.kind,
                "name": one.name,
                "project": one.project or None,
                "field": one.field or None,
                "reason": one.reason,
                "expires": one.expires.isoformat(),
                "daysLeft": (one.expires - today).days,
            }
            for one in exemptions
            if one.rule == rule.id
        ],
    }


def _library() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "title": rule.title,
            "kinds": list(rule.kinds),
            "params": dict(rule.params or {}),
            "optional": dict(rule.optional or {}),
            "why": rule.why,
            "expression": rule.expression,
        }
        for name, rule in LIBRARY.items()
    ]


def _library_lines() -> Iterator[str]:
    for name, rule in LIBRARY.items():
        takes = ", ".join(rule.params or {})
        yield f"{name}{f' ({takes})' if takes else ''}: {', '.join(rule.kinds)}"
        yield f"    {rule.why}"
    yield "`tuneform explain NAME` says more of one."
