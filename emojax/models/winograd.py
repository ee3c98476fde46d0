"""3×3 convolutions with a quarter of the multiplications (Lavin & Gray 2015, arXiv:1509.09308).

F(4×4, 3×3): a tile of 4×4 outputs needs 6×6 inputs. Tile and kernel are transformed to the values
of polynomials at 6×6 points. A tile then needs 36 instead of 144 multiplications for each pair of
channels, and these are 36 matrix products over the channels.

The points along an axis are 0, ±1/2, ±3/2 and infinity: exact in binary, with a third of the
rounding errors of the usual 0, ±1, ±2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

TILE = 4  # outputs along an axis
POINTS = (0.0, 0.5, -0.5, 1.5, -1.5)  # and infinity

# Bytes of images in a chunk: small enough that intermediate results stay in the CPU's cache.
CHUNK_BYTES = 5 * 2**20


def _powers(count: int) -> np.ndarray:
    """Evaluate each power at each point, [6, count]; at infinity only the highest power counts."""
    return np.array(
        [[point**i for i in range(count)] for point in POINTS] + [[0.0] * (count - 1) + [1.0]]
    )


# Along an axis, six inputs x and three taps w give four outputs
# y = OUTPUTᵀ((KERNEL w) · (INPUT x)), the transpose of a product of polynomials by their values.
OUTPUT, KERNEL, INPUT = _powers(TILE), _powers(3), np.linalg.inv(_powers(TILE + 2)).T.round(15)
KERNEL_2D = np.kron(KERNEL, KERNEL)  # [36, 9]


def chunk_count(x: jax.Array) -> int:
    """Choose the number of equal chunks for the images of a batch [B, H, W, C].

    >>> chunk_count(jnp.zeros((64, 79, 32, 64)))
    8
    """
    images = max(1, CHUNK_BYTES // (x.nbytes // len(x)))
    return next(
        count for count in range(1, len(x) + 1) if len(x) % count == 0 and len(x) // count <= images
    )


def conv(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve with stride 1 and one pixel of zero padding on every side.

    Args:
      x: float32 or float64 [B, H, W, C].
      kernel: [3, 3, C, O], of the dtype of ``x``.

    Returns:
      [B, H, W, O], of the dtype of ``x``.

    >>> conv(jnp.ones((1, 3, 3, 1)), jnp.ones((3, 3, 1, 1)))[0, :, :, 0].round(4).tolist()
    [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]
    """
    (B, H, W, C), outputs = x.shape, kernel.shape[-1]
    tiles = -(-H // TILE), -(-W // TILE)
    kernel_values = jnp.matmul(KERNEL_2D.astype(x.dtype), kernel.reshape(9, -1)).reshape(
        -1, C, outputs
    )

    def convolve(images):
        products = jnp.einsum("pnc,pco->pno", _values(INPUT, images), kernel_values)
        return _outputs(products.reshape(6, 6, -1, *tiles, outputs))

    y = jax.lax.map(convolve, _chunked(x, chunk_count(x), border=1))
    return y.reshape(B, *y.shape[2:])[:, :H, :W]


def kernel_gradient(x: jax.Array, dy: jax.Array) -> jax.Array:
    """Compute the gradient of a loss with respect to the kernel of :func:`conv`.

    Args:
      x: float32 or float64 [B, H, W, C].
      dy: [B, H, W, O], gradient of the loss with respect to the outputs.

    Returns:
      [3, 3, C, O], of the dtype of ``x``.

    >>> ones = jnp.ones((1, 3, 3, 1))
    >>> kernel_gradient(ones, ones)[:, :, 0, 0].round(4).tolist()
    [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]
    """
    C, outputs = x.shape[-1], dy.shape[-1]

    def accumulate(total, images):
        x, dy = images
        return total + jnp.einsum("pnc,pno->pco", _values(INPUT, x), _values(OUTPUT, dy)), None

    total = jnp.zeros((len(KERNEL_2D), C, outputs), x.dtype)
    images = _chunked(x, chunk_count(x), border=1), _chunked(dy, chunk_count(x), border=0)
    total, _ = jax.lax.scan(accumulate, total, images)
    return jnp.matmul(KERNEL_2D.T.astype(x.dtype), total.reshape(len(total), -1)).reshape(
        3, 3, C, outputs
    )


def _chunked(x: jax.Array, chunks: int, border: int) -> jax.Array:
    """Pad with zeros to whole tiles and split into chunks: [chunks, B / chunks, ..., C]."""
    B, H, W, _ = x.shape
    x = jnp.pad(x, ((0, 0), (border, border + -H % TILE), (border, border + -W % TILE), (0, 0)))
    return x.reshape(chunks, B // chunks, *x.shape[1:])


def _combine(matrix: np.ndarray, parts: Sequence[jax.Array], axis: int) -> jax.Array:
    """Multiply a matrix by a vector of arrays; the new axis has the rows of the matrix."""

    def total(row: Iterable[float]) -> jax.Array:
        terms = [float(factor) * part for factor, part in zip(row, parts, strict=True) if factor]
        return sum(terms[1:], start=terms[0])

    return jnp.stack([total(row) for row in matrix], axis)


def _values(matrix: np.ndarray, x: jax.Array) -> jax.Array:
    """Transform tiles by a matrix [6, pixels] along both axes: [B, H, W, C] → [36, tiles, C]."""
    _, H, W, C = x.shape
    pixels = matrix.shape[1]
    last_row, last_column = H - pixels + 1, W - pixels + 1  # start of the last tile
    rows = _combine(matrix, [x[:, i : i + last_row : TILE] for i in range(pixels)], 0)
    values = _combine(matrix, [rows[..., j : j + last_column : TILE, :] for j in range(pixels)], 1)
    return values.reshape(len(matrix) ** 2, -1, C)


def _outputs(values: jax.Array) -> jax.Array:
    """Transform values back to outputs: [6, 6, B, H / 4, W / 4, O] → [B, H, W, O]."""
    _, _, B, rows, columns, outputs = values.shape
    y = _combine(OUTPUT.T, [values[:, j] for j in range(len(OUTPUT))], -2)
    y = _combine(OUTPUT.T, [y[i] for i in range(len(OUTPUT))], 2)
    return y.reshape(B, rows * TILE, columns * TILE, outputs)
