"""From values to typed documents: one for each project that a document is for, with faults at their places.

draft.py    a document's drafts, one for each of its projects
layers.py   the Project's defaults below a spec, and what is said `in` a project above it
shelf.py    what Project documents say about the documents of others
reader.py   pydantic's errors brought back to the places they are about
"""

from tuneform.specs.typed.draft import Draft, drafts
from tuneform.specs.typed.reader import API_VERSION
from tuneform.specs.typed.shelf import Shelf

__all__ = ["API_VERSION", "Draft", "Shelf", "drafts"]
