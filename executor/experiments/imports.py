"""Which of a project's own files a Python file imports: read, never run."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Absolute module names that import statements among `nodes` name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def local_module(name: str, bases: Iterable[Path]) -> Path | None:
    """The file of a dotted module name below one of `bases`, the first that has it."""
    relative = Path(*name.split("."))
    places = (base / end for base in bases for end in (f"{relative}.py", relative / "__init__.py"))
    return next((place for place in places if place.is_file()), None)


def local_imports(file: Path, tree: ast.Module, bases: Iterable[Path]) -> Iterator[Path]:
    """Files that any import statement of `file` leads to, relative ones and submodules included."""
    bases = tuple(bases)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted, places = [alias.name for alias in node.names], bases
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            wanted = [
                ".".join(filter(None, (module, *rest))) for rest in [(), *((alias.name,) for alias in node.names)]
            ]
            places = (file.parents[node.level - 1],) if 0 < node.level <= len(file.parents) else bases
        else:
            continue
        for name in filter(None, wanted):
            parts = name.split(".")
            around = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
            yield from (found for one in around if (found := local_module(one, places)))


def search_paths(file: Path, tree: ast.Module, cwd: Path) -> Iterator[Path]:
    """Folders that `sys.path.append` or `insert` add, where they are written out or made from `__file__`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="path"), attr="append" | "insert"), args=[*_, last]
            ):
                if (folder := _folder(last, file)) is not None:
                    yield (cwd / folder).resolve()
            case _:
                continue


def _folder(node: ast.expr, file: Path) -> Path | None:
    """A path made of texts, `__file__`, `dirname`, `join`, `abspath`, `Path`, `parent`; None for anything else."""
    match node:
        case ast.Constant(value=str(text)):
            return Path(text)
        case ast.Name(id="__file__"):
            return file
        case ast.Call(func=ast.Attribute(attr="dirname") | ast.Name(id="dirname"), args=[inner]):
            found = _folder(inner, file)
            return found.parent if found else None
        case ast.Call(func=ast.Attribute(attr="join") | ast.Name(id="join"), args=[*parts]) if parts:
            found = [_folder(part, file) for part in parts]
            known = [one for one in found if one is not None]
            return Path(*known).resolve() if len(known) == len(found) and known[0].is_absolute() else None
        case ast.Call(func=ast.Name(id="str" | "Path") | ast.Attribute(attr="abspath" | "realpath"), args=[inner]):
            return _folder(inner, file)
        case ast.Call(func=ast.Attribute(value=inner, attr="resolve" | "absolute"), args=[]):
            return _folder(inner, file)
        case ast.Attribute(value=inner, attr="parent"):
            found = _folder(inner, file)
            return found.parent if found else None
        case ast.Subscript(value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(index))):
            found = _folder(inner, file)
            return found.parents[index] if found and index < len(found.parents) else None
        case _:
            return None
