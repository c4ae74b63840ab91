"""Names for the arrays that pass between modules; shapes stand in each docstring."""

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]  # pixels, 0 black to 255 white
IntArray = NDArray[np.integer]  # class codes, 0 to n_classes - 1
FloatArray = NDArray[np.floating]  # probabilities, scores
BoolArray = NDArray[np.bool_]
