import pytest
from lesion.agent.llm.client import LanguageModel
from lesion.agent.llm.settings import model_settings
from lesion.agent.llm.transcript import Transcript
from lesion.agent.spec import PlannerSection

KEY = "sk-very-secret-key-0123456789"


class Watching:
    """A watcher that keeps what it is told."""

    def __init__(self):
        self.questions, self.waits, self.pieces = [], [], []

    def asking(self, text):
        self.questions.append(text)

    def waiting(self, text):
        self.waits.append(text)

    def streaming(self, tokens, delta):
        self.pieces.append((tokens, delta))


class Desk:
    """A client of a scripted server, the transcript between them, and everything that was waited for."""

    def __init__(self, folder):
        self.path = folder / "transcript.jsonl"
        self.watcher, self.slept = Watching(), []

    def model(self, server, *, key=KEY, stream=False, time_left=lambda: float("inf"), allotted=None, **planner):
        section = PlannerSection.model_validate({"model": "scripted", "timeout": 5.0, **planner})
        settings = model_settings(section, {"OPENAI_API_KEY": key or "", "OPENAI_BASE_URL": server.url}, stream=stream)
        return LanguageModel(
            settings,
            Transcript(self.path),
            self.watcher,
            sleep=self.slept.append,
            time_left=time_left,
            allotted=allotted,
        )


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)
