"""Google Cloud on loopback, as far as tuneform needs it, with a small model that is really trained."""

__version__ = "0.1.0"
