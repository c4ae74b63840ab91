import gc
import logging
import weakref

import pytest

from apple_clf.io.parallel import TRAINING_THREADS
from apple_clf.model.backend import forget_models, keras, tf


def test_one_thread_computes() -> None:
    assert tf.config.threading.get_intra_op_parallelism_threads() == TRAINING_THREADS == 1
    assert tf.config.threading.get_inter_op_parallelism_threads() == 1


def test_garbage_is_collected_but_not_among_what_was_imported() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 100_000


def test_keras_is_set_up_whatever_its_settings_file_says() -> None:
    # A whole training under a hostile one is in test_workflow.py.
    assert keras.config.backend() == "tensorflow"
    assert keras.config.floatx() == "float32"
    assert keras.config.image_data_format() == "channels_last"
    assert not keras.config.is_interactive_logging_enabled()


def test_forgetting_models_keeps_the_settings() -> None:
    model = weakref.ref(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    forget_models()
    gc.collect()
    assert model() is None
    assert not keras.config.is_interactive_logging_enabled()
    assert keras.config.backend() == "tensorflow"


def test_many_trainings_in_one_process_do_not_warn_of_retracing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    try:
        for _ in range(8):
            tf.function(lambda x: x + 1)(1.0)
            tf.function(lambda x: x + 1)(1.0)
        logger.warning("anything else")
    finally:
        logger.removeHandler(caplog.handler)

    assert "retracing" not in caplog.text
    assert "anything else" in caplog.text
