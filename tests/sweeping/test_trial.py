from apple_clf.config.schema import NoiseData
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.sweeping.trial import Datasets

DATA = NoiseData(train_samples=8, validation_samples=4, test_samples=4)
SMALL = Preprocessing(image_size=(4, 4))


def test_the_same_data_are_prepared_once() -> None:
    data = Datasets()
    first = data.load(DATA, SMALL, seed=1, on_progress=None)

    assert data.load(DATA, SMALL, seed=1, on_progress=None) is first


def test_other_data_seeds_and_sizes_are_others() -> None:
    data = Datasets()
    first = data.load(DATA, SMALL, seed=1, on_progress=None)
    larger = DATA.model_copy(update={"train_samples": 9})

    assert data.load(DATA, SMALL, seed=2, on_progress=None).fingerprint != first.fingerprint
    assert len(data.load(larger, SMALL, seed=1, on_progress=None).train) == 9
    wider = data.load(DATA, Preprocessing(image_size=(8, 8)), seed=1, on_progress=None)
    assert wider.train.images.shape[1:] == (8, 8, 1)


def test_the_oldest_data_make_room() -> None:
    data = Datasets(memory=16 * 16)
    first = data.load(DATA, SMALL, seed=1, on_progress=None)
    data.load(DATA, SMALL, seed=2, on_progress=None)

    assert data.load(DATA, SMALL, seed=1, on_progress=None) is not first
