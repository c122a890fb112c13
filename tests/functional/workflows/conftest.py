"""The shop of the commands' tests."""

from tests.functional.commands.conftest import empty, shop

__all__ = ["empty", "shop"]
