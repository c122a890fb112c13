"""From bytes to nodes: which files, what text, which YAML; every place is kept."""
