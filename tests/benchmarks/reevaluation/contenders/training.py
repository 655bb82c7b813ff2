"""Trains a small model of bytes on the source of Python's standard library, which every machine has, and writes its weights.

Also writes sequences of files that it was not trained on, in random order: `python training.py CONFIG FOLDER`. The
configuration is that of `experiment.py` and `steps`, `train_batch`, `rate`, `held_out` (sequences to write).
"""

import json
import sys
import sysconfig
from pathlib import Path

import torch
from experiment import build_model, losses

WARM_UP = 40
WITHOUT = {"site-packages", "dist-packages", "test", "tests", "idlelib", "encodings"}
"""Folders that are not always there, or hold tables rather than text."""
HELD_OUT = 4
"""One file in so many is not trained on."""


def texts() -> tuple[torch.Tensor, torch.Tensor]:
    """The bytes of the files to train on, and of those held out."""
    root = Path(sysconfig.get_path("stdlib"))
    files = sorted(one for one in root.rglob("*.py") if not WITHOUT & set(one.relative_to(root).parts))
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
    held = len(files) // HELD_OUT
    parts = (b"".join(files[index].read_bytes() for index in some) for some in (order[held:], order[:held]))
    training, held_out = (torch.frombuffer(bytearray(part), dtype=torch.uint8) for part in parts)
    return training, held_out


def train(config, text):
    """AdamW with a linear warm-up and decay."""
    model = build_model(config).train()
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.1)
    for step in range(config["steps"]):
        for group in optimizer.param_groups:
            group["lr"] = config["rate"] * min(1.0, (step + 1) / WARM_UP) * (1 - step / config["steps"])
        starts = torch.randint(len(text) - config["tokens"] - 1, (config["train_batch"], 1))
        batch = text[starts + torch.arange(config["tokens"] + 1)].long()
        loss = losses(model(batch[:, :-1]).logits, batch).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model, loss.item()


def sequences(config, text):
    """Disjoint sequences of a text in random order, so that neighbours of one file are not neighbours here."""
    length = config["tokens"] + 1
    cut = text[: len(text) // length * length].view(-1, length)
    order = torch.randperm(len(cut), generator=torch.Generator().manual_seed(1))
    return cut[order[: config["held_out"]]].clone()


def main() -> None:
    torch.set_num_threads(1)
    config, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    training, held_out = texts()
    model, loss = train(config, training)
    torch.save(model.state_dict(), folder / "weights.pt")
    written = sequences(config, held_out)
    torch.save(written, folder / "sequences.pt")
    print(json.dumps({"bytes": len(training), "held_out": len(written), "loss": loss}))


main()
