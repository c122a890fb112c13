"""What holds for all tests."""

from __future__ import annotations

import os
import signal

# Models retire by the calendar, and tests must not: on this day none that the examples name is near its retirement.
# Tests of retirement give a day of their own. Commands that tests start hear of it as well.
os.environ["TUNEFORM_TODAY"] = "2026-07-01"
# A shell that begins the tests in the background has them ignore Ctrl-C, and so all commands that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
