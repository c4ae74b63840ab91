"""What models say of pictures, from wherever it comes, and what it amounts to."""

import csv
import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray, UInt8Array
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run
from benchmarks.serving import server

SURE = 0.9
"""Probability above which a wrong answer is a bold one."""


@dataclass(frozen=True)
class Answers:
    """What a model said of n pictures."""

    classes: Sequence[str]
    probabilities: FloatArray  # (n,), of those classes
    unsure: BoolArray  # (n,)


Figures = Mapping[str, float]
"""By name: accuracy, unsure, sure, wrong, wrong_or_unsure."""


def figures(answers: Answers, labels: Sequence[str] | None) -> Figures:
    """What comes out of some answers; of pictures without a class only the share unsure."""
    unsure = {"unsure": float(np.mean(answers.unsure))}
    if labels is None:
        return unsure
    truth = np.asarray(labels)
    right = np.asarray(answers.classes) == truth
    bold = ~right & (answers.probabilities > SURE)
    sure = right[~answers.unsure]
    return unsure | {
        "accuracy": mean(float(right[truth == name].mean()) for name in set(labels)),
        "sure": float(sure.mean()) if sure.size else float("nan"),
        "wrong": float(np.mean(bold & ~answers.unsure)),
        "wrong_or_unsure": float(np.mean(bold)),
    }


def answered(predictor: Predictor, pixels: UInt8Array) -> Answers:
    """A model's answers to prepared pictures, uint8, (n, height, width, channels)."""
    outputs = predictor.outputs(pixels)
    probabilities = predictor.probabilities(outputs.logits)
    codes = predictor.decide(probabilities)
    return Answers(
        [predictor.record.class_names[code] for code in codes],
        probabilities[np.arange(len(codes)), codes],
        predictor.unsure(outputs.novelty),
    )


def figures_when_trained(run: Run) -> Figures:
    """On a run's own test images, as it found them when it was trained."""
    with run.predictions.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    answers = Answers(
        [each["class"] for each in rows],
        np.array([float(each["probability"]) for each in rows]),
        np.array([each["unsure"] == "true" for each in rows]),
    )
    return figures(answers, [each["label"] for each in rows])


def served(runs: Sequence[Path], files: Sequence[Path]) -> list[Answers]:
    """Each run's answers to pictures that are sent to a server as its page sends them."""
    options = [str(run) for run in runs[1:]]
    said: list[list[dict[str, Any]]] = []
    with server(runs[0], *options) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for file in files:
            models = _explained(connection, file.read_bytes())["models"]
            said.append([model["answer"] for model in models])
        connection.close()
    return [
        Answers(
            [answer["class"] for answer in answers],
            np.array([answer["probability"] for answer in answers]),
            np.array([answer["unsure"] for answer in answers]),
        )
        for answers in zip(*said, strict=True)
    ]


def _explained(connection: http.client.HTTPConnection, body: bytes) -> dict[str, Any]:
    """The server's answer to a picture; asks once more where it has no time.

    Source: apple_clf/web/page/main.js.
    """
    while True:
        headers = {"Content-Type": "application/octet-stream"}
        connection.request("POST", "/explain", body, headers)
        response = connection.getresponse()
        content: dict[str, Any] = json.loads(response.read())
        if response.status == 200:
            return content
        if response.status != 503:
            raise RuntimeError(f"POST /explain: {response.status} {content}")
        time.sleep(1)
