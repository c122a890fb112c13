"""What `tuneform explain` shows: a kind, a field at any depth, metadata, in, or the code of a diagnostic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tuneform.capabilities import PUBLISHER, Capabilities, built_in
from tuneform.capabilities.words import about_model, about_platforms
from tuneform.errors import SettingsError
from tuneform.policy import LIBRARY
from tuneform.specs.kinds import KINDS, Metadata, Ref, SpecModel
from tuneform.specs.reference import environments
from tuneform.specs.reference.builtins import builtin_in_words
from tuneform.specs.reference.codes import Code
from tuneform.specs.reference.documentation import default_in_words, meanings, text, type_in_words
from tuneform.specs.reference.examples import EXAMPLES
from tuneform.specs.shape import Field, did_you_mean, fields


def explain(what: str, codes: Mapping[str, Code], known: Capabilities | None = None) -> str:
    """The text about a kind (`TuningJob`), a field (`TuningJob.limits.timeout`), one of `codes`, a built-in rule of
    policies, or a base model.

    `models` lists what is `known`. Kinds are found in any case, and `spec` may stand in a path or be left out.

    Raises:
        SettingsError: there is no such thing; the nearest name is proposed.
    """
    if what.upper() in codes:
        return "\n".join(_code(what.upper(), codes[what.upper()]))
    if what == "in":
        return f"in: what differs between the projects of a document\n\n{environments.TEXT.replace('`', '').rstrip()}"
    if what in LIBRARY:
        return "\n".join(builtin_in_words(what))
    known = known or built_in()
    if model_known := known.find(what):
        return "\n".join(about_model(model_known, known))
    if what.lower() == "models":
        return "\n".join(about_platforms(known))
    first, *path = what.split(".")
    kinds: dict[str, type[SpecModel]] = {
        "metadata": Metadata,
        **{kind.lower(): model for kind, model in KINDS.items()},
    }
    model = kinds.get(first.lower())
    if model is None:
        if what.removeprefix(PUBLISHER).startswith("gemini-"):
            hint = did_you_mean(what, list(known.models), f"documents name {', '.join(known.models)}")
            raise SettingsError(f"no document that tuneform knows names the model {what!r}", remedy=hint)
        names = [*KINDS, "metadata", "in", "models", *codes, *LIBRARY]
        hint = did_you_mean(first, names, f"the kinds are {', '.join(KINDS)}; or name a code, such as E123")
        raise SettingsError(f"nothing is called {first!r}", remedy=hint)
    if path[:1] == ["metadata"]:
        model, path = Metadata, path[1:]
    elif path[:1] == ["spec"]:
        path = path[1:]
    return "\n".join(_field(model, path) if path else _kind(model))


def _kind(model: type[SpecModel]) -> Iterator[str]:
    yield f"{model.__name__}: {text(model.__doc__)}"
    yield ""
    yield from _fields(model)
    if example := EXAMPLES.get(model.__name__):
        yield "\nExample:\n"
        yield example.rstrip()


def _field(model: type[SpecModel], path: Sequence[str]) -> Iterator[str]:
    found, said = model, [model.__name__]
    for step in path[:-1]:
        inner = _known(found, step, said).model
        if inner is None:
            raise SettingsError(
                f"{'.'.join([*said, step])} has no fields", remedy="leave out what follows it"
            )
        found, said = inner, [*said, step]
    field = _known(found, path[-1], said)
    info = found.model_fields[field.attribute]
    default = default_in_words(info)
    yield f"{'.'.join([*said, field.name])}: {type_in_words(info.annotation).replace('`', '')}"
    left_out = f"default: {default}" if default else "may be left out"
    yield default if default == "required" else left_out.replace("`", "")
    yield ""
    yield meanings(found).get(field.attribute, "").replace("`", "")
    if field.model and fields(field.model) and not issubclass(field.model, Ref):
        yield ""
        yield from _fields(field.model)


def _known(model: type[SpecModel], name: str, said: Sequence[str]) -> Field:
    known = fields(model)
    if name in known:
        return known[name]
    if name in model.not_yet:
        raise SettingsError(f"{'.'.join([*said, name])} is not supported yet", remedy=model.not_yet[name])
    hint = did_you_mean(name, list(known), f"known there: {', '.join(known)}")
    raise SettingsError(f"{'.'.join(said)} has no field {name!r}", remedy=hint)


def _fields(model: type[SpecModel]) -> Iterator[str]:
    said = meanings(model)
    wide = max((len(name) for name in (*fields(model), *model.not_yet)), default=0)
    for field in fields(model).values():
        info = model.model_fields[field.attribute]
        default = default_in_words(info)
        note = f" ({default})" if default == "required" else f" (default {default})" if default else ""
        words = said.get(field.attribute, text(field.model.__doc__) if field.model else "")
        yield f"  {field.name:{wide}}  {type_in_words(info.annotation)}{note}".replace("`", "")
        yield f"  {'':{wide}}  {words}".replace("`", "")
    for name, reason in model.not_yet.items():
        yield f"  {name:{wide}}  not supported yet: {reason}".replace("`", "")


def _code(name: str, code: Code) -> Iterator[str]:
    yield f"{name}: {code.title}"
    yield ""
    yield code.explanation
    if code.example:
        yield "\nExample:\n"
        yield code.example.rstrip()
