"""What a picture shows, as a user of Keras asks it: MODEL.keras IMAGE."""

import sys

import keras
import numpy as np
from PIL import Image

model = keras.models.load_model(sys.argv[1])
height, width = model.input_shape[1:3]
image = Image.open(sys.argv[2]).convert("L").resize((width, height))
pixels = np.asarray(image)[np.newaxis, :, :, np.newaxis]
probabilities = model.predict(pixels, verbose=0)[0]
print(int(probabilities.argmax()), float(probabilities.max()))
