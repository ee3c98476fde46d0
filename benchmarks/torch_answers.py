"""Worker that answers clips by the PyTorch twin of EmoJAX's network."""

from __future__ import annotations

import numpy as np
import torch
import worker
from clips import serve_batches
from torch_twin import facts, make_twin, precision, to_device


def main() -> None:
    """Serve answers."""
    settings = worker.settings()
    tuned = settings["twin"] != "installed"
    torch.backends.cudnn.benchmark = tuned
    twin = make_twin(np.load(f"{settings['folder']}/exported.npz"), fold=tuned)

    def answer(audio: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), precision(tuned):
            logits = twin(twin.front_end(to_device(audio)))
        return torch.softmax(logits.float(), 1).cpu().numpy()

    serve_batches(settings["clips"], answer, facts)


if __name__ == "__main__":
    main()
