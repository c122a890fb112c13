"""What `tuneform audit` is made of.

targets.py   which projects, and where to look in them     reading.py   all of them, side by side, part by part
asking.py    the command line, followed, and answered
judging.py   one live thing, judged                        journal.py   what was read, kept for a run that goes on
"""
