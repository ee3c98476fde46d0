"""ONNX graph that is built node by node, without any exporter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

# Of 2021, so that browsers and older programs read it too.
OPSET = 17
IR_VERSION = 8


class Signature(NamedTuple):
    """Type of an input or output; an axis of any length has a name instead of its length."""

    dtype: DTypeLike
    shape: tuple[str | int, ...]


class _Node(NamedTuple):
    kind: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any]


class Graph:
    """Graph under construction; a value in it is known by its name.

    >>> graph = Graph()
    >>> graph.add("Mul", graph.add("Sqrt", "x"), 2.0)
    'mul_1'
    """

    def __init__(self) -> None:
        self._nodes: list[_Node] = []
        self._constants: dict[str, np.ndarray] = {}

    def add(
        self, kind: str, *inputs: str | ArrayLike, output: str = "", **attributes: object
    ) -> str:
        """Add a node with one output, and return the output's name.

        Args:
          kind: the operator, as ONNX names it.
          inputs: names of values, or numbers: floats become float32, whole numbers int64.
          output: name of the output; made up if empty.
          attributes: of the operator.
        """
        output = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(_Node(kind, [*map(self._name, inputs)], output, attributes))
        return output

    def to_float(self, value: str) -> str:
        """Add a node that converts a value to float32."""
        return self.add("Cast", value, to=_tensor_type(np.float32))

    def model(self, inputs: Mapping[str, Signature], outputs: Mapping[str, Signature]) -> Any:
        """Return the graph as a checked ``onnx.ModelProto``."""
        from onnx import checker, helper, numpy_helper

        nodes = [
            helper.make_node(node.kind, node.inputs, [node.output], **node.attributes)
            for node in self._nodes
        ]
        constants = [
            numpy_helper.from_array(array, name) for name, array in self._constants.items()
        ]
        graph = helper.make_graph(nodes, "emojax", _infos(inputs), _infos(outputs), constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="emojax",
        )
        checker.check_model(model, full_check=True)
        return model

    def _name(self, value: str | ArrayLike) -> str:
        if isinstance(value, str):
            return value
        array = np.asarray(value)
        dtype = np.float32 if array.dtype.kind == "f" else np.int64
        name = f"constant_{len(self._constants)}"
        self._constants[name] = np.array(array, dtype, order="C")
        return name


def _infos(values: Mapping[str, Signature]) -> list[Any]:
    from onnx import helper

    return [
        helper.make_tensor_value_info(name, _tensor_type(own.dtype), own.shape)
        for name, own in values.items()
    ]


def _tensor_type(dtype: DTypeLike) -> int:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
