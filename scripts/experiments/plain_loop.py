"""The loop of TensorFlow's DCGAN tutorial, on a recipe's networks and schedule.

Keras's own layers, a ``tf.data`` pipeline and a compiled ``train_step``: what
benchmark.py and race.py compare with.
"""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import numpy as np


def plain_loop(config, images: np.ndarray) -> tuple[Callable[[], None], object]:
    """What makes one step at each call, and the generator that it trains.

    A step is the tutorial's own, which takes both gradients before either network
    moves; if G moves twice a step, the networks move in turn.

    Args:
      config: a recipe of one of the published DCGANs.
      images: uint8 [count, 28, 28, 1].
    """
    import keras
    import tensorflow as tf

    from tfgan_mnist.networks import dcgan
    from tfgan_mnist.registry import NETWORKS, find

    def keras_s_own(filters, kernel_size, strides, init):
        return keras.layers.Conv2D(
            filters, kernel_size, strides, "same", kernel_initializer=init
        )

    with mock.patch.multiple(
        dcgan, SmallMapConv2D=keras_s_own, Dropout=keras.layers.Dropout
    ):
        make = find(NETWORKS[config.networks].make)
        generator, discriminator = make(
            config.latent_dim, config.base_channels, config.seed
        )
    tf.random.set_seed(config.seed)
    size = discriminator.input_shape[1]
    images = tf.cast(images, tf.float32) / 127.5 - 1.0
    if size != 28:
        images = tf.image.resize(images, [size, size])
    batches = iter(
        tf.data.Dataset.from_tensor_slices(images)
        .shuffle(len(images), seed=config.seed)
        .repeat()
        .batch(config.batch_size)
    )
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    generator_optimizer, discriminator_optimizer = (
        keras.optimizers.Adam(
            rate, config.beta_1, config.beta_2, epsilon=config.epsilon
        )
        for rate in (
            config.generator_learning_rate,
            config.discriminator_learning_rate,
        )
    )

    def discriminator_loss(real, fake):
        return cross_entropy(tf.ones_like(real), real) + cross_entropy(
            tf.zeros_like(fake), fake
        )

    def apply(optimizer, network, tape, loss):
        weights = network.trainable_variables
        optimizer.apply_gradients(
            zip(tape.gradient(loss, weights), weights, strict=True)
        )

    @tf.function
    def train_step(images):
        noise = tf.random.normal([config.batch_size, config.latent_dim])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fakes = generator(noise, training=True)
            real = discriminator(images, training=True)
            fake = discriminator(fakes, training=True)
            g_loss = cross_entropy(tf.ones_like(fake), fake)
            d_loss = discriminator_loss(real, fake)
        apply(generator_optimizer, generator, g_tape, g_loss)
        apply(discriminator_optimizer, discriminator, d_tape, d_loss)

    @tf.function
    def train_step_twice(images):
        noise = tf.random.uniform([config.batch_size, config.latent_dim], -1.0)
        with tf.GradientTape() as tape:
            real = discriminator(images, training=True)
            fake = discriminator(generator(noise, training=True), training=True)
            loss = discriminator_loss(real, fake)
        apply(discriminator_optimizer, discriminator, tape, loss)
        for _ in range(2):
            with tf.GradientTape() as tape:
                fake = discriminator(generator(noise, training=True), training=True)
                loss = cross_entropy(tf.ones_like(fake), fake)
            apply(generator_optimizer, generator, tape, loss)

    train = train_step_twice if config.generator_updates == 2 else train_step
    return lambda: train(next(batches)), generator
