"""A picture of a terminal: coloured text on standard input, an SVG file as the argument.

How `docs/images/up.svg` is made, after `tmux new-session -s up -x 110 -y 200` and `tuneform up` in it:

    tmux capture-pane -t up -e -p | python docs/picture.py docs/images/up.svg
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

WIDTH = 110


def main() -> None:
    """Read, draw, write. Fonts are the reader's own: the picture fetches nothing."""
    shown = Text.from_ansi(sys.stdin.read().rstrip())
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(shown)
    svg_format = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    Path(sys.argv[1]).write_text(
        console.export_svg(title="tuneform up", theme=MONOKAI, code_format=svg_format)
    )


if __name__ == "__main__":
    main()
