"""A small model that is really trained: curves, gates and answers are computed, never scripted.

What it is: a frozen random projection of words and character n-grams (`features`) stands for the base model;
a low-rank adapter whose rank is the adapter size feeds a softmax over the outputs seen in training
(`adapter`); Adam, a variant of SGD, trains it over the job's epochs, learning rate and batches (`training`).
Losses and accuracies are measured, checkpoints are kept (`checkpoint`).

What it is not: a language model. It knows no language, writes no sentence it was not shown, and cannot solve
a prompt that shares no wording with its examples. Its numbers say nothing about what Gemini would reach.
"""

from tuneform_emulator.trainer.checkpoint import Answer, Candidate, Checkpoint, CheckpointError
from tuneform_emulator.trainer.examples import (
    DatasetError,
    Example,
    Preference,
    fitting,
    parse_jsonl,
    parse_preferences,
    prompt_text,
)
from tuneform_emulator.trainer.preference import DEFAULT_BETA, PreferenceTraining
from tuneform_emulator.trainer.stats import data_stats, preference_stats
from tuneform_emulator.trainer.tokens import count_tokens
from tuneform_emulator.trainer.training import (
    Epoch,
    Settings,
    StepMetrics,
    Training,
    batch_size_for,
    checkpoint_epochs,
    default_epochs,
)

__all__ = [
    "DEFAULT_BETA",
    "Answer",
    "Candidate",
    "Checkpoint",
    "CheckpointError",
    "DatasetError",
    "Epoch",
    "Example",
    "Preference",
    "PreferenceTraining",
    "Settings",
    "StepMetrics",
    "Training",
    "batch_size_for",
    "checkpoint_epochs",
    "count_tokens",
    "data_stats",
    "default_epochs",
    "fitting",
    "parse_jsonl",
    "parse_preferences",
    "preference_stats",
    "prompt_text",
]
