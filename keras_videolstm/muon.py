"""Muon for stacks of LSTMs."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_videolstm.fused_adam import FusedAdam

_GATES = 4
# Of the quintic iteration, as published; five steps bring all singular values close to 1.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
# Gives an update the size that Adam's has (Liu et al., 2025), so that the same rates do.
_UPDATE_SIZE = 0.2
_LEAST = 1e-12


@keras.saving.register_keras_serializable(package="keras_videolstm")
class Muon(FusedAdam):
    """Muon (Jordan et al., 2024): an LSTM's kernels learn by orthogonalised momentum.

    Each gate's kernel is a matrix of its own, that of a convolution flattened to
    `(side² · channels, filters)`. Its update has all its singular values alike, so that rare
    directions are learned as fast as common ones:

        m ← μ m + (1 - μ) g
        W ← W - rate · 0.2 · √max(rows, columns) · orthogonal(μ m + (1 - μ) g)

    All else goes by `FusedAdam`: biases, peepholes, what writes frames, and the kernel of each
    stack's lowest layer, which reads them.

    Args:
        learning_rate: of both; default 1e-3.
        momentum: μ; default 0.95.
        product_dtype: dtype of the iteration's products; default `"float32"`. bfloat16 does as
            well, where the machine is fast at it.
        kwargs: as `FusedAdam` takes.

    Example:
        >>> model.compile(Muon(2e-3, global_clipnorm=1.0), loss)
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        momentum: float = 0.95,
        product_dtype: str = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum
        self.product_dtype = product_dtype
        self._orthogonal: set[int] = set()

    def build(self, variables: list[Any]) -> None:
        """Make the state; tell the kernels of LSTMs from all else."""
        super().build(variables)
        kernels = _lstm_kernels([variable.path for variable in variables])
        self._orthogonal = {n for n, variable in enumerate(variables) if variable.path in kernels}

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update a variable and its moments; `gradient` has the variable's shape."""
        index = self._get_variable_index(variable)
        if index not in self._orthogonal:
            super().update_step(gradient, variable, learning_rate)
            return
        average = self._momentums[index]
        self.assign_add(average, (1 - self.momentum) * (gradient - average))
        ahead = self.momentum * average + (1 - self.momentum) * gradient
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, rate * self._orthogonalised(ahead))

    def _orthogonalised(self, kernel: Any) -> Any:
        shape = kernel.shape
        rows, columns = int(np.prod(shape[:-1])), shape[-1] // _GATES
        gates = ops.transpose(ops.reshape(kernel, (rows, _GATES, columns)), (1, 0, 2))
        wide = ops.swapaxes(gates, -1, -2) if rows > columns else gates
        norm = ops.sqrt(ops.sum(ops.square(wide), axis=(-2, -1), keepdims=True))
        wide = ops.cast(wide / (norm + _LEAST), self.product_dtype)
        wide = ops.cast(_orthogonal(wide), kernel.dtype)
        gates = ops.swapaxes(wide, -1, -2) if rows > columns else wide
        update = ops.reshape(ops.transpose(gates, (1, 0, 2)), shape)
        return _UPDATE_SIZE * max(rows, columns) ** 0.5 * update

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "product_dtype": self.product_dtype,
        }


def _orthogonal(matrices: Any) -> Any:
    """Bring the singular values of `(n, rows, columns)`, of norm 1, near 1 (Newton and Schulz)."""
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        gram = ops.matmul(matrices, ops.swapaxes(matrices, -1, -2))
        polynomial = b * gram + c * ops.matmul(gram, gram)
        matrices = a * matrices + ops.matmul(polynomial, matrices)
    return matrices


def _lstm_kernels(paths: list[str]) -> set[str]:
    """Return the paths of recurrent kernels, and of input kernels above a stack's lowest layer."""
    cells = [path.rpartition("/")[0] for path in paths if path.endswith("/recurrent_kernel")]
    stacks: dict[str, str] = {}
    for cell in cells:
        stacks.setdefault(cell.rpartition("/")[0], cell)
    upper = set(cells) - set(stacks.values())
    return {f"{cell}/recurrent_kernel" for cell in cells} | {f"{cell}/kernel" for cell in upper}
