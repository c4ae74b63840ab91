from apple_clf.backend import keras, tf
from apple_clf.parallel import TRAINING_THREADS


def test_one_thread_computes() -> None:
    assert tf.config.threading.get_intra_op_parallelism_threads() == TRAINING_THREADS == 1
    assert tf.config.threading.get_inter_op_parallelism_threads() == 1


def test_keras_is_set_up_whatever_its_settings_file_says() -> None:
    # A whole training under a hostile one is in test_workflow.py.
    assert keras.config.backend() == "tensorflow"
    assert keras.config.floatx() == "float32"
    assert keras.config.image_data_format() == "channels_last"
    assert not keras.config.is_interactive_logging_enabled()
