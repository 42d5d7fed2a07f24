"""The classification accuracy score: are samples good enough to learn from?"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

EPOCHS = 5
BATCH = 100


def small_classifier(shape: tuple[int, ...], seed: int) -> keras.Sequential:
    """Images [n, *shape] → logits [n, 10], by two convolutions and a dense layer.

    Of 16 and 32 channels, 3×3 with stride 2; 20,490 weights at 28×28.
    """
    weights = keras.random.SeedGenerator(seed)
    init = keras.initializers.HeNormal(seed=weights)
    options = {"padding": "same", "activation": "relu", "kernel_initializer": init}
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(16, 3, 2, **options),
            layers.Conv2D(32, 3, 2, **options),
            layers.Flatten(),
            layers.Dense(10, kernel_initializer=init),
        ]
    )


def classification_accuracy(
    images: np.ndarray,
    labels: np.ndarray,
    real_images: np.ndarray,
    real_labels: np.ndarray,
    seed: int = 0,
) -> float:
    """Trains a fresh small classifier on samples; the share of real images it gets.

    Ravuri and Vinyals, 2019 ("Classification accuracy score for conditional generative
    models", section 3). Ours passes five times over the samples;
    Adam's rate falls from 3e-3 to 0.

    Args:
      images: [count, height, width, 1] in [0, 1], in any order.
      labels: int [count], what each was asked to show.
      real_images: [another count, height, width, 1].
      real_labels: int [another count].
      seed: of the weights and the order.
    """
    classifier = small_classifier(images.shape[1:], seed)
    steps = EPOCHS * max(1, len(images) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    classifier.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    random = np.random.default_rng(seed)
    for _ in range(EPOCHS):
        order = random.permutation(len(images))
        classifier.fit(
            images[order], labels[order], BATCH, epochs=1, shuffle=False, verbose=0
        )
    answers = classifier.predict(real_images, batch_size=500, verbose=0).argmax(axis=1)
    return float(np.mean(answers == real_labels))
