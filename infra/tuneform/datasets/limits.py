"""What the service accepts in a supervised tuning dataset.

Source: "About supervised fine-tuning for Gemini models", Google Cloud documentation, last updated 2026-09-25.
"""

from __future__ import annotations

SOURCE = 'Google Cloud, "About supervised fine-tuning for Gemini models", 2026-09-25'

TOKENS_PER_EXAMPLE = 131_072
EXAMPLES_PER_FILE = 10_000_000
# The page says 1 GB. The larger reading of it is taken: to refuse a file that the service accepts would be worse
# than to let the service refuse one, which costs nothing.
BYTES_PER_FILE = 2**30

VALIDATION_EXAMPLES = 5_000
VALIDATION_EXAMPLES_WITHOUT_SHARE = 1_000
VALIDATION_PERCENT_OF_TRAINING = 30


def validation_allowed(training: int) -> int:
    """The most validation examples that go with `training` training examples.

    The page: "5000 examples or 30% of the number of training examples if there are more than 1000 validation
    examples".
    """
    share = training * VALIDATION_PERCENT_OF_TRAINING // 100
    return min(VALIDATION_EXAMPLES, max(VALIDATION_EXAMPLES_WITHOUT_SHARE, share))
