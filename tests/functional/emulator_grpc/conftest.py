"""An emulator with a job that has succeeded, shared by the tests of a module."""

from __future__ import annotations

from tests.functional.emulator_vertex.conftest import done, vertex

__all__ = ["done", "vertex"]
