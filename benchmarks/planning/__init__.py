"""What the plan benchmark measures on."""
