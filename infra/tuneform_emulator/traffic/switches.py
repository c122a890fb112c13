"""The settings of a world: changed by name, and kept with its state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, get_type_hints

from tuneform_emulator.store import Store
from tuneform_emulator.wire import ApiError
from tuneform_emulator.world import Settings

from .decoding import decode, read_word

KEPT_AT = ("settings", "emulator")


def changed(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings with some values replaced; raises `ApiError` 400 for an unknown name or a wrong value."""
    decode(Settings, values, "settings")
    return decode(Settings, {**asdict(settings), **values}, "settings")


def read_words(words: Iterable[str]) -> dict[str, Any]:
    """Settings from `name=value` words; raises `ApiError` 400."""
    hints = get_type_hints(Settings)
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in hints:
            raise ApiError.invalid(f"'{word}' is not name=value of one of {', '.join(hints)}.", ("set", word))
        found[name] = read_word(hints[name], text, name)
    changed(Settings(), found)
    return found


def keep(store: Store, settings: Settings) -> None:
    """Stores the settings, so that they are there after a restart."""
    with store.transaction():
        store.delete(*KEPT_AT)
        store.create(*KEPT_AT, asdict(settings))


def kept(store: Store) -> Settings:
    """What was stored; the defaults for what was not, or is no setting any more."""
    stored = store.get(*KEPT_AT) or {}
    hints = get_type_hints(Settings)
    return changed(Settings(), {name: value for name, value in stored.items() if name in hints})
