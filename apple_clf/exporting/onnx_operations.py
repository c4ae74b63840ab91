"""TensorFlow's operations -> ONNX's: for each kind, the nodes that compute the same.

Pictures have their channels last in TensorFlow and first in ONNX, so convolutions and poolings
stand between two transpositions; the runtimes take out those that meet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from apple_clf.errors import ArtifactError
from apple_clf.model.backend import tf


class Writer(Protocol):
    """What an operation needs to write its nodes."""

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """The name of a new node's output."""

    def constant(self, value: NDArray[Any]) -> str:
        """The name of a constant."""


@dataclass(frozen=True)
class Operation:
    """One of TensorFlow's operations."""

    op: Any
    inputs: list[str]  # names of those that are computed


Translation = Callable[[Writer, Operation], str]
"""Writes an operation, and says the name of its output."""

CHANNELS_FIRST, CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def value_of(tensor: Any) -> NDArray[Any]:
    """The value of a tensor that does not depend on the images.

    Raises:
        ArtifactError: it does.
    """
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    value: NDArray[Any] | int | None = tf.get_static_value(tensor)
    if tensor.op.type == "StridedSlice" and tensor.op.inputs[0].op.type == "Shape":
        shape, place = tensor.op.inputs[0].op.inputs[0].shape, tensor.op.inputs[1]
        value = shape[int(value_of(place)[0])]
    if value is None:
        raise ArtifactError(f"the operation {tensor.op.name} computes what ONNX wants to know")
    return np.asarray(value, tensor.dtype.as_numpy_dtype)


def _same(kind: str) -> Translation:
    return lambda writer, at: writer.node(kind, at.inputs)


def _float(number: float) -> NDArray[Any]:
    return np.array(number, np.float32)


def _erfc(writer: Writer, at: Operation) -> str:
    return writer.node("Sub", [writer.constant(_float(1)), writer.node("Erf", at.inputs)])


def _expm1(writer: Writer, at: Operation) -> str:
    return writer.node("Sub", [writer.node("Exp", at.inputs), writer.constant(_float(1))])


def _rsqrt(writer: Writer, at: Operation) -> str:
    return writer.node("Reciprocal", [writer.node("Sqrt", at.inputs)])


def _square(writer: Writer, at: Operation) -> str:
    return writer.node("Mul", [at.inputs[0], at.inputs[0]])


def _squared_difference(writer: Writer, at: Operation) -> str:
    difference = writer.node("Sub", at.inputs)
    return writer.node("Mul", [difference, difference])


def _relu6(writer: Writer, at: Operation) -> str:
    limits = [writer.constant(_float(limit)) for limit in (0, 6)]
    return writer.node("Clip", [*at.inputs, *limits])


def _leaky_relu(writer: Writer, at: Operation) -> str:
    return writer.node("LeakyRelu", at.inputs, alpha=at.op.get_attr("alpha"))


def _zeros_like(writer: Writer, at: Operation) -> str:
    kind = at.op.outputs[0].dtype.as_numpy_dtype
    return writer.constant(np.zeros((), kind))  # what it is combined with gives the shape


def _known(writer: Writer, at: Operation) -> str:
    return writer.constant(value_of(at.op.outputs[0]))


def _cast(writer: Writer, at: Operation) -> str:
    import onnx

    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(at.op.get_attr("DstT").as_numpy_dtype))
    return writer.node("Cast", at.inputs, to=kind)


def _matmul(writer: Writer, at: Operation) -> str:
    if at.op.get_attr("transpose_a") or at.op.get_attr("transpose_b"):
        raise ArtifactError("it multiplies by a transposed matrix, which no layer here does")
    return writer.node("MatMul", at.inputs)


def _reshape(writer: Writer, at: Operation) -> str:
    shape = [-1 if side is None else side for side in at.op.outputs[0].shape]
    if shape.count(-1) > 1:
        raise ArtifactError(f"the shape {at.op.outputs[0].shape} is known too late")
    return writer.node("Reshape", [at.inputs[0], writer.constant(np.array(shape, np.int64))])


def _squeeze(writer: Writer, at: Operation) -> str:
    axes = np.array(at.op.get_attr("squeeze_dims"), np.int64)
    return writer.node("Squeeze", [*at.inputs, *([writer.constant(axes)] if len(axes) else [])])


def _transpose(writer: Writer, at: Operation) -> str:
    return writer.node("Transpose", at.inputs[:1], perm=value_of(at.op.inputs[1]).tolist())


def _reduce(kind: str) -> Translation:
    def write(writer: Writer, at: Operation) -> str:
        axes = writer.constant(np.atleast_1d(value_of(at.op.inputs[1])).astype(np.int64))
        return writer.node(kind, [at.inputs[0], axes], keepdims=int(at.op.get_attr("keep_dims")))

    return write


def _pad(writer: Writer, at: Operation) -> str:
    widths = value_of(at.op.inputs[1]).T.ravel().astype(np.int64)  # all before, then all after
    return writer.node("Pad", [at.inputs[0], writer.constant(widths)])


def _cumsum(writer: Writer, at: Operation) -> str:
    if at.op.get_attr("exclusive") or at.op.get_attr("reverse"):
        raise ArtifactError("it sums up backwards, which no layer here does")
    return writer.node("CumSum", at.inputs)


def _top_k(writer: Writer, at: Operation) -> str:
    count = np.atleast_1d(value_of(at.op.inputs[1])).astype(np.int64)
    return writer.node("TopK", [at.inputs[0], writer.constant(count)], n_outputs=2)


def _window(op: Any) -> dict[str, Any]:
    """Strides and padding, which convolutions and poolings share."""
    padding = op.get_attr("padding").decode()
    if padding not in {"SAME", "VALID"}:
        raise ArtifactError(f"its padding is {padding}, which no layer here has")
    return {
        "strides": op.get_attr("strides")[1:3],
        "auto_pad": "SAME_UPPER" if padding == "SAME" else "VALID",
    }


def _channels_first(
    writer: Writer, kind: str, inputs: Sequence[str], attributes: dict[str, Any]
) -> str:
    """A node on pictures; its other inputs are as ONNX wants them."""
    picture = writer.node("Transpose", inputs[:1], perm=CHANNELS_FIRST)
    made = writer.node(kind, [picture, *inputs[1:]], **attributes)
    return writer.node("Transpose", [made], perm=CHANNELS_LAST)


def _convolution(writer: Writer, at: Operation) -> str:
    kernel = np.transpose(value_of(at.op.inputs[1]), (3, 2, 0, 1))  # out, in, height, width
    attributes = _window(at.op) | {"dilations": at.op.get_attr("dilations")[1:3]}
    return _channels_first(writer, "Conv", [at.inputs[0], writer.constant(kernel)], attributes)


def _depthwise(writer: Writer, at: Operation) -> str:
    kernel = value_of(at.op.inputs[1])  # height, width, in, filters of each
    height, width, channels, each = kernel.shape
    kernel = np.transpose(kernel, (2, 3, 0, 1)).reshape(channels * each, 1, height, width)
    attributes = _window(at.op) | {"dilations": at.op.get_attr("dilations")[1:3], "group": channels}
    return _channels_first(writer, "Conv", [at.inputs[0], writer.constant(kernel)], attributes)


def _pooling(kind: str) -> Translation:
    def write(writer: Writer, at: Operation) -> str:
        attributes = _window(at.op) | {"kernel_shape": at.op.get_attr("ksize")[1:3]}
        return _channels_first(writer, kind, at.inputs, attributes)

    return write


TRANSLATIONS: dict[str, Translation] = {
    **{
        kind: _same(kind)
        for kind in (
            *("Abs", "Div", "Elu", "Erf", "Exp", "Identity", "LogSoftmax", "Mul", "Neg", "Pow"),
            *("Range", "Relu", "Selu", "Sigmoid", "Softmax", "Softplus", "Softsign", "Sqrt"),
            *("Sub", "Tanh", "Greater", "Less"),
        )
    },
    **{
        theirs: _same(ours)
        for theirs, ours in {
            **{"AddV2": "Add", "BiasAdd": "Add", "RealDiv": "Div", "SelectV2": "Where"},
            **{"Maximum": "Max", "Minimum": "Min", "StopGradient": "Identity"},
            **{"GreaterEqual": "GreaterOrEqual", "LessEqual": "LessOrEqual"},
        }.items()
    },
    "AvgPool": _pooling("AveragePool"),
    "Cast": _cast,
    "Const": _known,
    "Conv2D": _convolution,
    "Cumsum": _cumsum,
    "DepthwiseConv2dNative": _depthwise,
    "Erfc": _erfc,
    "Expm1": _expm1,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "Max": _reduce("ReduceMax"),
    "MaxPool": _pooling("MaxPool"),
    "Mean": _reduce("ReduceMean"),
    "Pad": _pad,
    "Relu6": _relu6,
    "Reshape": _reshape,
    "Rsqrt": _rsqrt,
    "Square": _square,
    "SquaredDifference": _squared_difference,
    "Squeeze": _squeeze,
    "StridedSlice": _known,  # of a shape
    "Sum": _reduce("ReduceSum"),
    "TopKV2": _top_k,
    "Transpose": _transpose,
    "ZerosLike": _zeros_like,
}
