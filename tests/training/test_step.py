import dataclasses
import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import eager_step, tiny_config
from tensorflow.python.framework.func_graph import FuncGraph

from tfgan_mnist.build import build_training
from tfgan_mnist.gans.losses import sigmoid_cross_entropy
from tfgan_mnist.system.seeds import LATENTS, fold_in, run_seed
from tfgan_mnist.training.step import Step, random_states


def advance(training, first: int, count: int) -> np.ndarray:
    return training.step(tf.constant(first), tf.constant(count)).numpy()


def values(training) -> dict[str, np.ndarray]:
    return {name: v.numpy() for name, v in training.variables.items()}


def rebuilt_with_sgd(config):
    """Adam's first moves are as long as its rate even for a gradient of pure rounding
    noise (a bias before batch normalisation has one); plain descent's are not.
    """
    training = build_training(config)
    step = training.step
    players = [
        dataclasses.replace(player, optimizer=keras.optimizers.SGD(0.1))
        for player in step.players
    ]
    step = Step(
        step.game,
        players,
        step.batch,
        config.seed,
        config.shared_draws,
        config.simultaneous,
    )
    return dataclasses.replace(training, step=step)


def descend(network, tape, loss):
    """Plain descent on one network's loss, at the rate of ``rebuilt_with_sgd``."""
    variables = network.trainable_variables
    for weight, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        weight.assign_sub(0.1 * gradient)


def plain_step(config):
    """The same step written out: a pass for each update, Keras's own everything."""
    training = rebuilt_with_sgd(config)
    gan, batch = training.gan, training.step.batch
    own, shared = config.shared_draws == "none", config.shared_draws == "all"
    seed = fold_in(run_seed(config.seed, LATENTS), 0)
    updates = config.discriminator_updates
    latents = [
        gan.draw_latents(config.batch_size, fold_in(seed, 0 if shared else i))
        for i in range(updates + 2)
    ]
    statistics = gan.generator.non_trainable_variables
    initial = [statistic.numpy() for statistic in statistics]
    for i in range(updates):
        real = batch(tf.constant(0), i if own else 0)["samples"]
        with tf.GradientTape() as tape:
            fakes = gan.generator(latents[i], training=True)
            loss = sigmoid_cross_entropy(
                gan.discriminator(real, training=True), 1.0
            ) + sigmoid_cross_entropy(gan.discriminator(fakes, training=True), 0.0)
        descend(gan.discriminator, tape, loss)
    if shared:  # the shared pass counts once
        for statistic, value in zip(statistics, initial, strict=True):
            statistic.assign(value)
    for i in (updates, updates + 1):
        with tf.GradientTape() as tape:
            fakes = gan.generator(latents[i], training=True)
            loss = sigmoid_cross_entropy(gan.discriminator(fakes, training=True), 1.0)
        descend(gan.generator, tape, loss)
    return gan


def assert_same_weights(gan, reference):
    assert gan.networks.keys() == reference.networks.keys()
    for name, network in gan.networks.items():
        pairs = zip(network.weights, reference.networks[name].weights, strict=True)
        for a, b in pairs:
            np.testing.assert_allclose(a, b, atol=1e-5, err_msg=a.path)


@pytest.mark.parametrize("updates", [1, 2])
@pytest.mark.parametrize("shared_draws", ["none", "batch", "all"])
def test_a_step_is_updates_of_d_then_two_of_g(shared_draws, updates):
    config = tiny_config(shared_draws=shared_draws, discriminator_updates=updates)
    training = rebuilt_with_sgd(config)
    before = training.gan.generator.get_weights()
    losses = advance(training, 0, 1)
    assert_same_weights(training.gan, plain_step(config))
    assert abs(training.gan.generator.get_weights()[0] - before[0]).max() > 1e-3
    assert training.step.names == (
        "discriminator",
        "discriminator_real",
        "discriminator_fake",
        "generator",
    )
    np.testing.assert_allclose(losses[0, 0], losses[0, 1] + losses[0, 2], rtol=1e-6)
    found = {p.name: int(p.optimizer.iterations) for p in training.step.players}
    assert found == {"discriminator": updates, "generator": 2}
    # A batch for each update that looks at real samples; G's does not.
    assert training.step.draws == (updates if shared_draws == "none" else 1)


@pytest.mark.parametrize(("one", "other"), [("all", "batch"), ("batch", "none")])
def test_what_updates_share_makes_another_run(one, other):
    weights = []
    for shared_draws in (one, other):
        training = build_training(
            tiny_config(shared_draws=shared_draws, discriminator_updates=2)
        )
        eager_step(training)
        weights.append(values(training))
    one, other = weights
    assert any(not np.array_equal(one[k], other[k]) for k in one if "generator/" in k)


@pytest.mark.parametrize(
    ("recipe", "flags"),
    [
        ("dcgan_cpu", {}),
        ("dcgan_tutorial", {}),  # dropout, whose state must not matter either
        ("moons", {"jit_compile": "step"}),
        ("ring_relativistic", {"jit_compile": "loop"}),
        ("cgan_embedding", {}),
        ("wgan_gp", {"discriminator_updates": 2}),  # several batches in a step
        ("vae", {}),
    ],
)
def test_many_steps_in_a_call_are_the_same_bits_as_one_by_one(recipe, flags):
    config = tiny_config(recipe, **flags)
    together, apart = build_training(config), build_training(config)
    losses = advance(together, 0, 4)
    for player in apart.step.players:
        for network in player.networks:
            for state in random_states(network):
                state.assign(tf.cast([7, 7], state.dtype))
    singles = np.concatenate([advance(apart, i, 1) for i in range(4)])
    np.testing.assert_array_equal(losses, singles)
    for name, value in values(together).items():
        np.testing.assert_array_equal(value, values(apart)[name], err_msg=name)


def test_dropout_differs_from_step_to_step():
    training = build_training(tiny_config("dcgan_tutorial"))
    (state, *_) = random_states(training.gan.discriminator)
    seen = []
    for i in range(3):
        advance(training, i, 1)
        seen.append(tuple(state.numpy()))
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    ("recipe", "compiled"), [("dcgan32", "step"), ("ring_relativistic", "loop")]
)
def test_xla_computes_the_same_step(recipe, compiled):
    losses = []
    for jit_compile in ("off", compiled):
        training = build_training(tiny_config(recipe, jit_compile=jit_compile))
        dim = training.gan.latent_dim
        # Of the same seed XLA would draw other numbers.
        training.gan.draw_latents = lambda count, seed, dim=dim: tf.reshape(
            tf.linspace(-2.0, 2.0, count * dim), [count, dim]
        )
        losses.append(advance(training, 0, 3))
    np.testing.assert_allclose(*losses, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_mixed_precision_computes_in_half_and_keeps_float32(kind):
    training = build_training(tiny_config(mixed_precision=kind))
    hidden = training.gan.generator.layers[0]
    assert hidden.compute_dtype == kind
    before = values(training)
    losses = advance(training, 0, 2)
    exact = advance(build_training(tiny_config()), 0, 2)
    np.testing.assert_allclose(losses, exact, rtol=0.1, atol=0.1)
    floats = {v.dtype.name for v in values(training).values() if v.dtype.kind == "f"}
    assert floats == {"float32"}
    assert any(not np.array_equal(before[k], v) for k, v in values(training).items())
    assert keras.config.dtype_policy().name == "float32"


STATISTICS = ("_mean", "_variance")  # of batch normalisation: passes move them


def scaled_training(recipe="", **flags):
    """A training in float16, and D's optimizer."""
    config = tiny_config(recipe, mixed_precision="float16", **flags)
    training = build_training(config)
    (player,) = (p for p in training.step.players if p.name == "discriminator")
    return training, player.optimizer


def test_a_loss_scale_too_large_is_halved_and_moves_nothing():
    training, optimizer = scaled_training()
    optimizer.dynamic_scale.assign(2.0**40)
    before = values(training)
    advance(training, 0, 1)
    after = values(training)
    assert float(optimizer.dynamic_scale.numpy()) == 2.0**39
    assert int(optimizer.iterations.numpy()) == 0
    for name in after:
        if name.startswith("discriminator/") and not name.endswith(STATISTICS):
            np.testing.assert_array_equal(after[name], before[name], err_msg=name)
    name = next(n for n in after if n.startswith("generator/"))  # its scale is its own
    assert not np.array_equal(after[name], before[name])


@pytest.mark.parametrize(
    ("recipe", "flags"),
    [
        ("wgan_gp", {"discriminator_updates": 2}),  # a penalty on a gradient
        ("stylegan", {}),  # R1, path lengths, demodulation
        ("dcgan_tutorial", {}),  # both gradients from the same passes
    ],
)
def test_scaled_losses_are_those_of_float32(recipe, flags):
    training, optimizer = scaled_training(recipe, **flags)
    exact = build_training(tiny_config(recipe, **flags))
    # To trace stylegan takes half a minute.
    step = eager_step if recipe == "stylegan" else lambda one, i: advance(one, i, 1)
    for i in range(2):
        losses = [step(one, i) for one in (training, exact)]
        np.testing.assert_allclose(*losses, rtol=0.02, atol=0.05)
    updates = 2 * flags.get("discriminator_updates", 1)
    assert int(optimizer.iterations.numpy()) == updates
    assert float(optimizer.dynamic_scale.numpy()) == 2.0**15


def test_a_training_that_nobody_uses_any_more_leaves_no_graph():
    def graphs():
        gc.collect()
        return [o for o in gc.get_objects() if isinstance(o, FuncGraph)]

    before = {id(graph) for graph in graphs()}
    training = build_training(tiny_config())
    advance(training, 0, 1)
    traced = [weakref.ref(graph) for graph in graphs() if id(graph) not in before]
    assert traced
    del training
    gc.collect()
    assert [graph for graph in traced if graph()] == []
