"""Jobs of an experiment that is a command: each arm is run as processes of its own, and what they did is read and answered.

Nothing here imports torch: the command's own Python does, and reports what it saw of the model.
"""

import json
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .checkpoints import keep, place
from .failures import failure
from .reading import Missing, NotFinite, Reader
from .running import Ended, run
from .words import environment_of, filled, words_of

ONLY_SPLIT = "evaluation"
"""What the one set of an experiment without splits is called."""
ATTACH = str(Path(__file__).resolve().parent / "attach")
Job = Dict[str, Any]
Answer = Dict[str, Any]
FACTS = (
    "fingerprint",
    "proofs",
    "stages",
    "form",
    "parameters",
    "forwards",
    "peak_gpu_memory",
    "gpu_memory",
    "models",
    "anatomy",
    "heads",
    "tensors",
    "flops",
    "environment",
)
"""What a script's own Python reports and is handed on as it is."""


class Failed(Exception):
    """The arm ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.get("message"))
        self.answer = answer


class Ran(NamedTuple):
    """One command that ended well."""

    report: "Dict[str, Any]"
    """Of the Python that ran the model; empty where none was attached to."""
    found: "Dict[str, Any]"
    """Its metrics and curves; empty where they were not asked for."""
    missing: Optional[Missing]
    seconds: float


class Place:
    """Where the processes of one arm work: a fresh folder."""

    def __init__(self, job: Job, arm: "Dict[str, Any]") -> None:
        home = os.environ["HOME"]
        self._own = None if home == "/trial" else tempfile.mkdtemp(prefix="run-", dir=home)
        self.folder = self._own or home
        self.out, self.notes = os.path.join(self.folder, "out"), os.path.join(self.folder, ".lesion")
        for one in (self.out, self.notes):
            shutil.rmtree(one, ignore_errors=True)
            os.makedirs(one)
        self.values = {"seed": str(job["seed"]), "out": self.out, "steps": str(job.get("steps", ""))}
        if arm.get("config_text") is not None and job["config_name"]:
            config = os.path.join(self.folder, job["config_name"])
            Path(config).write_text(arm["config_text"])
            self.values["config"] = config
        if job["weights"]:
            self.values["checkpoint"] = job["weights"]
        elif job["checkpoint"]:
            self.values["checkpoint"] = os.path.join(job["cwd"], filled(job["checkpoint"], self.values))

    def leave(self) -> None:
        """Remove what is ours."""
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)


class Arm:
    """One arm of a job at one place."""

    def __init__(self, job: Job, arm: "Dict[str, Any]", place: Place) -> None:
        self.job, self.arm, self.place = job, arm, place
        self.seconds: Dict[str, float] = {}
        self._runs = 0

    def run(self, command: str, kind: str, *, reads: bool = True, seed: Optional[int] = None, cuts: bool = True) -> Ran:
        """Run a command; `Failed` where it does not end well, or where an intervention did not find its place.

        Args:
            command: train, evaluate or finetune.
            kind: How it is followed: run, evaluate, check or anatomy.
            reads: Whether its metrics are read.
            seed: Another than the job's.
            cuts: Whether the arm's interventions are put in.
        """
        if command not in self.job["words"]:
            raise Failed({"status": "invalid", "message": f"the study file names no {NAMES[command]}"})
        values = {**self.place.values, **({} if seed is None else {"seed": str(seed)})}
        self._runs += 1
        notes = os.path.join(self.place.notes, str(self._runs))
        os.makedirs(notes)
        specs = self.arm["interventions"] if cuts else []
        plan = {
            "kind": kind,
            "command": command,
            "seed": self.job["seed"] if seed is None else seed,
            "seeding": _seeding(self.job, self.arm),
            "interventions": specs,
            "deterministic": Path("/dev/nvidiactl").exists(),
            "reports": notes,
        }
        Path(notes, "plan").write_text(json.dumps(plan))
        reader = self._reader(values, reads)
        ended = self._start(command, values, os.path.join(notes, "plan"), reader)
        self.seconds[STAGES[command]] = self.seconds.get(STAGES[command], 0.0) + ended.seconds
        reports = _reports(notes)
        report = max(reports, key=lambda one: (one.get("calls", 0), one["ended_at"]), default={})
        _judge(ended, reports, report, self.job["cwd"], bool(specs))
        found, missing = self._read(reader, ended) if reads else ({}, None)
        return Ran(report, found, missing, ended.seconds)

    def answer(self, ran: Ran) -> Answer:
        """What an arm comes to. `Failed` where a metric is missing."""
        if ran.missing is not None:
            raise Failed({"status": "invalid", "message": str(ran.missing)})
        metrics = {ONLY_SPLIT: ran.found["metrics"]} if ran.found else {}
        facts = {name: ran.report[name] for name in FACTS if ran.report.get(name) is not None}
        seconds = {stage: round(spent, 6) for stage, spent in self.seconds.items()}
        curves = {"curves": ran.found["curves"]} if ran.found else {}
        return {**facts, **curves, "metrics": metrics, "seconds": seconds, "finished_at": time.time()}

    def _reader(self, values: "Dict[str, str]", reads: bool) -> Reader:
        file = self.job["reading"]["file"] if reads else None
        return Reader(
            self.job["reading"], None if file is None else os.path.join(self.job["cwd"], filled(file, values))
        )

    def _start(self, command: str, values: "Dict[str, str]", plan: str, reader: Reader) -> Ended:
        environment = environment_of(self.job, self.arm, values, _is_offline())
        before = environment.get("PYTHONPATH")
        environment.update(PYTHONPATH=os.pathsep.join([ATTACH, *([before] if before else [])]), LESION_ATTACH=plan)
        words = words_of(self.job, command, self.arm, values)
        return run(words, environment, self.job["cwd"], reader.line, self.job["limits"])

    def _read(self, reader: Reader, ended: Ended) -> "tuple[Dict[str, Any], Optional[Missing]]":
        try:
            return reader.found(), None
        except NotFinite as problem:
            raise Failed({"status": "diverged", "message": str(problem)}) from None
        except Missing as problem:
            lines = ended.last()
            said = f"\nits last lines:\n{lines}" if lines else "; it printed nothing"
            return {}, Missing(f"exit code 0, but {problem}{said}"[:2000])


NAMES = {"train": "command", "evaluate": "evaluate_command", "finetune": "finetune_command"}
APART_IN_A_SURVEY = 8191
"""To the second seed: a number that no script has of its own, so that what it fixes itself is told from what it is given."""
RUNS_OF_A_SURVEY = 4
"""How often a survey's first step must fit into a trial's time, for it to be run three times."""
STAGES = {"train": "train", "evaluate": "evaluate", "finetune": "finetune"}


def answers(
    job: Job, files: "Dict[str, BinaryIO]", mark: "Callable[[int], None]"
) -> "Iterator[Tuple[int, Callable[[], Answer]]]":
    """What each arm of the job comes to, once asked: a whole answer, its status included. `mark` is told of each."""
    if job["action"] == "ping":
        yield 0, dict
        return
    for part, arm in enumerate(job["arms"]):
        mark(part)
        yield part, lambda arm=arm: _answer(job, arm, files)


def _answer(job: Job, arm: "Dict[str, Any]", files: "Dict[str, BinaryIO]") -> Answer:
    place = Place(job, arm)
    try:
        return ACTIONS[job["action"]](Arm(job, arm, place), files)
    except Failed as failed:
        return failed.answer
    finally:
        place.leave()


def _retrain(arm: Arm, files: "Dict[str, BinaryIO]") -> Answer:
    """Train, with the cut there from the first forward on; where training prints no metric, evaluate what it has left."""
    ran = arm.run("train", "run")
    if ran.missing is not None and "evaluate" in arm.job["words"]:
        ran = ran._replace(found=arm.run("evaluate", "evaluate").found, missing=None)
    answer = arm.answer(ran)
    if "write" in files:
        _refusing(keep(arm.place.values.get("checkpoint"), files["write"], arm.place.out))
    return answer


def _reevaluate(arm: Arm, files: "Dict[str, BinaryIO]") -> Answer:
    """Evaluate weights that are there, with the cut in place."""
    _given(arm, files)
    return arm.answer(arm.run("evaluate", "evaluate"))


def _recover(arm: Arm, files: "Dict[str, BinaryIO]") -> Answer:
    """Cut the trained model, evaluate, train on with the cut in place, evaluate again."""
    _given(arm, files)
    cut = arm.answer(arm.run("evaluate", "evaluate"))["metrics"]
    tuned = arm.run("finetune", "run", reads=False)
    answer = arm.answer(arm.run("evaluate", "evaluate"))
    return {**answer, "cut": cut, "forwards": tuned.report.get("forwards")}


def _check(arm: Arm, files: "Dict[str, BinaryIO]") -> Answer:
    """The first step of the arm."""
    return arm.answer(arm.run(_first(arm.job), "check", reads=False))


def _anatomy(arm: Arm, files: "Dict[str, BinaryIO]") -> Answer:
    """The first step under an anatomist; and twice more, at the same and at another seed."""
    from .survey import offers, remarks

    command, seed = _first(arm.job), arm.job["seed"]
    ran = arm.run(command, "anatomy", reads=False)
    answer = arm.answer(ran)
    last, stages, again, differently = ran.report, ran.report.get("stages"), None, None
    if RUNS_OF_A_SURVEY * ran.seconds < arm.job["limits"]["seconds"]:
        again = arm.run(command, "check", reads=False).report.get("stages")
        seed += APART_IN_A_SURVEY
        last = arm.run(command, "check", reads=False, seed=seed).report
        differently = last.get("stages")
    seeding = _seeding(arm.job, arm.arm)
    fixed = [one for one in last.get("seeds", []) if seeding != "own" or one["value"] != str(seed)]
    return {
        **answer,
        "repeatable": stages == again if stages and again else None,
        "seeded": again != differently if again and differently else None,
        "offers": offers(arm.job),
        "remarks": remarks(ran.report, fixed, seeding, arm.job["project"]),
    }


ACTIONS: "Dict[str, Callable[[Arm, Dict[str, BinaryIO]], Answer]]" = {
    "retrain": _retrain,
    "rescore": _reevaluate,
    "recover": _recover,
    "reevaluate": _reevaluate,
    "check": _check,
    "anatomy": _anatomy,
}


def _first(job: Job) -> str:
    return "train" if "train" in job["words"] else "evaluate"


def _given(arm: Arm, files: "Dict[str, BinaryIO]") -> None:
    if "read" in files:
        _refusing(place(files["read"], arm.place.values.get("checkpoint")))


def _refusing(problem: Optional[str]) -> None:
    if problem is not None:
        raise Failed({"status": "invalid", "message": problem})


def _judge(ended: Ended, reports: "List[Dict[str, Any]]", report: "Dict[str, Any]", cwd: str, cuts: bool) -> None:
    refused = next((one["refused"] for one in reports if one.get("refused")), None)
    if refused is not None:
        raise Failed({"status": "refused", "message": refused})
    answer = failure(ended, reports, cwd)
    if answer is not None:
        raise Failed(answer)
    if not cuts:
        return
    if not report.get("modules"):
        said = "no Python that it started could be attached to" if not reports else "it never called a torch module"
        problems = "; ".join(problem for one in reports for problem in one["problems"])
        raise Failed(
            {"status": "refused", "message": f"nothing to cut: {said}{' (' + problems + ')' if problems else ''}"}
        )
    if report["missing"]:
        names = report["modules"]
        there = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        missing = ", ".join(map(repr, report["missing"]))
        raise Failed({"status": "refused", "message": f"the model has no {missing}; it has {there}"})


def _reports(folder: str) -> "List[Dict[str, Any]]":
    found: List[Dict[str, Any]] = []
    for path in sorted(Path(folder).glob("*.json")):
        try:
            found.append(json.loads(path.read_text()))
        except ValueError:
            continue
    return found


def _seeding(job: Job, arm: "Dict[str, Any]") -> str:
    """Where `auto`: the script's own, if it is told the seed."""
    if job["seeding"] != "auto":
        return job["seeding"]
    told = [*job["commands"].values(), *arm["append"], *arm["environment"].values(), *os.environ.values()]
    return "own" if any("{seed}" in one for one in told) else "outside"


def _is_offline() -> bool:
    return {name for _, name in socket.if_nameindex()} <= {"lo"}
