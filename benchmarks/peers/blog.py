"""The experiment of a blog post on neural networks: 20 random 4x4 images, learnt by heart."""

import numpy as np
from tensorflow import keras

rng = np.random.default_rng()
images = rng.random((20, 16), dtype=np.float32)
labels = rng.integers(2, size=20)

model = keras.Sequential(
    [
        keras.Input((16,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(images, labels, epochs=50, verbose=0)
print(f"accuracy {history.history['accuracy'][-1]:.2f}")

answer = model.predict(rng.random((1, 16), dtype=np.float32), verbose=0)[0]
print(f"class {answer.argmax()} with probability {answer.max():.2f}")
