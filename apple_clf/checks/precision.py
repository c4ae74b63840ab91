"""Which label suspects are worth a look, and how many of them would be wrong labels.

Networks contradict a label because it is wrong or because they are. How often each is the case
cannot be known from their answers alone, but for any assumed share of wrong labels it follows. The
rule: suspects are listed, the most confident first, as far as half of them or more would be wrong
labels if NOISE of all labels were. Measured with labels flipped on purpose, the estimate at the
true share was right to within 0.1, but for weak networks on few photos (0.50 where 0.33 was so).
"""

from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.checks.label_suspects import Suspects, confident_guesses
from apple_clf.metrics.intervals import mean_of_proportions

NOISE = 0.1
"""Share of wrong labels assumed in favour of the networks: the highest found in ten well-known
data sets (Northcutt, Athalye and Mueller 2021, arXiv:2103.14749, table 1)."""

USEFUL = 0.5  # share of the listed labels that would then be wrong, or nothing is listed
SUPPOSED = (0.01, 0.02, 0.05, NOISE)  # shares of wrong labels that findings speak of
MAX_LENGTHS = 200  # lengths of the list that are tried


@dataclass(frozen=True)
class Judged:
    """Suspects worth a look, the most doubtful first, perhaps none."""

    suspects: Suspects
    n_contradicted: int  # labels that the networks contradict, listed or not
    contradicted: float  # share of the labels judged that surely that is; 0 if none is listed

    def supposed(self) -> list[tuple[float, float]]:
        """Shares of wrong labels among all, and the precision of the list for each."""
        q = self.contradicted
        return [(noise, precision(q, noise=noise)) for noise in SUPPOSED if noise < q]


def worth_a_look(labels: IntArray, probabilities: FloatArray, suspects: Suspects) -> Judged:
    """The longest list of suspects that is clearly useful, cut off at a margin.

    Clearly: by the upper end of the 95 % interval of the share that is contradicted. Classes count
    alike, so that networks which always answer the largest class pass for the guessers they are.

    Args:
        labels: class codes, (n,).
        probabilities: of networks that were not trained on the image, (n, n_classes).
        suspects: as from `label_suspects`.
    """
    n, n_classes = len(suspects.indices), probabilities.shape[1]
    agreeing = _agreeing(labels, probabilities)
    for tried in np.unique(np.linspace(1, n, min(n, MAX_LENGTHS)).round().astype(int))[::-1]:
        margin = suspects.margins[tried - 1]
        length = int(np.count_nonzero(suspects.margins >= margin))  # equal ones stay together
        against = np.bincount(labels[suspects.indices[:length]], minlength=n_classes)
        agree = np.array([len(own) - np.searchsorted(own, margin) for own in agreeing])
        judged = against + agree > 0
        share = mean_of_proportions(against[judged], (against + agree)[judged])
        assert share.value is not None
        assert share.high is not None
        if precision(share.high, noise=NOISE) >= USEFUL:
            return Judged(suspects.first(length), n, share.value)
    return Judged(suspects.first(0), n, 0.0)


def _agreeing(labels: IntArray, probabilities: FloatArray) -> list[FloatArray]:
    """For each class the margins of the labels that networks confirm, rising.

    The margin is the probability of the label less that of the next class: by so much the label
    would be contradicted if it were the next class instead.
    """
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = -np.inf
    margins = probabilities[rows, labels] - others.max(axis=1)
    confirmed = confident_guesses(labels, probabilities) == labels
    return [
        np.sort(margins[confirmed & (labels == code)]) for code in range(probabilities.shape[1])
    ]


def precision(contradicted: float, *, noise: float) -> float:
    """Share of contradicted labels that are wrong, in [0, 1].

    If a share `noise` of the labels is wrong at random and networks err in a share e of images,
    they contradict q = noise (1 - e) + (1 - noise) e of the labels; the first part is the wrong
    ones. Two wrongs that agree by chance, possible with many classes, are left out.

    Args:
        contradicted: q, 0 to 1.
        noise: below 0.5.
    """
    if contradicted <= noise:
        return 1.0
    error = (contradicted - noise) / (1 - 2 * noise)
    return max(0.0, noise * (1 - error) / contradicted)
