"""What the commands share that look at one tuning, or decide something about it for a person."""
