"""What the commands that drive the engine are made of.

runs.py       options, preparation, the run itself      stacks.py     which stack, and the engine that runs it
display.py    what is shown while it runs               failures.py   what went wrong, at its place in the specs
closing.py    the end of `up`                           questions.py  asking served models
holding.py    the one project that a stack holds
rows.py       datasets' rows, before anything is done   supervise.py  the engine never outlives us
"""
