"""Looks for what is wrong with data before, or instead of, training on them.

Not seen: what two pictures show, beyond their pixels (the same apple photographed twice, from
another side); copies that `near_duplicates` does not find; a background that gives the class away
anywhere but at the border; images that are missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import IntArray, UInt8Array
from apple_clf.checks import findings as told
from apple_clf.checks.background import border_baseline
from apple_clf.checks.findings import Finding, Level
from apple_clf.checks.folds import balanced_accuracy
from apple_clf.checks.gate import refuse_duplicates
from apple_clf.checks.label_suspects import cross_validated_probabilities, label_suspects
from apple_clf.checks.near_duplicates import find_near_duplicates
from apple_clf.checks.pool import Pool
from apple_clf.checks.precision import worth_a_look
from apple_clf.config.schema import DataConfig, Experiment, GeneratedData
from apple_clf.data import SPLITS, Dataset, Split, load_dataset
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io.progress import Reporter, Silent

__all__ = ["CheckedData", "Finding", "check_data", "refuse_duplicates"]

BORDER_SIDE = 16  # pixels of a whole picture whose outermost ones are looked at
WHOLE_SIDE = 96  # pixels of a whole picture whose contents are compared


@dataclass(frozen=True)
class CheckedData:
    """What was found, the gravest first, and the images that it is about."""

    dataset: Dataset
    pool: Pool
    findings: Sequence[Finding]

    @property
    def n_blocking(self) -> int:
        """Findings for which a training would refuse the data."""
        return sum(finding.level == "blocks" for finding in self.findings)


def check_data(
    experiment: Experiment, *, n_folds: int, reporter: Reporter | None = None
) -> CheckedData:
    """Everything in an experiment's data that needs a look.

    Args:
        experiment: its data, its preprocessing and, for wrong labels, its network are used.
        n_folds: of the cross-validation that looks for wrong labels, 3 or more; 0 leaves it out,
            and TensorFlow is not imported then. The test split takes no part in it.
        reporter: told how it goes.

    Raises:
        DataError: the data cannot be looked at: there are no two classes, or too few images.
        FileSystemError: a folder cannot be read.
        DivergedError: a training that looks for wrong labels diverged.
    """
    reporter = reporter or Silent()
    dataset = load_dataset(
        _tolerant(experiment.data),
        experiment.preprocessing,
        seed=experiment.seed,
        on_progress=reporter.decoding,
    )
    pool = Pool(dataset)
    bad_level: Level = "blocks" if _refuses(experiment.data, "bad_files") else "warning"
    copy_level: Level = "blocks" if _refuses(experiment.data, "duplicates") else "warning"
    found = told.unreadable_files(dataset.bad_files, refused=bad_level)
    found += told.exact_duplicates(pool, refused=copy_level)
    reporter.stage(f"Comparing {len(pool):,} images.")
    (distinct,) = np.nonzero(pool.duplicates.first == np.arange(len(pool)))
    near = find_near_duplicates(
        pool.images[distinct],
        whole=_whole_pictures(experiment, pool, reporter)[distinct],
        seed=experiment.seed,
    )
    found += told.near_duplicates(pool, near, distinct)
    found += _telling_border(experiment, reporter)
    found += told.class_imbalance(
        dataset.counts()["train"], balanced=experiment.training.class_weight == "balanced"
    )
    if n_folds:
        found += _label_suspects(experiment, dataset, pool, n_folds, reporter)
    order: tuple[Level, ...] = ("blocks", "warning", "note")
    return CheckedData(dataset, pool, sorted(found, key=lambda one: order.index(one.level)))


def _tolerant(config: DataConfig) -> DataConfig:
    """The same data, bad files left out instead of refused."""
    return config.model_copy(update=_known(config, bad_files="skip"))


def _refuses(config: DataConfig, key: str) -> bool:
    return getattr(config, key, None) == "fail"


def _known(config: DataConfig, **keys: object) -> dict[str, object]:
    """The keys that this source of data has."""
    return {key: value for key, value in keys.items() if key in type(config).model_fields}


def _whole_pictures(experiment: Experiment, pool: Pool, reporter: Reporter) -> UInt8Array:
    """Uncropped pictures in the pool's order, (n, height, width, channels).

    Photos come in colour, even if the network sees them in gray. Drawings come in gray. Pictures
    that are made on the spot have no other form than the pool's.
    """
    if isinstance(experiment.data, GeneratedData):
        return pool.images
    seen = experiment.preprocessing
    whole = _load_whole(
        experiment,
        Preprocessing(
            image_size=(WHOLE_SIDE, WHOLE_SIDE),
            color_mode=seen.color_mode if seen.resize == "center" else "rgb",
            resize="pad",
            polarity=seen.polarity,
        ),
        reporter,
    )
    index = {whole.name(i): i for i in range(len(whole))}
    return whole.images[[index[pool.name(i)] for i in range(len(pool))]]


def _load_whole(experiment: Experiment, contract: Preprocessing, reporter: Reporter) -> Pool:
    """All images, prepared in another way than the experiment's; splits are not drawn."""
    data = _tolerant(experiment.data)
    return Pool(
        load_dataset(
            data.model_copy(update=_known(data, validation_split=0.0, test_split=0.0)),
            contract,
            seed=experiment.seed,
            on_progress=reporter.decoding,
        )
    )


def _telling_border(experiment: Experiment, reporter: Reporter) -> list[Finding]:
    """The whole pictures are looked at, for centring takes the border away."""
    pool = _load_whole(
        experiment,
        Preprocessing(
            image_size=(BORDER_SIDE, BORDER_SIDE),
            color_mode=experiment.preprocessing.color_mode,
            resize="stretch",
            polarity="as_is",
            max_value=experiment.preprocessing.max_value,
        ),
        reporter,
    )
    balanced = border_baseline(
        pool.images,
        pool.labels,
        first=pool.duplicates.first,
        n_classes=len(pool.class_names),
        seed=experiment.seed,
    )
    return told.telling_border(balanced, n_classes=len(np.unique(pool.labels)))


def _label_suspects(
    experiment: Experiment, dataset: Dataset, pool: Pool, n_folds: int, reporter: Reporter
) -> list[Finding]:
    """Doubtful labels among training and validation images.

    The test images' labels are left alone: corrected until a network agrees, they would measure
    agreement.
    """
    (learnt,) = np.nonzero(pool.splits != SPLITS.index("test"))
    images = Split(
        pool.images[learnt], pool.labels[learnt], [pool.name(i) for i in learnt.tolist()]
    )
    probabilities = cross_validated_probabilities(
        experiment,
        images,
        first=_first_among(pool.duplicates.first, learnt),
        class_names=dataset.class_names,
        n_folds=n_folds,
        on_fold=lambda fold: reporter.stage(
            f"Looking for wrong labels: network {fold} of {n_folds}."
        ),
        on_epoch=lambda epoch, logs: reporter.epoch(epoch, experiment.training.epochs, logs),
    )
    balanced = balanced_accuracy(
        images.labels, np.argmax(probabilities, axis=1), n_classes=len(dataset.class_names)
    )
    suspects = label_suspects(images.labels, probabilities)
    judged = worth_a_look(images.labels, probabilities, suspects)
    return told.label_suspects(pool, judged, learnt, balanced=balanced)


def _first_among(first: IntArray, chosen: IntArray) -> IntArray:
    """Index of the first equal image among some, counted among them, (n_chosen,)."""
    _, starts, members = np.unique(first[chosen], return_index=True, return_inverse=True)
    found: IntArray = starts[members]
    return found
