"""What the commands share that work on the core themselves: which specs, the connection, what is shown, waiting."""
