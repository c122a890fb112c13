"""A policy pack for Pulumi, written from policies: `tuneform policy pack`.

writing.py   the pack's files             analyzer.py       its `__main__.py`, which runs there and never here
requirements.txt  its environment, hashed, of requirements.in: the SDK wants another protobuf than Google's clients
"""
