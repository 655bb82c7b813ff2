import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lesion.agent.configuration import flatten, resolve
from lesion.agent.reading.script.found import given
from lesion.agent.reading.script.settings import ScriptSettings, script_settings
from lesion.executor.experiments.commandline import CommandLine, command_line
from lesion.executor.experiments.turning import changed_settings, turned


@dataclass
class Script:
    """A small project, its settings, and what its script itself says that it reads."""

    root: Path
    command: CommandLine
    cwd: Path
    config: Path | None
    settings: ScriptSettings

    @property
    def values(self) -> dict[str, Any]:
        return flatten(self.settings.values)

    def runs_with(self, **changes: Any) -> Any:
        """The JSON that it prints as its last line when settings are changed, `__` for a dot in their keys."""
        return self.runs({key.replace("__", "."): value for key, value in changes.items()})

    def runs(self, changes: dict[str, Any]) -> Any:
        config = resolve(self.settings.values, changes, {})
        result = turned(self.settings.knobs, changed_settings(self.settings.values, config), self.root, self.config)
        seen = self.root.parent / "seen"
        shutil.rmtree(seen, ignore_errors=True)
        shutil.copytree(self.root, seen)
        for name, text in result.texts.items():
            (seen / name).write_bytes(text.encode())
        words = [*self.command.words[: self.command.arguments_from], *_kept(self.command.arguments, result)]
        words = [sys.executable if word == "{python}" else word for word in [*words, *result.append]]
        environment = {**os.environ, **result.environment, "PYTHONDONTWRITEBYTECODE": "1"}
        where = seen / self.cwd.relative_to(self.root)
        done = subprocess.run(words, cwd=where, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


def _kept(words, result):
    """The command's own words without what is dropped."""
    kept, skipping = [], False
    for word in words:
        name = word.partition("=")[0]
        if name.startswith("-") and name in result.drop:
            skipping = name not in result.alone and "=" not in word
        elif not (skipping and next(given(("--x", word))).values):
            kept.append(word)
            skipping = False
    return kept


@pytest.fixture
def script(tmp_path):
    def make(files, command="{python} train.py", cwd=".", config=None, environment=None):
        root = tmp_path / "project"
        for name, text in ({"train.py": files} if isinstance(files, str) else files).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        line, where = command_line(command), (root / cwd).resolve()
        named = root / config if config else None
        settings = script_settings(root, line, where, named, environment or {})
        return Script(root, line, where, named, settings)

    return make
