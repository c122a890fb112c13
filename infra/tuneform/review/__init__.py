"""What people are shown: plans, reports and curves."""
