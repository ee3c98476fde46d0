"""Worker that answers clips by EmoJAX's ONNX export in onnxruntime."""

from __future__ import annotations

import numpy as np
import onnxruntime
import worker
from clips import serve_batches


def main() -> None:
    """Serve answers."""
    settings = worker.settings()
    session = onnxruntime.InferenceSession(f"{settings['folder']}/onnx/model.onnx")

    def answer(audio: np.ndarray) -> object:
        length = np.full(len(audio), audio.shape[1], np.int64)
        return session.run(None, {"audio": audio, "length": length})

    version = f"onnxruntime {onnxruntime.__version__}"
    serve_batches(
        settings["clips"],
        answer,
        lambda: {
            "peak_memory_mib": worker.peak_memory_mib(),
            "device": session.get_providers()[0],
            "version": version,
        },
    )


if __name__ == "__main__":
    main()
