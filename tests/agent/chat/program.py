"""`lesion chat` itself in a real terminal, on a tiny project of its own, against a scripted server."""

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pexpect
from lesion.agent.chat.desk import SURVEY

from tests.experiments import EXPERIMENT, LESION, Project, project
from tests.llm.server import ModelServer, Request

from ..llm.answers import EXPECTED
from .watched import CTRL_D, Seen

LEFT, RIGHT, DROPOUT = "config:use_left", "config:use_right", "config:unused_dropout"
YES = "Enter: yes. Or type why not:"
HELD = EXPERIMENT.replace(
    "        loss.backward()\n",
    '        loss.backward()\n        while step == 5 and Path(__file__).with_name("hold").exists():\n            time.sleep(0.01)\n',
).replace("import torch\n", "import time\nfrom pathlib import Path\n\nimport torch\n", 1)
"""Its training goes no further while a file `hold` stands beside it."""
ZEROING = {"file": "experiment.py", "search": "        optimizer.zero_grad()\n", "replace": ""}


class Chat(Seen):
    """A conversation that somebody has opened."""

    timeout = 60

    def __init__(
        self, made: Project, *flags: str, server: ModelServer | None = None, columns: int = 100, **environment: str
    ) -> None:
        served = {"OPENAI_BASE_URL": server.url, "LESION_MODEL": "scripted"} if server else {}
        self.made = made
        super().__init__(
            *LESION, "chat", *flags, columns=columns, rows=40, cwd=made.folder, **{**served, **environment}
        )

    def __enter__(self) -> "Chat":
        return self

    @property
    def flat(self) -> str:
        """The screen without its line breaks."""
        return " ".join(self.text.split())

    def see(self, *texts: str) -> None:
        """Until all of these are there, wherever lines break."""
        self.until(lambda: all(one in self.flat or one in "".join(self.lines) for one in texts))

    def say(self, text: str) -> None:
        """At the prompt."""
        self.prompted()
        self.enter(text)

    def asks(self, before: str = "") -> None:
        """Until a question stands there, after something else did."""
        self.until(lambda: before in self.flat and self.current.startswith(YES))

    def consent(self, text: str) -> None:
        """The first message to a server, and the yes to sending it."""
        self.say(text)
        self.asks("send your messages and the project's source")
        self.enter()

    def dies(self) -> int:
        """Until it has ended: its exit code, negative for a signal."""
        with suppress(pexpect.EOF):
            while True:
                self.take(self.child.read_nonblocking(65536, self.timeout))
        self.child.close()
        code = self.child.exitstatus
        return -self.child.signalstatus if code is None else code

    def leave(self) -> int:
        """Ctrl-D at an empty prompt where nothing runs."""
        self.prompted()
        self.send(CTRL_D)
        return self.dies()


def copied(surveyed: Project, folder: Path) -> Project:
    """A project of one's own whose model was looked at before."""
    shutil.copytree(surveyed.folder, folder)
    return Project(folder)


def held_project(folder: Path) -> Project:
    """One whose trials wait while there is a file `hold`, looked at."""
    made = project(folder, experiment=HELD)
    looked = made.lesion("chat", "--message", "/components")
    assert looked.code == 0, looked.err
    assert (made.state / "chat" / SURVEY).exists()
    (made.state / "chat" / "events.jsonl").unlink(missing_ok=True)
    return made


def hold(made: Project) -> Path:
    """Trials go no further until this is deleted."""
    path = made.folder / "hold"
    path.touch()
    return path


def events(made: Project, *kinds: str) -> list[dict[str, Any]]:
    """What the conversation's file holds."""
    lines = (made.state / "chat" / "events.jsonl").read_text().splitlines()
    found = [json.loads(line)["what"] for line in lines]
    return [one for one in found if not kinds or one["event"] in kinds]


def removal(target: str, **facts: Any) -> dict[str, Any]:
    """A proposal to remove a component."""
    return {"target": target, "how": "default", **EXPECTED, **facts}


def proposing(
    *targets: str, overrides: tuple[Any, ...] = (), edits: tuple[Any, ...] = ()
) -> tuple[str, dict[str, Any]]:
    """A call of the tool that puts removals into the draft."""
    return "propose", {
        "removals": [removal(one) for one in targets],
        "overrides": list(overrides),
        "edits": [{"label": "zeroing", "kind": "optimizer", "blocks": [one], **EXPECTED} for one in edits],
    }


def talked(server: ModelServer) -> list[Request]:
    """Its requests without those that ask which actions a plain answer takes."""
    return [one for one in server.asked if one.tools]


RUN = ("run", {"reason": "it is the question"})
