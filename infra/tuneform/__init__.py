"""tuneform: Gemini fine-tuning as reviewed, declarative specs."""

__version__ = "0.1.0"
