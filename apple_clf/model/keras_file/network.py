"""`config.json` of a .keras file -> the description of a network made of known parts only.

Keras builds whatever class the file names, calls its constructor with the file's arguments, and
some classes run code or open paths. So each object in the file must stand in a list written here,
under the module that Keras saves it with, before Keras sees any of it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable

MAX_DEPTH = 64
MAX_OBJECTS = 20_000

LAYERS = frozenset(
    {
        *("InputLayer", "Identity", "Rescaling", "Normalization"),
        *("Flatten", "Reshape", "Permute", "RepeatVector"),
        *("Dense", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"),
        *("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout"),
        *("BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization"),
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"),
        *("Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D"),
        *("ZeroPadding2D", "Cropping2D", "UpSampling2D"),
        *("MaxPooling2D", "AveragePooling2D"),
        *("GlobalMaxPooling2D", "GlobalAveragePooling2D"),
        *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation"),
        *("RandomContrast", "RandomBrightness", "RandomInvert"),
    }
)
"""Keras's layers for pictures and vectors that compute and do nothing else: no code, no file and
no address is among their arguments."""

_INITIALIZERS = frozenset(
    {
        *("Constant", "Zeros", "Ones", "Identity", "Orthogonal", "VarianceScaling"),
        *("RandomNormal", "RandomUniform", "TruncatedNormal"),
        *("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform"),
        *("LecunNormal", "LecunUniform"),
    }
)
_ALLOWED: Mapping[object, frozenset[str]] = {
    "keras": frozenset({"Sequential", "Functional", "DTypePolicy"}),
    "keras.src.models.functional": frozenset({"Functional"}),
    "keras.layers": LAYERS,
    "keras.initializers": _INITIALIZERS,
    "keras.regularizers": frozenset({"L1", "L2", "L1L2"}),
}
_TENSOR = {"class_name", "config"}
_OBJECT = {"module", "class_name", "config", "registered_name"}
_BESIDE = {"build_config", "inbound_nodes", "name", "shared_object_id"}
_DTYPES = ("float32", "uint8")
_MODELS = ("Sequential", "Functional")


def read_network(text: bytes) -> dict[str, Any]:
    """The description of a network, safe to hand to Keras, without how it was trained.

    Args:
        text: config.json.

    Raises:
        ArtifactError: it is not JSON object, nested too deep, or names anything but the known
            layers and their parts; the message does not name the file.
    """
    try:
        network = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"corrupt: config.json is not JSON: {error}. Copy it again.") from error
    if not isinstance(network, dict) or network.get("class_name") not in _MODELS:
        raise ArtifactError(
            "config.json describes neither a Sequential nor a Functional model. "
            "Rebuild it as one of these, and save it again."
        )
    for part in _dicts(network):
        part.pop("compile_config", None)  # losses and metrics, whose classes may be anything
        if part.keys() & _OBJECT - {"config"}:
            _check(part)
    return network


def _dicts(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every JSON object, the outer before the inner."""
    pending: list[tuple[Any, int]] = [(root, 1)]
    n_objects = 0
    while pending:
        part, depth = pending.pop()
        n_objects += 1
        if depth > MAX_DEPTH or n_objects > MAX_OBJECTS:
            raise ArtifactError(
                f"config.json nests deeper than {MAX_DEPTH} levels or describes more than "
                f"{MAX_OBJECTS:,} parts. No network of this program does."
            )
        if isinstance(part, dict):
            yield part
        values = part.values() if isinstance(part, dict) else part
        pending.extend((value, depth + 1) for value in values if isinstance(value, dict | list))


def _check(part: dict[str, Any]) -> None:
    """Refuses an object of Keras that is not on the list, or that names itself in two ways."""
    name, module = part.get("class_name"), part.get("module")
    if not isinstance(name, str) or not isinstance(module, str | None):
        raise ArtifactError("config.json names a class by something that is not text. Refused.")
    if name == "__keras_tensor__" and part.keys() == _TENSOR:
        return
    if name not in _ALLOWED.get(module, ()):
        raise _refusal(name, module)
    if part.get("registered_name") not in (None, name):
        raise _refusal(str(part["registered_name"]), module)
    odd = part.keys() - _OBJECT - _BESIDE
    if odd or not isinstance(part.get("config"), dict):
        raise ArtifactError(
            f"config.json describes a {name} with {printable(min(odd, default='no config'))!r}, "
            "which Keras does not write. Save it again with Keras."
        )
    if name == "DTypePolicy" and part["config"].get("name") not in _DTYPES:
        raise ArtifactError(
            f"it computes in {printable(str(part['config'].get('name'))[:40])}; only float32 is "
            "opened. Set keras.config.set_dtype_policy('float32'), and save it again."
        )


def _refusal(name: str, module: object) -> ArtifactError:
    reason = _REASONS.get(name, "is none of the layers and their parts that are opened")
    full = printable(f"{module}.{name}"[:120])
    return ArtifactError(
        f"{full} {reason}. Nothing was run. Rebuild the network without it, and save it again."
    )


_REASONS = {
    "Lambda": "holds program code",
    "__lambda__": "is program code",
    "TFSMLayer": "loads a program from a path",
    "StringLookup": "opens a file that it names",
    "IntegerLookup": "opens a file that it names",
    "TextVectorization": "opens a file that it names",
    "function": "names a function to be looked up",
}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}")
