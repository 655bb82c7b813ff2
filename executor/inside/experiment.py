"""The user's experiment: loaded from its file, run for one trial or stopped after one step, its results made plain."""

import importlib
import inspect
import math
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, Generator, List

import torch
from torch import nn

from .seeding import seed_everything
from .surgery import Surgery, operate
from .tensors import digest, tensors_of, weights_digest
from .wire import pack

SPLITS = ("validation", "test")


class Invalid(Exception):
    """The experiment ran and what it returned cannot be used; the message says what is missing."""


class Diverged(Exception):
    """A metric is not a finite number."""


class OneStep(BaseException):
    """Ends a check from inside; not an `Exception`, so that user code does not catch it by accident."""


class Config(Dict[str, Any]):
    """The configuration as the experiment sees it: a dictionary whose keys are attributes too."""

    def __getattr__(self, key: str) -> Any:
        try:
            return self[key]
        except KeyError:
            raise AttributeError(f"the configuration has no key {key!r}") from None

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value


def as_config(value: Any) -> Any:
    """Nested plain data with every dictionary turned into a `Config`."""
    if isinstance(value, dict):
        return Config({key: as_config(item) for key, item in value.items()})
    return [as_config(item) for item in value] if isinstance(value, list) else value


def load(path: Path) -> ModuleType:
    """Import the experiment by the dotted name that its own packages give it."""
    top, name = path.parent, path.stem
    while (top / "__init__.py").exists():
        top, name = top.parent, f"{top.name}.{name}"
    for folder in (str(path.parent), str(top)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    module = importlib.import_module(name)
    if Path(module.__file__ or "").resolve() != path.resolve():
        raise Invalid(f"importing {name} gave {module.__file__}, not {path}: rename the file, its name is taken")
    missing = [wanted for wanted in ("build_model", "train", "evaluate") if not callable(getattr(module, wanted, None))]
    if missing:
        raise Invalid(f"{path.name} has no function {' and no function '.join(missing)}")
    return module


class Run:
    """One run of the experiment: `build`, `train`, `evaluate`, each from the same seed, each timed."""

    def __init__(self, job: "Dict[str, Any]") -> None:
        self.seed: int = job["seed"]
        self.config = as_config(job["config"])
        self.seconds: Dict[str, float] = {}
        self.forwards = 0
        seed_everything(self.seed)
        with self._timed("build"):
            self.module = load(Path(job["experiment"]))
            seed_everything(self.seed)
            built: Any = self.module.build_model(self.config)
        if not isinstance(built, nn.Module):
            raise Invalid(f"build_model returned {type(built).__name__}, not a torch.nn.Module")
        self.model: nn.Module = built
        self.surgery: List[Surgery] = operate(self.model, job["interventions"])

    def train(self) -> None:
        """Train to the end. A model that `train` returns takes the place of the one it was given."""
        seed_everything(self.seed)
        counter = self.model.register_forward_pre_hook(self._count)
        with self._timed("train"):
            returned = self.module.train(self.model, self.config, self.seed)
        counter.remove()
        if isinstance(returned, nn.Module):
            self.model = returned

    def evaluate(self) -> "Dict[str, Any]":
        """Evaluate on every split that `evaluate` knows: `{split: what it returned}`."""
        parameters = inspect.signature(self.module.evaluate).parameters
        takes_split = "split" in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())
        results: Dict[str, Any] = {}
        with self._timed("evaluate"):
            for split in SPLITS if takes_split else ("evaluation",):
                seed_everything(self.seed)
                extra = {"split": split} if takes_split else {}
                results[split] = self.module.evaluate(self.model, self.config, **extra)
        return results

    def one_step(self, whole_evaluation: bool) -> "Dict[str, Any]":
        """Stop training at the second training forward (and evaluation at its second, unless whole); hash what was seen."""
        stages: Dict[str, Any] = {}
        with stopping(self.model, lambda: self.model.training, stages, "train"):
            self.train()
        stages["weights"] = weights_digest(self.model)
        if whole_evaluation:
            with recording(self.model, stages, "evaluate"):
                stages["results"] = self.evaluate()
            return stages
        with stopping(self.model, lambda: True, stages, "evaluate"):
            self.evaluate()
        return stages

    def _count(self, module: nn.Module, _args: Any) -> None:
        self.forwards += module.training

    @contextmanager
    def _timed(self, stage: str) -> "Generator[None, None, None]":
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


@contextmanager
def recording(model: nn.Module, stages: "Dict[str, Any]", name: str) -> "Generator[None, None, None]":
    """Hash the output of the first forward of `model` into `stages[name]`."""

    def record(_module: nn.Module, _args: Any, output: Any) -> None:
        if name not in stages:
            stages[name] = digest(tensors_of(output))

    handle = model.register_forward_hook(record)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def stopping(
    model: nn.Module, counts: "Callable[[], bool]", stages: "Dict[str, Any]", name: str
) -> "Generator[None, None, None]":
    """End the body at the second forward of `model` for which `counts()` holds."""
    seen = 0

    def stop(_module: nn.Module, _args: Any) -> None:
        nonlocal seen
        seen += counts()
        if seen == 2:
            raise OneStep

    handle = model.register_forward_pre_hook(stop)
    try:
        with recording(model, stages, name):
            yield
    except OneStep:
        pass
    finally:
        handle.remove()


def plain_results(results: "Dict[str, Any]") -> "Dict[str, Any]":
    """`{"metrics": {split: {name: float}}, "examples": {split: {name: packed}}}`. `Invalid` or `Diverged` otherwise."""
    metrics: Dict[str, Dict[str, float]] = {}
    examples: Dict[str, Dict[str, Any]] = {}
    for split, returned in results.items():
        if not isinstance(returned, dict):
            raise Invalid(f"evaluate returned {type(returned).__name__}, not a dictionary of metrics")
        metrics[split] = {str(name): _number(name, value) for name, value in returned.items() if name != "examples"}
        examples[split] = _examples(returned.get("examples") or {})
        if not metrics[split]:
            raise Invalid("evaluate returned no metric")
    broken = [
        f"{name} on {split}"
        for split, values in metrics.items()
        for name, value in values.items()
        if not math.isfinite(value)
    ]
    if broken:
        raise Diverged(f"not a finite number: {', '.join(broken)}")
    return {"metrics": metrics, "examples": examples}


def _number(name: Any, value: Any) -> float:
    problem = Invalid(f"the metric {name!r} is a {type(value).__name__}, not a number")
    if isinstance(value, (str, bytes)):
        raise problem
    try:
        return float(value.detach() if isinstance(value, torch.Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise problem from None


def _examples(columns: Any) -> "Dict[str, Any]":
    if not isinstance(columns, dict):
        raise Invalid(f"examples is a {type(columns).__name__}, not a dictionary of columns")
    packed = {str(name): pack(_flat(name, values)) for name, values in columns.items()}
    lengths = {name: column["length"] for name, column in packed.items()}
    if len(set(lengths.values())) > 1:
        raise Invalid(f"the columns of examples differ in length: {lengths}")
    return packed


def _flat(name: Any, values: Any) -> "List[float]":
    plain: Any = values.detach().cpu() if isinstance(values, torch.Tensor) else values
    try:
        listed: List[Any] = plain.tolist() if hasattr(plain, "tolist") else list(plain)
        return [float(value) for value in listed]
    except (TypeError, ValueError):
        raise Invalid(f"examples[{name!r}] is not one number for each example") from None
