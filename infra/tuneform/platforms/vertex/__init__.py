"""Vertex AI: the core's ports over Google's own clients.

slim.py     the few services we call, imported without the hundred others
clients.py  the clients of one project, made on first use      errors.py  what a failed call means
jobs.py     tuning jobs                                         serving.py models, endpoints, answers
curves.py   the metadata and TensorBoard chain                  storage.py ledger and objects
"""

from tuneform.platforms.vertex.connect import connect

__all__ = ["connect"]
