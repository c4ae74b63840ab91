"""A frozen graph -> an ONNX file, operation by operation; and ONNX Runtime, which answers from it.

tf2onnx 1.17, through which Keras exports, writes files with TensorFlow operations in them where it
knows no other, as for gelu; here such an operation is named and nothing is written.
"""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.errors import ArtifactError, MissingExtraError
from apple_clf.exporting.graph import INPUT, OUTPUT
from apple_clf.exporting.onnx_operations import TRANSLATIONS, Operation

OPSET = 18
IR_VERSION = 10
"""Of the file format; what runtimes from 2024 on read."""

_N_FOLLOWED = {
    **dict.fromkeys(("StridedSlice", "ZerosLike"), 0),
    **dict.fromkeys(("Conv2D", "DepthwiseConv2dNative", "Max", "Mean", "Pad"), 1),
    **dict.fromkeys(("Reshape", "Sum", "TopKV2", "Transpose"), 1),
}
"""Inputs that are computed, where not all are: the others are known when the file is written."""


def onnx_bytes(graph: Any, *, metadata: Mapping[str, str]) -> bytes:
    """The graph as an ONNX file, the same bytes for the same weights.

    Args:
        graph: from `probabilities_graph`, for any number of images.
        metadata: texts that the file keeps.

    Raises:
        ArtifactError: it has an operation that is not known here.
        MissingExtraError: onnx is not installed.
    """
    onnx = _onnx()
    pixels, answer = graph.inputs[0], graph.outputs[0]
    writer = _Writer(onnx)
    names = {pixels.name: INPUT}
    for op in _needed(graph):
        for tensor, name in zip(op.outputs, _translate(writer, op, names), strict=False):
            names[tensor.name] = name
    writer.nodes.append(onnx.helper.make_node("Identity", [names[answer.name]], [OUTPUT]))
    used = {name for node in writer.nodes for name in node.input}
    floats, bytes_ = onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8
    value = onnx.helper.make_tensor_value_info
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            writer.nodes,
            "apple_clf",
            [value(INPUT, bytes_, ["n", *pixels.shape[1:]])],
            [value(OUTPUT, floats, ["n", *answer.shape[1:]])],
            initializer=[each for each in writer.constants if each.name in used],
        ),
        producer_name="apple-clf",
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def onnx_answers(content: bytes) -> Callable[[UInt8Array], FloatArray]:
    """What ONNX Runtime makes of pixels, from an ONNX file.

    Raises:
        MissingExtraError: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise _missing() from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def answer(pixels: UInt8Array) -> FloatArray:
        probabilities: FloatArray = session.run([OUTPUT], {INPUT: pixels})[0]
        return probabilities

    return answer


def _onnx() -> ModuleType:
    try:
        import onnx
    except ImportError as error:
        raise _missing() from error
    module: ModuleType = onnx
    return module


def _missing() -> MissingExtraError:
    return MissingExtraError(
        "Exporting to ONNX needs onnx and onnxruntime. Install them: pip install 'apple-clf[onnx]'"
    )


class _Writer:
    """Nodes and constants of a file that is being written."""

    def __init__(self, onnx: ModuleType) -> None:
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(
        self, kind: str, inputs: Sequence[str], *, n_outputs: int = 1, **attributes: Any
    ) -> str:
        """The name of a new node's output; of more, the others add their number to it."""
        name = f"{kind}_{len(self.nodes)}"
        outputs = [name, *(f"{name}:{i}" for i in range(1, n_outputs))]
        self.nodes.append(self._onnx.helper.make_node(kind, inputs, outputs, **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        """The name of a constant."""
        name = f"constant_{len(self.constants)}"
        value = np.ascontiguousarray(value).reshape(value.shape)  # which makes vectors of numbers
        self.constants.append(self._onnx.numpy_helper.from_array(value, name))
        return name


def _translate(writer: _Writer, op: Any, names: Mapping[str, str]) -> list[str]:
    """The names of an operation's outputs, once its nodes are written."""
    inputs = [names[tensor.name] for tensor in _followed(op)]
    if op.type == "IdentityN":
        return inputs
    if op.type not in TRANSLATIONS:
        raise ArtifactError(
            f"its network has the operation {op.type}, which this ONNX writer does not know. "
            "Export it as litert or saved_model."
        )
    return [TRANSLATIONS[op.type](writer, Operation(op, inputs))]


def _followed(op: Any) -> list[Any]:
    return list(op.inputs)[: _N_FOLLOWED.get(op.type)]


def _needed(graph: Any) -> list[Any]:
    """The operations that the answer rests on, each after what it needs."""
    needed, pending = set(), [graph.outputs[0].op]
    while pending:
        op = pending.pop()
        if op.name not in needed and op is not graph.inputs[0].op:
            needed.add(op.name)
            pending += [tensor.op for tensor in _followed(op)]
    return [op for op in graph.graph.get_operations() if op.name in needed]
