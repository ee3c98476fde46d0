"""PyTorch's side of ``step_time.py``: the same front-end, network and training step, in plain PyTorch.

Without masks, which full-length clips do not need. It begins with EmoJAX's parameters and refuses to be
timed unless it gives EmoJAX's logits.
"""

from __future__ import annotations

import math

import worker

if worker.settings()["tuned"]:
    from emojax.cpu import use_fast_allocator

    use_fast_allocator()  # before torch

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

SMOOTHING = 0.3  # of the attention
TOLERANCE = 1e-4  # of the logits, in parts of the largest


class AdaptedConv(nn.Module):
    """A 3×3 convolution with a 1×1 adapter beside it."""

    def __init__(self, channels: int, features: int, stride: int, fold: bool):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(features, channels, 3, 3))
        self.adapter = nn.Parameter(torch.empty(features, channels, 1, 1))
        self.stride, self.fold = stride, fold

    def forward(self, x):
        """[B, C, F, M] → [B, features, ⌈F/stride⌉, ⌈M/stride⌉]."""
        if self.fold:
            return F.conv2d(x, self.kernel + F.pad(self.adapter, (1, 1, 1, 1)), None, self.stride, 1)
        return F.conv2d(x, self.kernel, None, self.stride, 1) + F.conv2d(x, self.adapter, None, self.stride)


class Block(nn.Module):
    """Two adapted convolutions and a shortcut."""

    def __init__(self, channels: int, features: int, stride: int, fold: bool):
        super().__init__()
        self.conv0, self.norm0 = AdaptedConv(channels, features, stride, fold), nn.BatchNorm2d(features)
        self.conv1, self.norm1 = AdaptedConv(features, features, 1, fold), nn.BatchNorm2d(features)
        self.more_channels, self.stride = features - channels, stride

    def forward(self, x):
        """[B, C, F, M] → [B, features, ⌈F/stride⌉, ⌈M/stride⌉]."""
        y = self.norm1(self.conv1(F.relu(self.norm0(self.conv0(x)))))
        if self.stride == 2:
            x = F.avg_pool2d(x, 2, ceil_mode=True, divisor_override=4)
            x = F.pad(x, (0, 0, 0, 0, 0, self.more_channels))
        return F.relu(y + x)


class Twin(nn.Module):
    """The residual network with adapters, from waveforms to logits."""

    def __init__(self, mel_filters: np.ndarray, classes: int, fold: bool):
        super().__init__()
        self.register_buffer("mel_filters", torch.from_numpy(mel_filters), persistent=False)
        self.register_buffer("window", torch.hann_window(512), persistent=False)
        self.conv, self.norm = AdaptedConv(1, 32, 1, fold), nn.BatchNorm2d(32)
        self.blocks = []
        for stack, features in enumerate((64, 128, 256)):
            for block in range(2):
                inputs, stride = (features // 2, 2) if block == 0 else (features, 1)
                self.blocks.append(f"stack{stack}_block{block}")
                self.add_module(self.blocks[-1], Block(inputs, features, stride, fold))
        self.norm_last = nn.BatchNorm2d(256)
        self.attention = nn.ModuleDict({"hidden": nn.Linear(256, 256), "u": nn.Linear(256, 1, bias=False)})
        self.head_hidden, self.head_norm = nn.Linear(256, 128), nn.BatchNorm1d(128)
        self.head_logits = nn.Linear(128, classes)

    def front_end(self, audio):
        """Standardised log-mel spectrograms, [B, samples] → [B, F, M]."""
        spectrum = torch.stft(audio, 512, 256, window=self.window, pad_mode="constant", return_complex=True)
        power = spectrum.real**2 + spectrum.imag**2
        mel = torch.log(torch.clamp(power.transpose(1, 2) @ self.mel_filters, min=1e-10))
        mel = torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8 * math.log(10))
        variance, mean = torch.var_mean(mel, (1, 2), correction=0, keepdim=True)
        return (mel - mean) * torch.rsqrt(variance + 1e-5)

    def forward(self, audio):
        """[B, samples] → logits [B, K]."""
        x = self.front_end(audio)[:, None].contiguous(memory_format=torch.channels_last)
        x = self.norm(self.conv(x))
        for name in self.blocks:
            x = self.get_submodule(name)(x)
        x = F.relu(self.norm_last(x)).flatten(2).transpose(1, 2)
        energy = self.attention["u"](torch.tanh(self.attention["hidden"](x)))
        x = (torch.softmax(SMOOTHING * energy, 1) * x).sum(1)
        x = F.relu(self.head_norm(self.head_hidden(x)))
        return self.head_logits(F.dropout(x, 0.5, self.training))


def torch_name_and_value(name: str, value: np.ndarray) -> tuple[str, torch.Tensor]:
    """PyTorch's name and layout of one of EmoJAX's parameters."""
    module, leaf = name.rsplit(".", 1)
    if module.startswith("stack"):
        module = ".".join(module.rsplit("_", 1))
    if value.ndim == 4:
        value = value.transpose(3, 2, 0, 1)
    elif value.ndim == 2:
        value = value.T
    if leaf == "adapter":
        value = value[:, :, None, None]
    elif leaf == "scale" or value.ndim == 2:
        leaf = "weight"
    return f"{module}.{leaf}", torch.from_numpy(np.ascontiguousarray(value))


def make_twin(exported, fold: bool) -> Twin:
    """The twin with EmoJAX's parameters, every one of them used; it gives EmoJAX's logits."""
    twin = Twin(exported["mel_filters"], exported["logits"].shape[1], fold)
    names = [name for name in exported.files if name.startswith("params/")]
    ours = dict(torch_name_and_value(name.removeprefix("params/"), exported[name]) for name in names)
    assert set(ours) == {name for name, _ in twin.named_parameters()}
    twin.load_state_dict(ours, strict=False)
    twin = twin.to(memory_format=torch.channels_last).eval()
    with torch.inference_mode():
        logits = twin(torch.from_numpy(exported["audio"])).numpy()
    difference = np.abs(logits - exported["logits"]).max() / np.abs(exported["logits"]).max()
    if not difference < TOLERANCE:
        raise SystemExit(f"the twin's logits differ from EmoJAX's by {difference:.0%}: not the same network")
    return twin


def make_training_step(twin: Twin, exported):
    """SGD with momentum and L2 on the kernels, on the class-weighted loss."""
    kernels = [p for p in twin.parameters() if p.ndim > 1]
    others = [p for p in twin.parameters() if p.ndim == 1]
    groups = [{"params": kernels, "weight_decay": 2e-6}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    audio, label = torch.from_numpy(exported["audio"]), torch.from_numpy(exported["label"]).long()
    weight = torch.from_numpy(exported["class_weight"])
    twin.train()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(twin(audio), label, weight, reduction="none").mean()
        loss.backward()
        optimizer.step()

    return step


def make_inference(twin: Twin, exported):
    """A forward pass on stored statistics."""
    audio = torch.from_numpy(exported["audio"])
    return torch.inference_mode()(lambda: twin(audio))


def main() -> None:
    """Serve training steps or forward passes."""
    settings = worker.settings()
    exported = np.load(settings["exported"])
    make = make_training_step if settings["job"] == "training" else make_inference
    step = make(make_twin(exported, fold=settings["tuned"]), exported)
    worker.serve(
        step,
        lambda: {
            "peak_memory_mib": worker.peak_memory_mib(),
            "device": "cpu",
            "version": f"torch {torch.__version__}",
        },
    )


if __name__ == "__main__":
    main()
