from __future__ import annotations

from collections.abc import Iterator

import pytest

from tuneform_emulator.services.names import Names, derive_number
from tuneform_emulator.store import Store
from tuneform_emulator.wire import ApiError


@pytest.fixture
def names() -> Iterator[Names]:
    store = Store(None)
    yield Names(store)
    store.close()


def test_a_project_has_one_number_everywhere(names: Names) -> None:
    number = names.number("my-project")
    # The same on every machine: a number written down in a recorded plan stays true.
    assert number == derive_number("my-project") == "319519117448"
    assert names.number(number) == number
    assert names.project_id(number) == "my-project"
    assert names.project_id("my-project") == "my-project"


def test_a_number_nobody_has_seen_is_refused(names: Names) -> None:
    with pytest.raises(ApiError, match="or it may not exist") as caught:
        names.project_id("123456789012")
    assert caught.value.code == 403


@pytest.mark.parametrize("name", ["", "UPPER", "a/b", "-dash", "x" * 31])
def test_a_malformed_id_is_refused(names: Names, name: str) -> None:
    with pytest.raises(ApiError, match="Invalid project id"):
        names.number(name)
