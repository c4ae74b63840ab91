"""A LiteRT file of integers -> a C header for microcontrollers, and back."""

import re
from collections.abc import Sequence

from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable

_TEMPLATE = """\
/* {title}
 *
 * For TensorFlow Lite Micro: a network that computes with integers alone. It takes one picture of
 * {height} x {width} pixels with {channels} byte(s) each, rows from the top, and gives one byte for
 * each class: the probability is {scale:.10g} * (byte - {zero}).
 *
 * How a picture becomes pixels: {preprocessing}
 */
#ifndef APPLE_CLF_MODEL_H
#define APPLE_CLF_MODEL_H

#define APPLE_CLF_HEIGHT {height}
#define APPLE_CLF_WIDTH {width}
#define APPLE_CLF_CHANNELS {channels}
#define APPLE_CLF_N_CLASSES {n_classes}
#define APPLE_CLF_POSITIVE_CLASS {positive}
#define APPLE_CLF_THRESHOLD {threshold}
#define APPLE_CLF_PIXEL_SCALE 1.0f
#define APPLE_CLF_PIXEL_ZERO_POINT 0
#define APPLE_CLF_PROBABILITY_SCALE {scale:.10g}f
#define APPLE_CLF_PROBABILITY_ZERO_POINT {zero}
#define APPLE_CLF_MODEL_LENGTH {length}

static const char *const apple_clf_class_names[APPLE_CLF_N_CLASSES] = {{
  {names}
}};

#if defined(__cplusplus)
alignas(16)
#else
_Alignas(16)
#endif
static const unsigned char apple_clf_model[APPLE_CLF_MODEL_LENGTH] = {{
{data}
}};

#endif
"""
_A_LINE = 16


def header_text(
    content: bytes,
    *,
    title: str,
    shape: tuple[int, int, int],
    class_names: Sequence[str],
    positive: int,
    threshold: float | None,
    preprocessing: str,
    quantization: tuple[float, int],
) -> str:
    """The header, for C11 and C++11.

    Args:
        content: a LiteRT file.
        title: its first line.
        shape: height, width and channels of a picture.
        class_names: in the order of the outputs.
        positive: class code that the threshold is for.
        threshold: of its probability; None for more than two classes, written as -1.
        preprocessing: a sentence.
        quantization: scale and zero point of the probabilities.
    """
    lines = (content[i : i + _A_LINE] for i in range(0, len(content), _A_LINE))
    height, width, channels = shape
    scale, zero = quantization
    return _TEMPLATE.format(
        title=_comment(title),
        preprocessing=_comment(preprocessing),
        height=height,
        width=width,
        channels=channels,
        n_classes=len(class_names),
        positive=positive,
        threshold="-1.0f" if threshold is None else f"{threshold:#.9g}f",
        scale=scale,
        zero=zero,
        length=len(content),
        names=",\n  ".join(map(_literal, class_names)),
        data=",\n".join("  " + ",".join(f"0x{byte:02x}" for byte in line) for line in lines),
    )


def header_content(text: str) -> bytes:
    """The LiteRT file in a header.

    Raises:
        ArtifactError: there is none.
    """
    found = re.search(r"apple_clf_model\[\w+\] = \{([0-9a-fx,\s]*)\}", text)
    if found is None:
        raise ArtifactError("the header holds no model")
    return bytes(int(number, 16) for number in found[1].split(","))


def _comment(text: str) -> str:
    return printable(text).replace("*/", "* /")


def _literal(text: str) -> str:
    """A C string of the text's UTF-8: octal escapes take three digits, so none runs on."""
    return '"' + "".join(map(_escaped, text.encode())) + '"'


def _escaped(byte: int) -> str:
    character = chr(byte)
    if 32 <= byte < 127 and character not in '"\\?':
        return character
    return f"\\{byte:03o}"
