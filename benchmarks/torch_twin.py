"""PyTorch twin: the same front-end, network and training step, in plain PyTorch.

It has no masks, which full-length clips do not need. It starts with EmoJAX's parameters, and stops
unless it gives EmoJAX's logits.
"""

from __future__ import annotations

import math

import worker

from emojax.cpu import use_fast_allocator

use_fast_allocator()  # before torch is imported

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

SMOOTHING = 0.3  # of the attention
NORM = {"scale": "weight", "mean": "running_mean", "variance": "running_var"}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class AdaptedConv(nn.Module):
    """3×3 convolution with a parallel 1×1 adapter."""

    def __init__(self, channels: int, features: int, stride: int, fold: bool):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(features, channels, 3, 3))
        self.adapter = nn.Parameter(torch.empty(features, channels, 1, 1))
        self.stride, self.fold = stride, fold

    def forward(self, x):
        """Map [B, C, F, M] → [B, features, ⌈F/stride⌉, ⌈M/stride⌉]."""
        if self.fold:
            return F.conv2d(
                x, self.kernel + F.pad(self.adapter, (1, 1, 1, 1)), None, self.stride, 1
            )
        return F.conv2d(x, self.kernel, None, self.stride, 1) + F.conv2d(
            x, self.adapter, None, self.stride
        )


class Block(nn.Module):
    """Two adapted convolutions and a shortcut."""

    def __init__(self, channels: int, features: int, stride: int, fold: bool):
        super().__init__()
        self.conv0, self.norm0 = (
            AdaptedConv(channels, features, stride, fold),
            nn.BatchNorm2d(features),
        )
        self.conv1, self.norm1 = AdaptedConv(features, features, 1, fold), nn.BatchNorm2d(features)
        self.more_channels, self.stride = features - channels, stride

    def forward(self, x):
        """Map [B, C, F, M] → [B, features, ⌈F/stride⌉, ⌈M/stride⌉]."""
        y = self.norm1(self.conv1(F.relu(self.norm0(self.conv0(x)))))
        if self.stride == 2:
            x = F.avg_pool2d(x, 2, ceil_mode=True, divisor_override=4)
            x = F.pad(x, (0, 0, 0, 0, 0, self.more_channels))
        return F.relu(y + x)


class Twin(nn.Module):
    """Residual network with adapters, from waveforms to logits."""

    def __init__(self, mel_filters: np.ndarray, width: int, classes: int, fold: bool):
        super().__init__()
        self.register_buffer("mel_filters", torch.from_numpy(mel_filters), persistent=False)
        self.register_buffer("window", torch.hann_window(512), persistent=False)
        self.conv, self.norm = AdaptedConv(1, width, 1, fold), nn.BatchNorm2d(width)
        self.blocks = []
        for stack, features in enumerate((2 * width, 4 * width, 8 * width)):
            for block in range(2):
                inputs, stride = (features // 2, 2) if block == 0 else (features, 1)
                self.blocks.append(f"stack{stack}_block{block}")
                self.add_module(self.blocks[-1], Block(inputs, features, stride, fold))
        self.norm_last = nn.BatchNorm2d(8 * width)
        self.attention = nn.ModuleDict(
            {"hidden": nn.Linear(8 * width, 256), "u": nn.Linear(256, 1, bias=False)}
        )
        self.head_hidden, self.head_norm = nn.Linear(8 * width, 128), nn.BatchNorm1d(128)
        self.head_logits = nn.Linear(128, classes)

    def front_end(self, audio):
        """Compute standardised log-mel spectrograms, [B, samples] → [B, F, M]."""
        spectrum = torch.stft(
            audio, 512, 256, window=self.window, pad_mode="constant", return_complex=True
        )
        power = spectrum.real**2 + spectrum.imag**2
        mel = torch.log(torch.clamp(power.transpose(1, 2) @ self.mel_filters, min=1e-10))
        mel = torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8 * math.log(10))
        variance, mean = torch.var_mean(mel, (1, 2), correction=0, keepdim=True)
        return (mel - mean) * torch.rsqrt(variance + 1e-5)

    def forward(self, mel):
        """Map standardised log-mel spectrograms [B, F, M] to logits [B, K]."""
        x = mel[:, None].contiguous(memory_format=torch.channels_last)
        x = self.norm(self.conv(x))
        for name in self.blocks:
            x = self.get_submodule(name)(x)
        x = F.relu(self.norm_last(x)).flatten(2).transpose(1, 2)
        energy = self.attention["u"](torch.tanh(self.attention["hidden"](x)))
        x = (torch.softmax(SMOOTHING * energy, 1) * x).sum(1)
        x = F.relu(self.head_norm(self.head_hidden(x)))
        return self.head_logits(F.dropout(x, 0.5, self.training))


def torch_name_and_value(name: str, value: np.ndarray) -> tuple[str, torch.Tensor]:
    """Convert name and layout of one of EmoJAX's parameters to PyTorch."""
    module, leaf = name.rsplit(".", 1)
    if module.startswith("stack"):
        module = ".".join(module.rsplit("_", 1))
    if value.ndim == 4:
        value = value.transpose(3, 2, 0, 1)
    elif value.ndim == 2:
        value = value.T
    if leaf == "adapter":
        value = value[:, :, None, None]
    elif value.ndim == 2:
        leaf = "weight"
    leaf = NORM.get(leaf, leaf)
    return f"{module}.{leaf}", torch.from_numpy(np.ascontiguousarray(value))


def make_twin(exported, fold: bool) -> Twin:
    """Make the twin with all of EmoJAX's parameters and statistics, and check its logits."""
    width = exported["params/conv.kernel"].shape[-1]
    twin = Twin(exported["mel_filters"], width, exported["logits"].shape[1], fold)
    names = [name for name in exported.files if "/" in name]
    ours = dict(torch_name_and_value(name.partition("/")[2], exported[name]) for name in names)
    left, unknown = twin.load_state_dict(ours, strict=False)
    assert not unknown
    assert not set(left) & {name for name, _ in twin.named_parameters()}
    twin = twin.to(memory_format=torch.channels_last).eval()
    with torch.inference_mode():
        logits = twin(twin.front_end(torch.from_numpy(exported["audio"]))).numpy()
    worker.check_logits(logits, exported["logits"])
    return twin.to(DEVICE)


def make_training_step(twin: Twin, network, exported, tuned: bool):
    """Make a step of SGD with momentum and L2 on the kernels, on the class-weighted loss."""
    kernels = [p for p in twin.parameters() if p.ndim > 1]
    others = [p for p in twin.parameters() if p.ndim == 1]
    groups = [{"params": kernels, "weight_decay": 2e-6}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, fused=tuned or None)
    audio, label = to_device(exported["audio"]), to_device(exported["label"]).long()
    weight = to_device(exported["class_weight"])
    twin.train()

    def step():
        optimizer.zero_grad(set_to_none=True)
        mel = twin.front_end(audio)
        with precision(tuned):
            logits = network(mel).float()
        loss = F.cross_entropy(logits, label, weight, reduction="none").mean()
        loss.backward()
        optimizer.step()

    return step


def make_inference(twin: Twin, network, exported, tuned: bool):
    """Make a forward pass with stored statistics."""
    audio = to_device(exported["audio"])

    def forward():
        with torch.inference_mode(), precision(tuned):
            return network(twin.front_end(audio))

    return forward


def make_front_end(twin: Twin, network, exported, tuned: bool):
    """Make the front-end: waveforms to standardised log-mel spectrograms."""
    audio = to_device(exported["audio"])
    return torch.inference_mode()(lambda: twin.front_end(audio))


MAKERS = {"training": make_training_step, "inference": make_inference, "front_end": make_front_end}


def to_device(array: np.ndarray) -> torch.Tensor:
    """Copy an array to the network's device."""
    return torch.from_numpy(array).to(DEVICE)


def precision(tuned: bool):
    """Return the precision context: bf16 on the devices where EmoJAX uses it."""
    return torch.autocast(DEVICE, torch.bfloat16, enabled=tuned and DEVICE == "cuda")


def facts() -> dict:
    """Return the device, versions and memory of the run."""
    on_device = torch.cuda.max_memory_allocated() / 2**20 if DEVICE == "cuda" else None
    return {
        "peak_memory_mib": on_device or worker.peak_memory_mib(),
        "device": torch.cuda.get_device_name() if DEVICE == "cuda" else DEVICE,
        "version": f"torch {torch.__version__}",
    }


def main() -> None:
    """Serve training steps, forward passes or the front-end."""
    settings = worker.settings()
    tuned = settings["twin"] != "installed"
    torch.backends.cudnn.benchmark = tuned
    exported = np.load(settings["exported"])
    twin = make_twin(exported, fold=tuned)
    # Use CUDA graphs, since a step has many small kernels.
    mode = "reduce-overhead" if DEVICE == "cuda" else None
    network = torch.compile(twin, mode=mode) if settings["twin"] == "compiled" else twin
    step = MAKERS[settings["job"]](twin, network, exported, tuned)
    steps = settings["corpora"] if DEVICE == "cuda" else 1  # queued calls, as for EmoJAX

    def turn() -> int:
        for _ in range(steps):
            step()
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        return steps

    worker.serve(turn, facts)


if __name__ == "__main__":
    main()
