"""Admission policies for Kubernetes, of the same CEL: `tuneform policy admission`.

reach.py  what admission does not see, so that a rule cannot be asked there
cel.py    a rule of one kind as validation: defaults, parameters, items and exceptions in its text
objects.py  the objects, and what is left out of them
"""
