"""Cloud Storage: `blobs` is what all of it is made of, `swap` compares and swaps, `ledger` and `objects` are ports.

In the state bucket: `ledger/<project>/<name>/<revision>.json`, `pointers/<project>/<name>.json`, and for a moment
`clock`.
"""
