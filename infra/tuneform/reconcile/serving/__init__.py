"""What serves: `gate.py` measures what a revision must show, `promote.py` gives it the traffic."""
