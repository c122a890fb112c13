"""The pages of the reference: docs/specs.md lists every kind and field, docs/errors.md every code."""

from __future__ import annotations

from collections.abc import Iterator

from tuneform.specs.kinds import KINDS, Metadata, Ref, SpecModel
from tuneform.specs.reference import environments
from tuneform.specs.reference.codes import CODES
from tuneform.specs.reference.documentation import default_in_words, meanings, text, type_in_words
from tuneform.specs.reference.examples import EXAMPLES
from tuneform.specs.shape import nested

_HEAD = """\
# The spec language

<!-- Written by `python -m tuneform.specs.reference docs`; edit the docstrings in infra/tuneform/specs/kinds. -->

A folder of specs holds `*.yaml` files in any arrangement; a file holds any number of documents, separated by
`---`. A document has four parts, and a fifth, `in`, where it is [for several projects](#several-projects):

```yaml
apiVersion: tuneform.dev/v1
kind: DatasetBucket # one of the kinds below
metadata: {name: data} # who it is
spec: {} # what is wanted
```

Documents refer to each other by name, `{ref: data}`, within their project, in any order. Unknown fields are
errors. Text needs no quotes unless it looks like a number, a truth value (`true`, `false`) or nothing (`null`).
Whole numbers may have underscores (`5_000_000`). Durations are numbers with units: `30m`, `6h`, `90d`, `1d12h`.
"""


def specs_page() -> str:
    """The reference of all kinds, as Markdown."""
    parts = [_HEAD, "## metadata\n", text(Metadata.__doc__), "", *_table(Metadata)]
    parts += ["", "## Several projects\n", environments.TEXT.rstrip()]
    for name, kind in KINDS.items():
        parts += [
            "",
            f"## {name}\n",
            text(kind.__doc__),
            "",
            "```yaml",
            EXAMPLES[name].rstrip(),
            "```",
            "",
            *_table(kind),
        ]
    parts += ["", "## Not supported yet\n", "Refused by name, so that nothing is silently ignored:\n"]
    for name, kind in KINDS.items():
        parts += [f"- `{name}` {line}" for line in _not_yet(kind, "spec")]
    return "\n".join(parts) + "\n"


def errors_page() -> str:
    """All codes of diagnostics about specs, as Markdown."""
    parts = [
        "# Error codes of the spec language\n",
        "<!-- Written by `python -m tuneform.specs.reference docs`; edit codes.py beside it. -->\n",
        "Codes beginning with E are errors, with W warnings. Examples without a Project of their own lie beside the",
        "examples in [specs.md](specs.md). Codes of datasets are in [datasets.md](datasets.md), those of runs in",
        "[cli.md](cli.md#errors-of-runs).",
    ]
    for name, code in CODES.items():
        parts += ["", f"## {name}: {code.title}\n", code.explanation]
        if code.example:
            parts += ["", "```yaml", code.example.rstrip(), "```"]
    return "\n".join(parts) + "\n"


def _table(model: type[SpecModel]) -> list[str]:
    return ["| field | value | default | meaning |", "|---|---|---|---|", *_rows(model, "")]


def _rows(model: type[SpecModel], prefix: str) -> Iterator[str]:
    for attribute, info in model.model_fields.items():
        name = f"{prefix}{info.alias or attribute}"
        inner = nested(info.annotation)
        meaning = meanings(model).get(attribute, "")
        yield f"| `{name}` | {type_in_words(info.annotation)} | {default_in_words(info)} | {meaning} |"
        if inner and not issubclass(inner, Ref):
            yield from _rows(
                inner, f"{name}[]." if "list of" in type_in_words(info.annotation) else f"{name}."
            )


def _not_yet(model: type[SpecModel], path: str) -> Iterator[str]:
    for field, reason in model.not_yet.items():
        yield f"`{path}.{field}`: {reason}"
    for field, values in model.values_not_yet.items():
        yield f"`{path}.{field}`: {', '.join(values)}"
    for attribute, info in model.model_fields.items():
        inner = nested(info.annotation)
        if inner:
            yield from _not_yet(inner, f"{path}.{info.alias or attribute}")
