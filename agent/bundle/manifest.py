"""Reads what a bundle says of itself: `MANIFEST.json`, and the ledger extract, a line a trial."""

import json
from pathlib import Path

from pydantic import ValidationError

from ...executor.errors import BundleError
from ..records.bundle import FORMAT, Manifest, Told

MANIFEST, LEDGER, RESULTS, PROJECT = "MANIFEST.json", "ledger.jsonl", "results.json", "project"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an unpacked bundle. `BundleError` where there is none, or a newer one."""
    path = folder / MANIFEST
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = int(raw["format"])
        if found <= FORMAT:
            return Manifest.model_validate(raw)
    except OSError as error:
        what = f"this is no unpacked bundle: {error.strerror}"
        raise BundleError(what, where=str(path), to_do="unpack the whole archive into one folder") from None
    except (ValidationError, ValueError, KeyError, TypeError):
        raise BundleError("the manifest is damaged", where=str(path), to_do="unpack the archive again") from None
    raise BundleError(
        f"this bundle was packed by a newer version of lesion (format {found}, this one knows {FORMAT}; packed by "
        f"{raw.get('lesion')})",
        where=str(path),
        to_do=f"pip install 'lesion>={raw.get('lesion')}'",
    )


def read_ledger(folder: Path) -> list[Told]:
    """Every trial of the extract."""
    lines = (folder / LEDGER).read_text(encoding="utf-8").splitlines()
    return [Told.model_validate_json(line) for line in lines]
