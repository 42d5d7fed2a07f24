"""The one compiled step: each player, each of its updates: tape, gradients, apply."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import tensorflow as tf

from tfgan_mnist.system.seeds import DROPOUT, LATENTS, fold_in, run_seed
from tfgan_mnist.training.averaging import update_average


class Game(Protocol):
    """What the step knows of a GAN: that one side makes what both sides judge."""

    def generate(self, batch: Any, seed: tf.Tensor) -> Any: ...


@dataclasses.dataclass
class Player:
    """One side of the game.

    Args:
      name: heads its columns in the logs.
      network: what it trains.
      loss: (batch, fakes) → named terms, whose sum is minimised.
      optimizer: its own; built here, so that its slots exist before a checkpoint is
        read.
      updates: how many it makes in a step.
      generates: whether its gradients flow through the fakes that it made.
    """

    name: str
    network: keras.Model
    loss: Callable[[Any, Any], dict[str, tf.Tensor]]
    optimizer: keras.optimizers.Optimizer
    updates: int = 1
    generates: bool = False

    def __post_init__(self):
        self.optimizer.build(self.network.trainable_variables)


@dataclasses.dataclass
class Average:
    """A network, its exponential average, and the decay a step."""

    average: keras.Model
    network: keras.Model
    decay: float


class Step:
    """All updates of one step, as a ``tf.function`` over many of them.

    Args:
      game: the GAN, for ``generate``.
      players: in the order in which they move.
      batch: step number → batch.
      seed: of the run.
      share_latents: one draw for all updates of a step, or a fresh one for each. With
        one draw a pass of the generator serves every update until the generator moves,
        which saves a pass in each step. The gradients are those of separate passes; the
        generator's moving statistics count the shared pass once.
      averages: updated after all players have moved.
      steps_per_call: the most that are made in one call; their batches are made first,
        and held in memory together.
      jit_compile: what XLA compiles (never the batches, which it cannot): "off",
        "step", or "loop" around many steps too. Small dense networks gain much by the
        loop; convolutions in it are very slow on a CPU.
    """

    def __init__(
        self,
        game: Game,
        players: Sequence[Player],
        batch: Callable[[tf.Tensor], Any],
        seed: int,
        share_latents: bool,
        averages: Sequence[Average] = (),
        steps_per_call: int = 1,
        jit_compile: str = "off",
    ):
        self.game = game
        self.players = players
        self.batch = batch
        self.latent_seed = run_seed(seed, LATENTS)
        self.dropout_seed = run_seed(seed, DROPOUT)
        self.share_latents = share_latents
        self.averages = averages
        self.steps_per_call = steps_per_call
        self.jit_compile = jit_compile
        self.names: tuple[str, ...] = ()  # of the losses, known once traced
        # Its loops are Python's, to be unrolled: nothing for autograph to convert.
        self._updates = tf.function(
            self._one_step, jit_compile=jit_compile == "step", autograph=False
        )
        self._steps = tf.function(
            self._make_steps, jit_compile=jit_compile == "loop", autograph=False
        )
        self._compiled = tf.function(self._many_steps, autograph=False)

    def __call__(self, first: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Makes ``count`` steps from step number ``first``.

        Args:
          first: scalar int32, steps made before.
          count: scalar int32, from 1 to steps_per_call.

        Returns:
          float32 [count, len(self.names)]: the losses of each step, as they were just
          before each player's last update of it.
        """
        return self._compiled(first, count)

    def _many_steps(self, first: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        one = tf.function(self.batch).get_concrete_function(first).structured_outputs
        batches = tf.map_fn(
            self.batch,
            first + tf.range(count),
            fn_output_signature=tf.nest.map_structure(tf.TensorSpec.from_tensor, one),
        )
        if self.jit_compile == "loop":
            batches = tf.nest.map_structure(self._filled, batches)
        return self._steps(first, count, batches)[:count]

    def _filled(self, rows: tf.Tensor) -> tf.Tensor:
        """Zeros after the last row, so that XLA compiles the loop but once."""
        missing = self.steps_per_call - tf.shape(rows)[0]
        paddings = [[0, missing]] + [[0, 0]] * (rows.shape.rank - 1)
        filled = tf.pad(rows, paddings)
        return tf.ensure_shape(filled, [self.steps_per_call, *rows.shape[1:]])

    def _make_steps(self, first: tf.Tensor, count: tf.Tensor, batches: Any):
        """The loop; of the losses that it returns the first ``count`` are made."""
        rows = tf.nest.flatten(batches)[0].shape[0] or count

        def make(i: tf.Tensor, losses: tf.TensorArray):
            batch = tf.nest.map_structure(lambda rows: rows[i], batches)
            return i + 1, losses.write(i, self._updates(first + i, batch))

        _, losses = tf.while_loop(
            lambda i, losses: i < count,
            make,
            [tf.constant(0), tf.TensorArray(tf.float32, rows)],
            parallel_iterations=1,
        )
        return losses.stack()

    def _one_step(self, step: tf.Tensor, batch: Any) -> tf.Tensor:
        """One step. The updates are unrolled: each is in the graph."""
        self._seed_dropout(fold_in(self.dropout_seed, step))
        seed = fold_in(self.latent_seed, step)
        draws = 0
        fakes = None
        logs: dict[str, tf.Tensor] = {}
        for player in self.players:
            for _ in range(player.updates):
                if fakes is None or not self.share_latents:
                    draw = 0 if self.share_latents else draws
                    with tf.GradientTape() as generator_tape:
                        fakes = self.game.generate(batch, fold_in(seed, draw))
                    draws += 1
                if player.generates:
                    tape = generator_tape  # goes on recording where the fakes end
                    judged = fakes
                else:
                    tape = tf.GradientTape()
                    judged = tf.nest.map_structure(tf.stop_gradient, fakes)
                with tape:
                    terms = player.loss(batch, judged)
                    total = tf.add_n(list(terms.values()))
                variables = player.network.trainable_variables
                player.optimizer.apply(tape.gradient(total, variables), variables)
                if player.generates:
                    fakes = None  # the generator has moved
            logs[player.name] = total
            if len(terms) > 1:
                logs |= {f"{player.name}_{name}": term for name, term in terms.items()}
        for average in self.averages:
            update_average(average.average, average.network, average.decay, step)
        self.names = tuple(logs)
        return tf.stack(list(logs.values()))

    def _seed_dropout(self, seed: tf.Tensor) -> None:
        """Makes dropout a function of the step, so that it has no state to save."""
        for player in self.players:
            for variable in random_states(player.network):
                seed = fold_in(seed, 0)
                variable.assign(tf.cast(seed, variable.dtype))


def random_states(network: keras.Model) -> list:
    """The variables in which Keras's layers keep their random generators' state."""
    weights = {id(variable) for variable in network.weights}
    return [v for v in network.variables if id(v) not in weights]
