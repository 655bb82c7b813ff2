"""The user's experiment: loaded from its file, its functions called for one run, each from the same seed, each timed."""

import importlib
import inspect
import sys
import time
import zlib
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Callable, Dict, Generator, Iterator, List, Optional, Sequence

import torch
from torch import nn

from .columns import is_metric
from .filling import Refused
from .measured import Invalid, column
from .seeding import other_states, reseed, seed_everything, set_other_states, set_states, states

SPLITS = ("validation", "test")
ONLY_SPLIT = "evaluation"
"""What the one set of an experiment without splits is called."""
WRAPPERS = ("_orig_mod.", "module.")
"""Prefixes that compiling and parallel training put before the names of weights."""
Weights = Dict[str, Any]
"""A state dictionary."""
Begin = Callable[[str], None]
"""Called with the name of a batch that will be scored."""
END = object()
OPTIONAL = ("load_weights", "batches", "score", "finetune")


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
    return module


def forget(root: Path) -> "Dict[str, ModuleType]":
    """Take the modules of the project in `root` out of `sys.modules`, so that they are imported anew; what was there."""
    own = {name: module for name, module in sys.modules.items() if _is_own(name, module, root)}
    for name in own:
        del sys.modules[name]
    return own


def _is_own(name: str, module: ModuleType, root: Path) -> bool:
    file = Path(getattr(module, "__file__", None) or "/")
    installed = "site-packages" in file.parts or file.is_relative_to(sys.prefix)
    ours = name.partition(".")[0] in ((__package__ or "").partition(".")[0], "__main__")
    return file.suffix == ".py" and file.is_relative_to(root) and not installed and not ours


def read_weights(checkpoint: BinaryIO) -> Weights:
    """What a checkpoint holds. The file is closed: who holds it could open it again, to write."""
    with checkpoint:
        found: Weights = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return found


class Run:
    """One run of the experiment on one model; `build`, then any of the rest."""

    model: nn.Module

    def __init__(self, job: "Dict[str, Any]", config: "Dict[str, Any]") -> None:
        self.seed: int = job["seed"]
        self.config = as_config(config)
        self.edited: bool = job.get("edited", False)
        """Whether its source is."""
        self.form: Optional[str] = None
        """What the model puts out in evaluation, once that was noted."""
        self.seconds: Dict[str, float] = {}
        self.forwards = 0
        with self._timed("build"):
            seed_everything(self.seed)
            self.module = load(Path(job["experiment"]))
        self.require(job["functions"])

    @property
    def offers(self) -> "List[str]":
        """The optional functions that the experiment has."""
        return [name for name in OPTIONAL if callable(getattr(self.module, name, None))]

    def require(self, functions: Sequence[str]) -> None:
        """`Invalid` where the experiment lacks one of these functions."""
        missing = [one for one in functions if not callable(getattr(self.module, one, None))]
        if missing:
            name = Path(self.module.__file__ or "").name
            raise Invalid(f"{name} has no function {' and no function '.join(missing)}")

    def build(self) -> None:
        """A new model, with the weights it starts training from."""
        with self._timed("build"):
            seed_everything(self.seed)
            built: Any = self.module.build_model(self.config)
        if not isinstance(built, nn.Module):
            raise Invalid(f"build_model returned {type(built).__name__}, not a torch.nn.Module")
        self.model = built

    def load_weights(self, weights: "Optional[Weights]") -> None:
        """The trained weights: the experiment's own, or those of a baseline run, which are gone from `weights` then."""
        with self._timed("load"):
            seed_everything(self.seed)
            if weights is None:
                self._take(self.module.load_weights(self.model, self.config))
            else:
                self._fill(weights)
                weights.clear()

    def _fill(self, weights: Weights) -> None:
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            if not self.edited:
                raise
            raise Refused(f"the edited model cannot take the trained weights: {error}") from None

    def save_weights(self, file: BinaryIO) -> None:
        """Write the weights so that a model from `build_model` can take them."""
        known = set(self.module.build_model(self.config).state_dict())
        state = {_unwrapped(name, known): value for name, value in self.model.state_dict().items()}
        if set(state) != known:
            odd = sorted(set(state) ^ known)[:3]
            raise Invalid(
                f"the trained model has other weights than build_model gives ({', '.join(odd)}): "
                "return it from build_model's own kind, or define load_weights"
            )
        with file:
            torch.save(state, file)

    def train(self) -> None:
        """Train to the end. A model that `train` returns takes the place of the one it was given."""
        self._learn("train", lambda: self.module.train(self.model, self.config, self.seed))

    def finetune(self, steps: int) -> None:
        """Train on for so many steps."""
        self._learn("finetune", lambda: self.module.finetune(self.model, self.config, self.seed, steps))

    def evaluate(self) -> "Dict[str, Any]":
        """Evaluate on every split that `evaluate` knows: `{split: what it returned}`."""
        results: Dict[str, Any] = {}
        with self._timed("evaluate"):
            for split in self.splits():
                seed_everything(self.seed)
                extra = {"split": split} if split != ONLY_SPLIT else {}
                results[split] = self.module.evaluate(self.model, self.config, **extra)
        return results

    def score(self, begin: "Optional[Begin]" = None) -> "Dict[str, Any]":
        """The same from `batches` and `score`: every metric is the mean of its examples. `begin` is told of every batch."""
        with self._timed("evaluate"):
            return {split: summed(self._scored(own_name(split), begin)) for split in self.splits()}

    def refer(self) -> None:
        """Show the reference split to the model, for whoever watches."""
        self._scored("reference")

    def has_reference(self) -> bool:
        """Whether there is a reference split to take means from."""
        if not {"batches", "score"} <= set(self.offers):
            return False
        try:
            return next(iter(self.module.batches(self.config, "reference")), None) is not None
        except Exception:
            return False  # an experiment says no in its own way

    def splits(self) -> "Sequence[str]":
        """The splits that `evaluate` knows."""
        parameters = inspect.signature(self.module.evaluate).parameters
        takes_split = "split" in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())
        return SPLITS if takes_split else (ONLY_SPLIT,)

    def listed(self, split: str) -> "Iterator[Any]":
        """The batches of a split, in the experiment's own order. What it draws for them does not depend on what is scored
        in between."""
        seed_everything(self.seed)
        batches = iter(self.module.batches(self.config, split))
        kept = states(), other_states()
        while True:
            set_states(kept[0])
            set_other_states(kept[1])
            batch = next(batches, END)
            kept = states(), other_states()
            if batch is END:
                return
            yield batch

    def seed_for(self, name: str) -> None:
        """Set all generators to where they stand when a batch is scored."""
        reseed(zlib.crc32(f"{name}/{self.seed}".encode()))

    def scored(self, batch: Any, name: str) -> "Dict[str, List[float]]":
        """What `score` gives of one batch, each from a seed of its own: whatever was scored before, and in whatever order."""
        self.seed_for(name)
        with torch.no_grad():
            scores = self.module.score(self.model, batch)
        if not isinstance(scores, dict):
            raise Invalid(f"score returned {type(scores).__name__}, not a dictionary of one value an example")
        return {str(name): column(name, values) for name, values in scores.items()}

    def _scored(self, split: str, begin: "Optional[Begin]" = None) -> "Dict[str, List[float]]":
        columns: Dict[str, List[float]] = {}
        self.model.eval()
        for place, batch in enumerate(self.listed(split)):
            name = batch_name(split, place)
            if begin:
                begin(name)
            for metric, values in self.scored(batch, name).items():
                columns.setdefault(metric, []).extend(values)
        if not columns:
            raise Invalid(f"batches gave nothing for the {split} split")
        return columns

    def _learn(self, stage: str, learn: Any) -> None:
        seed_everything(self.seed)

        def count(module: nn.Module, _args: Any) -> None:  # a function: deep copies of the model take it along as it is
            self.forwards += module.training

        counter = self.model.register_forward_pre_hook(count)
        with self._timed(stage):
            try:
                returned = learn()
            finally:
                counter.remove()
        self._take(returned)

    def _take(self, returned: Any) -> None:
        if isinstance(returned, nn.Module):
            self.model = returned

    @contextmanager
    def _timed(self, stage: str) -> "Generator[None, None, None]":
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def summed(columns: "Dict[str, List[float]]") -> "Dict[str, Any]":
    """Columns as an evaluation gives them: the mean of every metric, and its values."""
    means = {name: sum(values) / len(values) for name, values in columns.items() if values and is_metric(name)}
    return {**means, "examples": columns}


def own_name(split: str) -> str:
    """The split as `batches` knows it."""
    return "validation" if split == ONLY_SPLIT else split


def batch_name(split: str, place: int) -> str:
    """What the seed of a batch is made from."""
    return f"{split}/{place}"


def _unwrapped(name: str, known: "set[str]") -> str:
    while name not in known and name.startswith(WRAPPERS):
        name = name.partition(".")[2]
    return name
