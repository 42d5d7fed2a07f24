"""The pix2pix loops of TensorFlow's tutorial and eager PyTorch, on a recipe's networks.

What benchmark.py compares with. Pairs are made beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np


def make_all_pairs(config) -> tuple[np.ndarray, np.ndarray]:
    """Sources and targets [count, height, width, channels] in [-1, 1], of mnist5k."""
    import tensorflow as tf

    from tfgan_mnist.data.examples import as_floats
    from tfgan_mnist.data.mnist import mnist5k
    from tfgan_mnist.data.pairs import make_pairs
    from tfgan_mnist.registry import TASKS, find

    images, labels = mnist5k()
    task = find(TASKS[config.task].make)
    pairs = make_pairs(task, as_floats(images), labels, tf.constant([config.seed, 0]))
    return pairs["sources"].numpy(), pairs["samples"].numpy()


def tensorflow_loop(config, sources: np.ndarray, targets: np.ndarray) -> Callable:
    """What makes one step at each call, as the tutorial does: a ``tf.data`` pipeline,
    and both gradients taken before either network moves.

    The networks are the package's, whose dropout is given its noise.
    """
    import keras
    import tensorflow as tf

    from tfgan_mnist.build import build_networks

    networks = build_networks(config)
    generator, discriminator = networks["generator"], networks["discriminator"]
    noise_shape = [config.batch_size, generator.inputs[0].shape[1]]
    batches = iter(
        tf.data.Dataset.from_tensor_slices((sources, targets))
        .shuffle(len(sources), seed=config.seed)
        .repeat()
        .batch(config.batch_size)
    )
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    g_optimizer, d_optimizer = (
        keras.optimizers.Adam(rate, config.beta_1, config.beta_2)
        for rate in (config.generator_learning_rate, config.discriminator_learning_rate)
    )

    @tf.function
    def train_step(source, target):
        noise = tf.random.uniform(noise_shape)
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            output = generator([noise, source], training=True)
            real = discriminator([target, source], training=True)
            fake = discriminator([output, source], training=True)
            l1 = tf.reduce_mean(tf.abs(target - output))
            g_loss = cross_entropy(tf.ones_like(fake), fake) + config.l1_weight * l1
            d_loss = cross_entropy(tf.ones_like(real), real)
            d_loss += cross_entropy(tf.zeros_like(fake), fake)
        for optimizer, network, tape, loss in (
            (g_optimizer, generator, g_tape, g_loss),
            (d_optimizer, discriminator, d_tape, d_loss),
        ):
            weights = network.trainable_variables
            gradients = tape.gradient(loss, weights)
            optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return g_loss

    return lambda: float(train_step(*next(batches)))


def torch_loop(config, sources: np.ndarray, targets: np.ndarray) -> Callable:
    """The same in eager PyTorch, channels-last; D moves first, then G on the same
    outputs, as the paper's own program does."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(os.cpu_count() or 1)
    generator, discriminator = torch_networks(
        sources.shape[1], sources.shape[3], targets.shape[3], config.base_channels
    )
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), rate, (config.beta_1, config.beta_2))
        for network, rate in (
            (generator, config.generator_learning_rate),
            (discriminator, config.discriminator_learning_rate),
        )
    )
    kinds = [
        torch.tensor(some)
        .permute(0, 3, 1, 2)
        .contiguous(memory_format=torch.channels_last)
        for some in (sources, targets)
    ]
    cross_entropy = functional.binary_cross_entropy_with_logits

    def judged(images, source, real: bool):
        logits = discriminator(torch.cat([images, source], 1))
        return cross_entropy(logits, torch.full_like(logits, float(real)))

    def train_step():
        rows = torch.randperm(len(sources))[: config.batch_size]
        source, target = (some[rows] for some in kinds)
        output = generator(source)
        d_optimizer.zero_grad()
        real, fake = (
            judged(target, source, True),
            judged(output.detach(), source, False),
        )
        (real + fake).backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        l1 = functional.l1_loss(output, target)
        loss = judged(output, source, True) + config.l1_weight * l1
        loss.backward()
        g_optimizer.step()
        return loss.item()

    return train_step


def torch_networks(size: int, source: int, target: int, base: int) -> tuple:
    """The networks of ``networks/translation.py``, pix2pix, in PyTorch's layers.

    Args:
      size: height and width.
      source, target: channels of the two kinds.
      base: channels of the first layer.
    """
    import torch
    from torch import nn

    def convolution(size: int, stride: int, *channels: int) -> nn.Module:
        # Padded as Keras does it: an odd size that is halved is rounded up.
        after = 1 if stride == 2 and size % 2 == 0 else 2
        pad = nn.ZeroPad2d((1, after, 1, after))
        return nn.Sequential(pad, nn.Conv2d(*channels, 4, stride))

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
            channels, sizes = [source], [size]
            while sizes[-1] > 1:
                i = len(self.downs)
                width = base * min(8, 2**i)
                layers = [convolution(sizes[-1], 2, channels[-1], width)]
                layers += [nn.BatchNorm2d(width)] if i else []
                self.downs.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
                channels.append(width)
                sizes.append((sizes[-1] + 1) // 2)
            below = channels[-1]
            for i in reversed(range(len(self.downs))):
                width = base * min(8, 2 ** max(0, i - 1))
                dropped = [nn.Dropout(0.5)] * (len(self.ups) < 3)
                up = nn.ConvTranspose2d(below, width, 4, 2, 1)
                rest = nn.Sequential(nn.BatchNorm2d(width), *dropped, nn.ReLU())
                self.ups.append(nn.ModuleList([up, rest]))
                below = width + channels[i]
            self.last = nn.Conv2d(below, target, 3, padding=1)

        def forward(self, x):
            maps = [x]
            for down in self.downs:
                maps.append(down(maps[-1]))
            x = maps.pop()
            for up, rest in self.ups:
                skip = maps.pop()
                height, width = skip.shape[2:]
                x = torch.cat([rest(up(x)[:, :, :height, :width]), skip], 1)
            return torch.tanh(self.last(x))

    halvings = 1 if size < 46 else 2  # patches of 16 or 34 pixels
    layers, before, side = [], target + source, size
    for i in range(halvings + 1):
        width = base * 2**i
        stride = 2 if i < halvings else 1
        layers.append(convolution(side, stride, before, width))
        layers += [nn.BatchNorm2d(width)] if i else []
        layers.append(nn.LeakyReLU(0.2))
        before, side = width, -(-side // stride)
    layers.append(convolution(side, 1, before, 1))
    networks = UNet(), nn.Sequential(*layers)
    return tuple(net.to(memory_format=torch.channels_last) for net in networks)
