"""Rules over documents, and how they are judged.

This room stands alone: the standard library and the CEL runtime, nothing else. A policy pack carries it along into an
environment of its own (`pulumi_policy` wants another protobuf than Google's clients), and judges by the same code.

rules.py        what a policy says, as frozen data     tokens.py   the words of an expression: what it looks at
library.py      the built-in rules                     bounds.py   how much an expression could do
expressions.py  CEL: compiled, its errors placed       judge.py    a subject in, findings out
"""

from tuneform.policy.judge import Finding, Judge, Subject, Unjudged, Verdict
from tuneform.policy.library import LIBRARY, Builtin
from tuneform.policy.rules import Enforcement, Exemption, Match, PolicySet, Rule

__all__ = [
    "LIBRARY",
    "Builtin",
    "Enforcement",
    "Exemption",
    "Finding",
    "Judge",
    "Match",
    "PolicySet",
    "Rule",
    "Subject",
    "Unjudged",
    "Verdict",
]
