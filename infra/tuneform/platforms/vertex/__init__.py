"""Vertex AI: the core's ports over Google's own clients.

connect.py  the ports of a project                       clients.py  the one place that every call goes through
calls/      threads, transports, retries                 errors.py   what a failed call means
slim.py     the few services we call, imported without the hundred others
jobs.py     tuning jobs                                  serving.py  models, endpoints, answers
curves.py   the metadata and TensorBoard chain           messages.py protobuf to frozen data
storage/    ledger and objects                           infrastructure.py  what Pulumi manages, to be looked at
"""

from tuneform.platforms.vertex.connect import connect

__all__ = ["connect"]
