"""``%load_ext jupyter_datalake``, and taking it back.

In every kernel of a user by ``c.InteractiveShellApp.extensions = ["jupyter_datalake"]`` in
IPython's configuration. What a magic needs is imported when it is used.
"""

from __future__ import annotations

from typing import Any

from jupyter_datalake.lake import cells
from jupyter_datalake.notebook import magics
from jupyter_datalake.notebook.matching import matcher


def load(shell: Any) -> None:
    """Add what notebooks have; a second time changes nothing."""
    cells.load(shell)
    shell.register_magics(magics.DatalakeMagics(shell))
    completer = getattr(shell, "Completer", None)
    if completer is not None and matcher not in completer.custom_matchers:
        completer.custom_matchers.append(matcher)


def unload(shell: Any) -> None:
    """Take it back."""
    cells.unload(shell)
    for kind, name in magics.NAMES:
        shell.magics_manager.magics[kind].pop(name, None)
    completer = getattr(shell, "Completer", None)
    if completer is not None and matcher in completer.custom_matchers:
        completer.custom_matchers.remove(matcher)
    from jupyter_datalake.notebook.lakes import close_lakes  # noqa: PLC0415  # opens a lake

    close_lakes()
