"""Adopting jobs that were made without tuneform: names, documents, and what is recorded."""
