"""What is found in source, and that every edit applies: small files in the shapes that public training code has."""

import ast
from pathlib import Path

import pytest
from lesion.agent.components import Component
from lesion.agent.reading.source.find import MOST, Covered, source_components
from lesion.executor.interventions import SourceEdit
from lesion.executor.overlay import edited

RESNET = """
import torch.nn as nn
import torch.nn.functional as F


class BasicBlock(nn.Module):
    def __init__(self, planes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(planes, planes, 3), nn.Conv2d(planes, planes, 3)
        self.bn1 = nn.BatchNorm2d(planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        out = F.relu(out)
        return out


class OldBlock(nn.Module):
    def forward(self, x):
        identity = x
        out = self.conv(x)
        if self.downsample is not None:
            identity = self.downsample(x)
        return self.relu(out + identity)
"""
GPT = """
import torch
from torch import nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width)
        self.mlp = MLP(width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        x += self.mlp(x)
        return x


class GPT(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.wpe = nn.Embedding(64, width)
        self.lm_head = nn.Linear(width, 64, bias=False)
        self.wte = nn.Embedding(64, width)
        self.wte.weight = self.lm_head.weight

    def forward(self, idx, pos):
        tok_emb = self.wte(idx)
        pos_emb = self.wpe(pos)
        x = F.dropout(tok_emb + pos_emb, 0.1, self.training)
        return self.lm_head(x)


class Sinusoidal(nn.Module):
    def forward(self, x):
        x = x + self.pe[: x.size(0)]
        return torch.tanh(x)
"""
VAE = """
import torch
from torch.nn import functional as F


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x, reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


def beta_loss(recon, x, kld, tc, beta=4.0):
    return F.mse_loss(recon, x) + beta * kld - 0.1 * tc
"""
GAN = """
import torch

for real in batches:
    d_real, d_fake = D(real).mean(), D(G(z).detach()).mean()
    d_loss = (loss_real + loss_fake) / 2
    d_loss.backward()
    errG = criterion(D(G(z)), label)
    errG += lambda_id * identity_loss(G, real)
    if use_gp:
        total = d_fake - d_real + lambda_gp * gradient_penalty(D, real)
        total.backward()
    errG.backward()
    running_loss += errG.item()
    epoch_loss += d_loss.item() + errG.item()
"""
AUGMENTED = """
import torchvision.transforms as T
from torchvision import datasets

train_transform = T.Compose([
    T.RandomCrop(32, padding=4),  # from the paper
    T.RandomHorizontalFlip(),
    T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4)], p=0.8),
    T.RandomResizedCrop(32),
    T.ToTensor(),
    T.Normalize((0.5,), (0.2,)),
])
test_transform = T.Compose([T.Resize(36), T.CenterCrop(32), T.ToTensor(), T.Normalize((0.5,), (0.2,))])
data = datasets.CIFAR10("x", train=True, transform=T.Compose([T.RandomRotation(5)]))
held = datasets.CIFAR10("x", train=False, transform=T.Compose([T.RandomVerticalFlip()]))
steps = [T.ToTensor()]
steps.append(T.RandomErasing())
names = ["RandomCrop", "Normalize"]
"""
ALBUMENTATIONS = """
import albumentations as A
from albumentations.pytorch import ToTensorV2


def get_transforms(*, data):
    if data == "train":
        return A.Compose([A.Resize(224, 224), A.HorizontalFlip(p=0.5), A.OneOf([A.Blur(), A.MotionBlur()]), A.Normalize(), ToTensorV2()])
    return A.Compose([A.Resize(224, 224), A.Normalize(), ToTensorV2()])


TRANSFORMS = {
    "train": A.Compose([A.CLAHE()]),
    "val": A.Compose([A.GaussNoise()]),
}
"""
TRAINER = """
import torch
from torch.cuda.amp import GradScaler, autocast


def train_one_epoch(model, loader, optimizer, lr_scheduler, model_ema, args):
    scaler = GradScaler()
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    for x, y in loader:
        with autocast():
            loss = criterion(model(x), y)
            loss = loss + args.reg_weight * model.penalty()
        scaler.scale(loss).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        model_ema.update(model)
    lr_scheduler.step()


def get_lr(it):
    if it < warmup_iters:
        return 6e-4 * it / warmup_iters
    return 6e-4


def configure(model):
    groups = [{"params": model.a, "weight_decay": 0.1}, {"params": model.b, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.05)


def ramp(epoch):
    return min(1.0, (epoch + 1) / warmup_epochs)


def set_lr(optimizer, lr):
    for group in optimizer.param_groups:
        group["lr"] = lr


def evaluate(model, loader):
    val_loss = 0.0
    for x, y in loader:
        val_loss = criterion(model(x), y) + 0.1 * model.penalty()
    return val_loss
"""
LIGHTNING = """
import lightning as L
import torch


class Model(L.LightningModule):
    def training_step(self, batch, index):
        recon, kl = self.losses(batch)
        loss = recon + self.hparams.kl_weight * kl
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, index):
        recon, kl = self.losses(batch)
        loss = recon + self.hparams.kl_weight * kl
        self.log("val_loss", loss)


trainer = L.Trainer(gradient_clip_val=0.5)
"""
FOUND = {
    "RESNET": (
        RESNET,
        "activation-bn1 activation-bn2 norm-bn1 norm-bn2 residual-basicblock residual-oldblock",
    ),
    "GPT": (
        GPT,
        "activation-sinusoidal dropout norm-ln-1 positional-encoding positional-encoding-sinusoidal residual-block-attn "
        "residual-block-mlp weight-tying",
    ),
    "VAE": (VAE, "loss-kld loss-kld-beta-loss loss-tc"),
    "GAN": (GAN, "loss-real loss-fake loss-d-real loss-d-fake loss-identity loss-gradient-penalty"),
    "AUGMENTED": (
        AUGMENTED,
        "augment-randomcrop augment-randomhorizontalflip augment-colorjitter augment-randomresizedcrop "
        "augment-randomrotation augment-randomerasing preprocess-normalize",
    ),
    "ALBUMENTATIONS": (
        ALBUMENTATIONS,
        "augment-horizontalflip augment-blur-motionblur augment-clahe preprocess-normalize",
    ),
    "TRAINER": (
        TRAINER,
        "gradient-clipping label-smoothing loss-penalty mixed-precision schedule warmup weight-averaging weight-decay",
    ),
    "LIGHTNING": (LIGHTNING, "gradient-clipping loss-kl"),
}
NEVER = {"edit:mixed-precision", "edit:weight-averaging", "edit:augment-randomresizedcrop"}


def found(folder: Path, text: str, name: str = "train.py", covered: Covered | None = None) -> dict[str, Component]:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return {one.id: one for one in source_components(folder, [name], covered)}


def removed(folder: Path, one: Component) -> str:
    """The text of the one file without a component."""
    (edit,) = one.interventions
    assert isinstance(edit, SourceEdit)
    (text,) = edited(folder, [edit]).values()
    return text


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found_and_nothing_else(tmp_path, name):
    text, expected = FOUND[name]
    assert sorted(found(tmp_path, text)) == sorted(f"edit:{one}" for one in expected.split())


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", FOUND)
def test_every_edit_applies_once_parses_and_changes_the_code(tmp_path, name, newline):
    text = FOUND[name][0].replace("\n", newline)
    (tmp_path / "train.py").write_bytes(text.encode())
    for one in source_components(tmp_path, ["train.py"]):
        assert bool(one.interventions) is (one.id not in NEVER), one.id
        for edit in one.interventions:
            assert isinstance(edit, SourceEdit)
            assert all(text.replace("\r\n", "\n").count(block.search) == 1 for block in edit.blocks)
            (after,) = edited(tmp_path, [edit]).values()
            assert ast.dump(ast.parse(after)) != ast.dump(ast.parse(text)), one.id


@pytest.mark.parametrize("name", FOUND)
def test_ids_and_edits_stay_when_lines_above_move_and_places_follow(tmp_path, name):
    before = found(tmp_path, FOUND[name][0])
    after = found(tmp_path, "import os\n\n\ndef unrelated():\n    return os.name\n" + FOUND[name][0])
    assert list(before) == list(after)
    for one in before:
        lines = [[int(part.rpartition(":")[2]) for part in each[one].where.split(", ")] for each in (before, after)]
        assert lines[1] == [line + 5 for line in lines[0]]
        assert before[one].interventions == after[one].interventions


@pytest.mark.parametrize(
    ("name", "component", "gone", "stays"),
    [
        ("RESNET", "residual-basicblock", "out += self.shortcut(x)", "out = F.relu(out)"),
        ("RESNET", "residual-oldblock", "out + identity", "return self.relu(out)"),
        ("RESNET", "activation-bn2", "F.relu(out)", "out = out"),
        ("RESNET", "norm-bn1", "self.bn1(self.conv1(x))", "F.relu(self.conv1(x))"),
        ("GPT", "residual-block-attn", "x + self.attn", "x = self.attn(self.ln_1(x))"),
        ("GPT", "residual-block-mlp", "x += self.mlp(x)", "x = self.mlp(x)"),
        ("GPT", "positional-encoding", "+ pos_emb", "F.dropout(tok_emb, 0.1, self.training)"),
        ("GPT", "positional-encoding-sinusoidal", "+ self.pe", "x = x\n"),
        ("GPT", "dropout", "F.dropout(", "x = (tok_emb + pos_emb)"),
        ("GPT", "weight-tying", "self.wte.weight = self.lm_head.weight", "        pass\n"),
        ("VAE", "loss-kld", "BCE + KLD", "return BCE\n"),
        ("VAE", "loss-tc", "- 0.1 * tc", "F.mse_loss(recon, x) + beta * kld\n"),
        ("GAN", "loss-real", "loss_real +", "d_loss = (loss_fake) / 2"),
        ("GAN", "loss-fake", "+ loss_fake", "d_loss = (loss_real) / 2"),
        ("GAN", "loss-d-fake", "d_fake - d_real", "total = -d_real + lambda_gp"),
        ("GAN", "loss-identity", "identity_loss", "    pass\n"),
        ("GAN", "loss-gradient-penalty", "gradient_penalty", "total = d_fake - d_real\n"),
        ("AUGMENTED", "augment-randomcrop", "RandomCrop(32", "T.RandomHorizontalFlip(),"),
        ("AUGMENTED", "augment-randomrotation", "RandomRotation", "T.Compose([])"),
        ("AUGMENTED", "augment-randomerasing", "RandomErasing", "pass\nnames"),
        ("AUGMENTED", "preprocess-normalize", "T.Normalize", "T.CenterCrop(32), T.ToTensor(), ])"),
        ("ALBUMENTATIONS", "preprocess-normalize", "A.Normalize", "A.Resize(224, 224), ToTensorV2()"),
        ("TRAINER", "warmup", "it < warmup_iters", "if False:"),
        ("TRAINER", "schedule", "lr_scheduler.step()", "    pass\n"),
        ("TRAINER", "weight-decay", "0.05", '"weight_decay": 0.0}, {'),
        ("TRAINER", "label-smoothing", "label_smoothing=0.1", "label_smoothing=0.0"),
        ("TRAINER", "gradient-clipping", "clip_grad_norm_", "        pass\n        scaler.step(optimizer)"),
        (
            "LIGHTNING",
            "loss-kl",
            'loss = recon + self.hparams.kl_weight * kl\n        self.log("train',
            "loss = recon\n",
        ),
    ],
)
def test_what_an_edit_leaves(tmp_path, name, component, gone, stays):
    text = FOUND[name][0]
    after = removed(tmp_path, found(tmp_path, text)[f"edit:{component}"])
    assert gone in text and gone not in after and stays in after


def test_what_measures_is_left_alone(tmp_path):
    parts = found(tmp_path, TRAINER)
    assert parts["edit:loss-penalty"].where == "train.py:12"
    after = removed(tmp_path, found(tmp_path, LIGHTNING)["edit:loss-kl"])
    assert after.count("self.hparams.kl_weight * kl") == 1 and after.index("kl_weight") > after.index("validation_step")


@pytest.mark.parametrize(
    "text",
    [
        "loss = criterion(model(x), y)\nloss.backward()\n",
        "loss = 0\nfor t in range(9):\n    loss += criterion(model(x[t]), y[t])\nloss.backward()\n",
        "total_loss = 0.0\nfor x in data:\n    total_loss += loss(x).item()\n",
        "loss = 1 - ssim(x, y)\nloss.backward()\n",
        "with torch.no_grad():\n    loss = mse(x, y) + 0.1 * kl(x)\n",
        "class Net(nn.Module):\n    def forward(self, x):\n        return F.relu(self.f(x)\n",
        "def hinge_loss(real, fake):\n    return F.relu(1 - real).mean()\n",
        "class NewGELU(nn.Module):\n    def forward(self, x):\n        return 0.5 * x * (1 + torch.tanh(x))\n",
        "optimizer = SGD(p, weight_decay=0.0, momentum=0.9)\nloss_fn = CrossEntropyLoss(label_smoothing=args.smoothing)\n",
        "names = ['RandomCrop']\nmodel = nn.Sequential(nn.Linear(1, 1), nn.ReLU())\n",
    ],
)
def test_nothing_where_nothing_can_go(tmp_path, text):
    assert not found(tmp_path, text)


def test_tests_and_packaging_are_not_read_but_the_entry_is(tmp_path):
    for name in ("tests/helpers.py", "test_model.py", "setup.py", "copy_test.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(VAE)
    assert not source_components(
        tmp_path, ["missing.py", "tests/helpers.py", "test_model.py", "setup.py", "copy_test.py"]
    )
    assert source_components(tmp_path, ["copy_test.py"])


def test_what_other_components_cover_is_not_listed_again(tmp_path):
    modules = Covered(attributes=frozenset({"bn1", "wpe"}))
    assert "edit:norm-bn1" not in found(tmp_path, RESNET, covered=modules)
    assert "edit:norm-bn2" in found(tmp_path, RESNET, covered=modules)
    assert "edit:positional-encoding" not in {
        one.split("-sin")[0] for one in found(tmp_path, GPT.split("class Sin", maxsplit=1)[0], covered=modules)
    }
    settings = Covered(settings=frozenset({"lambda_gp", "reg_weight", "use_gp"}))
    assert "edit:loss-gradient-penalty" not in found(tmp_path, GAN, covered=settings)
    assert "edit:loss-penalty" not in found(tmp_path, TRAINER, covered=settings)
    things = Covered(things=frozenset({"schedule", "gradient-clipping"}))
    assert {"edit:schedule", "edit:gradient-clipping"}.isdisjoint(found(tmp_path, TRAINER, covered=things))


def test_a_large_project_gives_some_dozens_with_ids_of_their_own(tmp_path):
    block = "class Block{n}(nn.Module):\n    def forward(self, x):\n        return x + self.f{n}(x)\n\n\n"
    text = "from torch import nn\n" + "".join(block.format(n=n) for n in range(2 * MOST)) + VAE
    parts = source_components(_written(tmp_path, text), ["train.py"])
    assert len(parts) == MOST == len({one.id for one in parts})
    assert parts[0].kind == "loss_term"


def test_like_places_are_told_apart(tmp_path):
    text = "from torch.nn import functional as F\n" + "def forward(x):\n    x = F.relu(x)\n    return x\n" * 3
    parts = found(tmp_path, text)
    assert len(parts) == 3
    assert len({removed(tmp_path, one) for one in parts.values()}) == 3


def _written(folder: Path, text: str) -> Path:
    (folder / "train.py").write_text(text)
    return folder


PRENORM = """
from torch import nn


class Block(nn.Module):
    def forward(self, h):
        a = self.norm1(h)
        h = h + self.drop(self.attn(a, a, a)[0])
        h = h + self.drop(self.mlp(self.norm2(h)))
        return h
"""


def test_a_residual_is_named_by_what_works_beside_it_however_that_came_by_its_input(tmp_path):
    (tmp_path / "model.py").write_text(PRENORM)
    found = {one.id: one.where for one in source_components(tmp_path, ["model.py"])}
    assert found == {"edit:residual-block-attn": "model.py:8", "edit:residual-block-mlp": "model.py:9"}
