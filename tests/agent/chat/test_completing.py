"""The project's files as the prompt offers them: all that may be read, and never waited for."""

import itertools
import threading

from lesion.agent.chat.desk import Desk
from lesion.agent.chat.screen.completing import MOST_FILES, ProjectFiles, completer_of
from lesion.agent.studyfile import load_study
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from ...experiments import STUDY, project


def test_every_file_that_may_be_read_is_offered_and_no_other(tmp_path):
    made = project(tmp_path / "tiny", study=STUDY)
    (made.folder / "notes.md").write_text("words")
    (made.folder / ".env").write_text("KEY=value")
    (made.folder / "weights.pt").write_bytes(b"\0\1")
    made.state.mkdir(parents=True)
    (made.state / "kept.txt").write_text("results")
    desk = Desk(load_study(made.folder / "lesion.toml"), made.state)
    completer = completer_of(desk)
    asked = Document("/source "), CompleteEvent(completion_requested=True)
    list(completer.get_completions(*asked))
    for each in (one for one in threading.enumerate() if one.name == "files"):
        each.join()
    names = {one.text for one in completer.get_completions(*asked)}
    assert {"experiment.py", "lesion.toml", "notes.md"} <= names
    assert any(name.startswith("config.") for name in names)
    assert not {".env", "weights.pt"} & names and not any("kept.txt" in name for name in names)


def test_a_list_that_takes_long_is_not_waited_for():
    goes_on, begun = threading.Event(), threading.Event()

    def listed():
        begun.set()
        goes_on.wait()
        yield "late.py"

    files = ProjectFiles(listed)
    assert files.names() == [] and begun.is_set()
    assert files.names() == []  # and not begun a second time
    goes_on.set()
    assert files._thread is not None
    files._thread.join()
    assert files.names() == ["late.py"]


def test_a_list_without_end_is_cut():
    assert len(ProjectFiles(lambda: (f"{number}.py" for number in itertools.count())).names()) == MOST_FILES
