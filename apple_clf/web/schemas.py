"""What requests and answers look like, for the OpenAPI description."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

PICTURE = {
    "requestBody": {
        "required": True,
        "description": "The bytes of a picture's file: JPEG, PNG, BMP, GIF, WEBP or TIFF.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "application/octet-stream")
        },
    }
}


def model_parameter(n_models: int) -> dict[str, Any]:
    """The description of the parameter that names one of the models served by its number."""
    schema = {"type": "integer", "minimum": 1, "maximum": n_models, "default": 1}
    described = "Which of the models served, in the order of --run."
    return {
        "parameters": [{"name": "model", "in": "query", "description": described, "schema": schema}]
    }


class Part(BaseModel):
    """A part of an answer; nothing but what stands here is in it."""

    model_config = ConfigDict(extra="forbid")


class Error(Part):
    """Why there is no answer."""

    error: str


class AnswerRecord(Part):
    """One answer, as `apple-clf predict --format json` gives it."""

    file: str | None = Field(description="null: a body has no name")
    class_: str | None = Field(alias="class")
    probability: float | None = Field(description="of that class")
    probabilities: dict[str, float] | None = Field(description="of every class")
    unsure: bool | None = Field(description="unlike anything the model was trained on")
    error: str | None = Field(description="why the picture cannot be used; then the rest is null")


class Picture(Part):
    """Pixels as base64 of bytes, row by row."""

    height: int
    width: int
    channels: int
    data: str


class Maps(Part):
    """Channels as base64 of bytes, one picture after the other."""

    count: int
    height: int
    width: int
    data: str = Field(description="128 + activation / largest * 127")


class LayerOutput(Part):
    """What one layer made of the picture."""

    name: str
    kind: str
    shape: list[int]
    n_units: int
    n_zero: int = Field(description="units that are 0 everywhere")
    largest: float = Field(description="absolute activation")
    values: list[float] | None = Field(description="of a vector")
    maps: Maps | None = Field(description="of a picture")


class Connections(Part):
    """The largest products of input and weight that go into a dense layer."""

    layer: int = Field(description="place in `layers`")
    source: int = Field(description="place in `layers`, or -1 for the pixels")
    links: list[tuple[int, int, float]] = Field(description="input, unit, product")


class Attribution(Part):
    """Integrated gradients: each pixel's part in the logit of the answer."""

    class_: str = Field(alias="class")
    largest: float
    steps: int
    change: float = Field(description="of the logit, from a black picture to this one")
    error: float = Field(description="by which the parts' sum misses the change, as a share of it")
    data: str = Field(description="base64 of 128 + part / largest * 127")


class Inside(Part):
    """All that the page shows of a picture and a model."""

    model: int
    answer: AnswerRecord
    logits: list[float]
    novelty: float
    novelty_threshold: float | None
    pixels: Picture
    frame: tuple[float, float, float, float] = Field(
        description="top, left, height and width of what the pixels show, in shares of the "
        "picture's height and width; it may reach beyond the picture"
    )
    steps: list[str] = Field(
        description="how the drawing was read from the picture, a phrase each, in order; "
        "empty where no drawing was looked for"
    )
    layers: list[LayerOutput] | None
    connections: list[Connections]
    attribution: Attribution | None
    notes: list[str] = Field(description="what is missing, and why")


class Explanation(Part):
    """The same picture inside of every model that is served."""

    models: list[Inside]


class Contract(Part):
    """How a picture becomes pixels."""

    image_size: tuple[int, int] = Field(description="height and width")
    color_mode: str
    resize: str
    polarity: str
    reader: str
    max_value: int | None = Field(default=None, description="white, in pictures of 16 bits")


class ServedModel(Part):
    """A model that is served."""

    model: int = Field(description="by which to ask for it")
    name: str
    class_names: list[str]
    positive_class: str
    preprocessing: Contract
    threshold: float | None
    temperature: float
    novelty_threshold: float | None
    keras_sha256: str
    litert_sha256: str
    verdict: str | None = Field(description="how good it is, in words")
    metrics: dict[str, Any] | None = Field(description="with 95 % intervals")
    layers: bool = Field(description="whether /explain shows them")
    weights: bool = Field(description="whether /weights has any")


class Models(Part):
    """All that is served."""

    models: list[ServedModel]
    collects: bool = Field(description="whether /collect keeps pictures")


class Weights(Part):
    """The first layer's weights at some epochs, as pictures."""

    layer: str
    height: int
    width: int
    units: int
    epochs: list[int]
    largest: float
    pictures: list[str] = Field(
        description="one an epoch: base64 of 128 + weight / largest * 127, unit after unit"
    )


class Health(Part):
    """The server lives."""

    status: str
    version: str
    models: int


class Kept(Part):
    """A picture was kept."""

    label: str
    file: str
