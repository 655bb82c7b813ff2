"""Sets keys of a configuration file's text, in its own format, so that every reader of it reads exactly these values."""

import io
import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import tomlkit
from ruamel.yaml import YAML, RoundTripRepresenter
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from ..errors import EditError

Changes = Sequence[tuple[tuple[str, ...], Any]]


def written(name: str, text: str, changes: Changes) -> str:
    """The text of the file `name` with the keys of `changes` set. `EditError` where it has no such key, or cannot hold it."""
    kinds = {".json": _json, ".toml": _toml, ".yaml": _yaml, ".yml": _yaml}
    kind = kinds.get(PurePosixPath(name).suffix.lower())
    if kind is None:
        raise EditError([f"{name}: not a kind of configuration file that can be written"])
    try:
        return kind(text, changes)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise EditError([f"{name}: no longer has the key {error}"]) from error
    except (ValueError, YAMLError) as error:
        raise EditError([f"{name}: {error}"]) from error


def same(one: Any, other: Any) -> bool:
    """Equality that tells `0`, `0.0` and `False` apart, in tables and lists too."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return type(one) is type(other) and repr(one) == repr(other)


def _set(document: Any, key: tuple[str, ...], value: Any) -> None:
    for part in key[:-1]:
        document = document[part]
    document[key[-1]]
    document[key[-1]] = value


def _json(text: str, changes: Changes) -> str:
    document = json.loads(text)
    for key, value in changes:
        _set(document, key, value)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _toml(text: str, changes: Changes) -> str:
    document = tomlkit.parse(text)
    for key, value in changes:
        if value is None:
            raise ValueError(f"{'.'.join(key)}: TOML has no null")
        _set(document, key, value)
    return tomlkit.dumps(document)


def _yaml(text: str, changes: Changes) -> str:
    """All but the changed keys is written as it was, with its comments; these go where values are shared by anchors."""
    wanted = _separate(YAML(typ="safe", pure=True).load(text))
    for key, value in changes:
        _set(wanted, key, value)
    for document in (_round_trip(text), _separate(_round_trip(text))):
        for key, value in changes:
            _set(document, key, _yaml_value(value))
        result = _dump(document)
        if same(YAML(typ="safe", pure=True).load(result), wanted):
            return result
    raise ValueError("cannot be written so that it reads back with the changed keys alone")


def _separate(document: Any) -> Any:
    """A copy in which nothing is shared; numbers and texts stay as they were written."""
    if isinstance(document, dict):
        return {key: _separate(value) for key, value in document.items()}
    return [_separate(value) for value in document] if isinstance(document, list) else document


def _yaml_value(value: Any) -> Any:
    """`value` with its texts quoted: older readers take `off`, `1e-4` and `12:30` for something else."""
    if isinstance(value, dict):
        return {key: _yaml_value(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_yaml_value(one) for one in value]
    return DoubleQuotedScalarString(value) if isinstance(value, str) else value


class _Representer(RoundTripRepresenter):
    """Writes numbers and nulls so that YAML 1.1 and 1.2 read the same."""


def _float(representer: _Representer, value: float) -> Any:
    digits, _, exponent = repr(value).partition("e")
    text = f"{digits if '.' in digits else f'{digits}.0'}e{exponent}" if exponent else digits
    return representer.represent_scalar("tag:yaml.org,2002:float", text)


def _null(representer: _Representer, _: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


_Representer.add_representer(float, _float)
_Representer.add_representer(type(None), _null)


def _yaml_writer() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    return yaml


def _round_trip(text: str) -> Any:
    return _yaml_writer().load(text)


def _dump(document: Any) -> str:
    stream = io.StringIO()
    _yaml_writer().dump(document, stream)
    return stream.getvalue()
