"""The language about itself: its codes and examples, JSON Schema, `explain`, and the pages in docs/."""
