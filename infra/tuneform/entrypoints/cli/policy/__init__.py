"""`tuneform policy`: what looks after policies themselves.

group.py   the subcommands, each in the module of its name
test.py    cases, run             cases.py    what a file of cases says
digest.py  the digest to pin      outcomes.py  what came of cases: judged, compared, counted for coverage
list_.py   the rules that count   reports.py  the same as text, JSON, JUnit
pack.py    a policy pack for Pulumi
admission.py  admission policies for Kubernetes
"""
