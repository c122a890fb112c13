"""The doors: command line, Pulumi program and provider. Each hands over to the core and has no logic of its own."""
