"""Seeds from outside: every generator of a script starts from the trial's seed, and a seed that it sets itself is shifted.

A script's own number k becomes k + 1000003 · seed: at seed 0 it runs with the very numbers that it would have anyway, and
at every other seed with others.
"""

import os
import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

APART = 1_000_003
"""Between the seeds that one number of the script becomes."""
MOST_TOLD = 20
HERE = os.path.dirname(os.path.abspath(__file__))


def _is_passed_over(file: str) -> bool:
    """Whether a line of this file is nobody's own: ours, or a library's, which seeds because somebody asked it to."""
    return file.startswith(HERE) or "site-packages" in file or "dist-packages" in file


class Seeds:
    """The generators of one script. `how`: `own`, nothing is shifted; `outside`; `everything`: those that it makes, too."""

    def __init__(self, seed: int, how: str) -> None:
        self.seed, self.how = seed, how
        self._pid = os.getpid()
        self._told: Dict[Tuple[str, int, str], Dict[str, Any]] = {}
        self._inside = False

    def told(self) -> "List[Dict[str, Any]]":
        """What the script seeds itself: `{"what", "value", "file", "line"}`, each place once."""
        return list(self._told.values())[:MOST_TOLD]

    def take_random(self, module: Any) -> None:
        """Python's own generator."""
        module.seed(self.seed)
        module.seed = self._wrapped(module.seed, "random")
        if self.how == "everything":
            module.Random = self._shifting(module.Random, "random.Random")

    def take_numpy(self, module: Any) -> None:
        """`numpy.random`, whose seeds have 32 bits."""
        module.seed(self.seed % 2**32)
        module.seed = self._wrapped(module.seed, "numpy")
        if self.how == "everything":
            module.default_rng = self._wrapped(module.default_rng, "numpy.random.default_rng")
            for name in ("RandomState", "PCG64", "MT19937", "Philox", "SFC64"):
                setattr(module, name, self._shifting(getattr(module, name), "numpy.random." + name))

    def take_torch(self, torch: Any) -> None:
        """Torch's generators on every device."""
        torch.manual_seed(self.seed)
        torch.manual_seed = torch.random.manual_seed = self._wrapped(torch.manual_seed, "torch")
        for name in ("manual_seed", "manual_seed_all"):
            wrapped = self._wrapped(getattr(torch.cuda, name), "torch.cuda")
            setattr(torch.cuda, name, wrapped)
            setattr(torch.cuda.random, name, wrapped)
        if self.how == "everything":
            torch.Generator = self._seeding(torch.Generator)

    def _wrapped(self, function: "Callable[..., Any]", what: str) -> "Callable[..., Any]":
        """`function` with its first argument, a seed, shifted; calls of one such function from within another pass as they are."""

        def seeded(*args: Any, **kwargs: Any) -> Any:
            if self._inside or os.getpid() != self._pid:
                return function(*args, **kwargs)
            args, kwargs = self._shifted(args, kwargs, what)
            self._inside = True
            try:
                return function(*args, **kwargs)
            finally:
                self._inside = False

        seeded.__name__ = getattr(function, "__name__", what)
        seeded.__doc__ = function.__doc__
        return seeded

    def _shifting(self, kind: Any, what: str) -> Any:
        """A subclass that shifts the seed that it is made with."""
        seeds = self

        class Shifted(kind):
            def __new__(cls, *args: Any, **kwargs: Any) -> Any:
                args, kwargs = seeds._shifted(args, kwargs, what) if not seeds._inside else (args, kwargs)
                return super().__new__(cls, *args, **kwargs)

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                args, kwargs = seeds._shifted(args, kwargs, what) if not seeds._inside else (args, kwargs)
                super().__init__(*args, **kwargs)

        Shifted.__name__, Shifted.__qualname__, Shifted.__module__ = kind.__name__, kind.__qualname__, kind.__module__
        return Shifted

    def _seeding(self, kind: Any) -> Any:
        """A subclass of torch's generator with a `manual_seed` that shifts."""
        seeds = self

        class Generator(kind):
            def manual_seed(self, seed: int) -> Any:
                (seed,), _ = seeds._shifted((seed,), {}, "torch.Generator")
                return super().manual_seed(seed)

        return Generator

    def _shifted(
        self, args: "Tuple[Any, ...]", kwargs: "Dict[str, Any]", what: str
    ) -> "Tuple[Tuple[Any, ...], Dict[str, Any]]":
        """The arguments of a call that seeds, the seed among them shifted and noted."""
        name = next(iter(kwargs)) if kwargs and not args else None
        value = kwargs[name] if name else args[0] if args else None
        self._note(what, value)
        changed = self._moved(value, what)
        if name:
            return args, {**kwargs, name: changed}
        return (changed, *args[1:]), kwargs

    def _moved(self, value: Any, what: str) -> Any:
        """The number that stands in for the script's; without one, the trial's own seed instead of chance."""
        if self.how == "own":
            return value
        if value is None:
            return self.seed
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            return value
        moved = int(value) + APART * self.seed
        return moved % 2**32 if what.startswith("numpy") and value >= 0 else moved

    def _note(self, what: str, value: Any) -> None:
        frame: Optional[Any] = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
        while frame is not None and _is_passed_over(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None or len(self._told) >= MOST_TOLD:
            return
        file, line = frame.f_code.co_filename, frame.f_lineno
        self._told.setdefault((file, line, what), {"what": what, "value": str(value)[:50], "file": file, "line": line})
