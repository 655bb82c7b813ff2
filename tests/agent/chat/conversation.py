"""A fake conversation, run in a real terminal by the tests: what is typed at its prompt says what it does.

Usage: conversation.py FOLDER. The FIFO `main` there feeds what the main thread shows, `side` a second thread.
"""

import sys
import threading
from pathlib import Path

from lesion.agent.chat.approval import Approval, Asked, Price
from lesion.agent.chat.screen.completion import FILE, ID, ChatCompleter, Command
from lesion.agent.chat.screen.terminal import ARRIVED, Terminal
from lesion.agent.chat.shown import Diff, Note, Prose, Table

APPROVAL = Approval(
    what="Run one ablation",
    ablations=(
        Asked(
            id="config:dropout",
            how="dropout = 0",
            expected="worse",
            hypothesis="It regularises.",
            diff=Diff(title="config.yaml", text="-dropout: 0.1\n+dropout: 0"),
        ),
    ),
    price=Price(first_look=5, most=20, seconds=60.0, most_seconds=240.0, dollars=0.5, most_dollars=2.0),
    notes=("Simulated.",),
)
COMMANDS = [
    Command("help", "what there is"),
    Command("why", "why it came out so", [ID]),
    Command("source", "lines of a file", [FILE]),
    Command("mode", "what runs unasked", ["ask", "auto", "plan-only"]),
]


def _fail_if_told(line: str) -> None:
    if line.strip() == "FAIL":
        raise ConnectionError


def _stream(terminal: Terminal, feed) -> None:
    try:
        with terminal.answering() as stream:
            whole = ""
            for line in iter(feed.readline, ""):
                if line.strip() == "END":
                    return stream.end(Prose(text=whole + "\n\nlast words"))
                _fail_if_told(line)
                text = line.rstrip("\n").replace("\\n", "\n")
                whole += text
                stream.add(text)
    except (KeyboardInterrupt, ConnectionError) as error:
        terminal.show(Note(text=f"broken off: {type(error).__name__}"))


def _side(terminal: Terminal, folder: Path) -> None:
    with (folder / "side").open(encoding="utf-8") as feed:
        for line in feed:
            if line.strip() == "INTERRUPT":
                terminal.interrupt()
            elif line.strip() == "TABLE":
                terminal.show(Table(title="Found", columns=["id", "n"], rows=[["a", "1"]]))
            else:
                terminal.show(Note(text=line.strip(), tone="good"))


def _answer(terminal: Terminal, said: str, feed) -> None:
    if said == "stream":
        _stream(terminal, feed)
    elif said == "approve":
        terminal.show(Note(text=repr(terminal.approve(APPROVAL))))
    elif said == "busy":
        try:
            with terminal.busy("thinking"):
                feed.readline()
        except KeyboardInterrupt:
            terminal.show(Note(text="no more thinking"))
    elif said == "think":
        with terminal.busy("thinking"):
            feed.readline()
            _stream(terminal, feed)
            terminal.show(Note(text=repr(terminal.approve(APPROVAL))))
    elif said == "slow":
        feed.readline()
        terminal.show(Note(text=repr(terminal.approve(APPROVAL))))
    elif said == "choose":
        options = ["keep them running", "stop them", "stay"]
        terminal.show(Note(text=f"chosen {terminal.choose('Trials are running.', options)}"))
    else:
        terminal.show(Note(text=f"said {said!r}"))


def main() -> None:
    folder = Path(sys.argv[1])
    ids = {"config:dropout": "a rate", "module:blocks.3.mlp": "", "module:blocks.4.mlp": ""}
    completer = ChatCompleter(lambda: COMMANDS, lambda: ids, lambda: ["train.py", "nets/model.py"])
    terminal = Terminal(
        folder / "state" / "history", completer, lambda: ["ask", "small-model", "1,234 tokens", "2 running"]
    )
    threading.Thread(target=_side, args=(terminal, folder), daemon=True).start()
    with (folder / "main").open(encoding="utf-8") as feed:
        while (said := terminal.read()) is not None:
            if said is ARRIVED:
                terminal.show(Note(text="something arrived"))
            else:
                _answer(terminal, str(said), feed)
    print("left")


if __name__ == "__main__":
    main()
