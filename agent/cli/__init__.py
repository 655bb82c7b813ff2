"""The command line: one file a command, expected errors without a traceback, exit codes that scripts can rely on."""

from .app import main

__all__ = ["main"]
