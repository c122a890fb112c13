"""`tuneform up` on the example, as a newcomer runs it, and run again."""

from __future__ import annotations

from tests.functional.main_job.checkout import Checkout


def test_up_ends_with_answers_and_again_changes_nothing(checkout: Checkout) -> None:
    first = checkout.does("up")

    assert "endpoints/support-intents" in first
    assert "held out of training" in first
    assert "validation loss" in first
    assert "Try next:" in first
    live = checkout.counts()
    assert live["jobs"] == 2

    again = checkout.does("up")

    assert "everything unchanged" in again
    assert checkout.counts() == live
    assert "everything unchanged" in checkout.does("preview")
