"""Whether a text may hold a secret. detect-secrets decides, with all its detectors and no exemptions.

It is meant for files of code, where words without quotes are names. In prose there are no quotes, so that words are
tried without them, too, and by the same limits of entropy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.high_entropy_strings import HighEntropyStringsPlugin

_FILE = "example.yaml"
"""The detector of passwords takes values without quotes in files of this ending."""


class Detector:
    """Looks through texts; making one takes some milliseconds."""

    def __init__(self) -> None:
        classes: Mapping[str, type[BasePlugin]] = get_mapping_from_secret_type_to_class()
        # The names that say most come first.
        ordered = sorted(
            classes, key=lambda name: (issubclass(classes[name], HighEntropyStringsPlugin), name)
        )
        self._plugins: dict[str, BasePlugin] = {name: classes[name]() for name in ordered}

    def suspected(self, text: str) -> str:
        """What kind of secret the text may hold, empty for none."""
        found = (name for line in text.splitlines() for name in self._in(line))
        return next(found, "")

    def _in(self, line: str) -> Iterator[str]:
        for name, plugin in self._plugins.items():
            if isinstance(plugin, HighEntropyStringsPlugin):
                # Its eager search takes words without quotes, and leaves the limit to whoever asks.
                values = plugin.analyze_line(filename=_FILE, line=line, enable_eager_search=True)
                suspected = any(_is_random(plugin, secret.secret_value or "") for secret in values)
            else:
                suspected = bool(plugin.analyze_line(filename=_FILE, line=line))
            if suspected:
                yield name


def _is_random(plugin: HighEntropyStringsPlugin, value: str) -> bool:
    entropy: float = plugin.calculate_shannon_entropy(value)
    limit: float = plugin.entropy_limit
    return entropy > limit
