"""Where policies are asked: what each door knows of a document, which policies count there, and how a breach is told.

documents.py  a tree as subjects     policies.py  the tree's policies and pinned bundles, as one judge
telling.py    findings as diagnostics at their places
"""
