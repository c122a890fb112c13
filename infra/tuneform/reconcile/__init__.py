"""The reconcile core: what should be, what is, and the ordered actions that turn one into the other.

    desired.py   what the specs ask for, resolved        live.py      what the platform shows
    recipe.py    recipe and revision                     ledger.py    the durable record of attempts
    diff.py      field by field differences              actions.py   frozen actions, and their words
    plan.py      pure: desired × observed → actions      ports.py     Reader, Writer, Ledger, Objects, Clock
    attempts.py  claim, fence, create, revoke            content.py   dataset content under its digest
    core.py      observe → plan → perform, a tuning      retire.py    delete what a job made
    serving/     gate, deploy, switch, retire the oldest

The planner sees the Reader's answers only. Platforms implement the ports (tuneform.platforms).
"""
