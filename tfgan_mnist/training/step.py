"""The one compiled step: each player, each of its updates: tape, gradients, apply."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist.system.replicas import (
    count_replicas,
    forgetting_gradients,
    take_own,
)
from tfgan_mnist.system.seeds import DROPOUT, LATENTS, fold_in, run_seed
from tfgan_mnist.training.averaging import update_average

Terms = dict[str, tf.Tensor]


class Game(Protocol):
    """What the step knows of a GAN."""

    def generate(self, batch: Any, seed: tf.Tensor, step: tf.Tensor) -> Any: ...

    def losses(
        self, batch: Any, fakes: Any, sides: Sequence[str]
    ) -> Mapping[str, Terms]: ...


@dataclasses.dataclass
class Player:
    """A side with what moves it.

    Args:
      name: the side's; heads its columns in the logs.
      networks: those that it trains.
      optimizer: its own; built here, so that its slots exist before a checkpoint is
        read.
      updates: how many it makes in a step.
      generates: whether its gradient flows through the fakes.
      uses_batch: whether its loss looks at real samples.
    """

    name: str
    networks: Sequence[keras.Model]
    optimizer: keras.optimizers.Optimizer
    updates: int = 1
    generates: bool = False
    uses_batch: bool = True

    def __post_init__(self):
        self.optimizer.build(self.variables)

    @property
    def variables(self) -> list:
        """All that its optimizer moves."""
        return [v for network in self.networks for v in network.trainable_variables]

    def scaled(self, loss: tf.Tensor) -> tf.Tensor:
        """What this replica takes gradients of: its optimizer adds up all replicas',
        and undoes a scale of its own, if it has one."""
        return self.optimizer.scale_loss(loss / count_replicas())


@dataclasses.dataclass
class Average:
    """A network, its exponential average, and the decay a step."""

    average: keras.Model
    network: keras.Model
    decay: float


class Step:
    """All updates of one step, as a ``tf.function`` over many of them.

    Args:
      game: the GAN.
      players: in the order in which they move.
      batch: (step number, draw) → batch; draws are numbered from 0 within a step.
      seed: of the run.
      shared_draws: what the updates of a step share: "none", "batch", or "all", one
        batch and one draw of latents. With "all" a pass of the generating side serves
        every update until that side moves, which saves a pass in each step. The
        gradients are those of separate passes; the moving statistics count the shared
        pass once.
      simultaneous: all gradients are taken from the same passes, before anyone moves;
        every player makes one update.
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
        batch: Callable[[tf.Tensor, int], Any],
        seed: int,
        shared_draws: str = "none",
        simultaneous: bool = False,
        averages: Sequence[Average] = (),
        steps_per_call: int = 1,
        jit_compile: str = "off",
    ):
        self.game = game
        self.players = players
        self.batch = batch
        self.latent_seed = run_seed(seed, LATENTS)
        self.dropout_seed = run_seed(seed, DROPOUT)
        self.share_latents = shared_draws == "all" or simultaneous
        self.share_batch = shared_draws != "none" or simultaneous
        self.simultaneous = simultaneous
        self.averages = averages
        self.steps_per_call = steps_per_call
        self.jit_compile = jit_compile
        has_strategy = tf.distribute.has_strategy()
        self.strategy = tf.distribute.get_strategy() if has_strategy else None
        self.names: tuple[str, ...] = ()  # of the losses, known once traced
        # Its loops are Python's, to be unrolled: nothing for autograph to convert.
        self._updates = tf.function(
            self.one_step, jit_compile=jit_compile == "step", autograph=False
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

    def advance(self, first: int, count: int) -> np.ndarray:
        """``__call__`` with Python's numbers and an array, as the loop has them."""
        return self(tf.constant(first), tf.constant(count)).numpy()

    @property
    def draws(self) -> int:
        """Batches in a step: one, or one for each update that looks at real samples."""
        if self.share_batch:
            return 1
        return max(1, sum(p.updates for p in self.players if p.uses_batch))

    def batches(self, step: tf.Tensor) -> tuple:
        """The batches of a step."""
        return tuple(self.batch(step, draw) for draw in range(self.draws))

    def _many_steps(self, first: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        # Traced once, for its shapes and for map_fn, which would convert it again.
        make = tf.function(self.batches, autograph=False)
        one = make.get_concrete_function(first).structured_outputs
        batches = tf.map_fn(
            tf.autograph.experimental.do_not_convert(make),
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
            of_step = tf.nest.map_structure(lambda rows: rows[i], batches)
            return i + 1, losses.write(i, self._updates(first + i, of_step))

        _, losses = tf.while_loop(
            lambda i, losses: i < count,
            make,
            [tf.constant(0), tf.TensorArray(tf.float32, rows)],
            parallel_iterations=1,
        )
        return losses.stack()

    def one_step(self, step: tf.Tensor, batches: Sequence[Any]) -> tf.Tensor:
        """One step on the batches of its draws, uncompiled.

        Args:
          step: scalar int32, steps made before.
          batches: one for each of ``draws``.

        Returns:
          float32 [len(self.names)], as ``__call__`` has them.
        """
        self._seed_dropout(fold_in(self.dropout_seed, step))
        with forgetting_gradients():
            if self.strategy:
                losses = self.strategy.run(self._play, (step, batches))
                losses = self.strategy.reduce("MEAN", losses, axis=None)
            else:  # a caller may be in a replica of its own, as Keras's fit is
                losses = self._play(step, batches)
        for average in self.averages:
            update_average(average.average, average.network, average.decay, step)
        return losses

    def _play(self, step: tf.Tensor, batches: Sequence[Any]) -> tf.Tensor:
        """What each replica does of a step, with its own rows of the batches."""
        if count_replicas() > 1:
            batches = tf.nest.map_structure(take_own, batches)
        seed = fold_in(self.latent_seed, step)
        play = self._play_at_once if self.simultaneous else self._play_in_turn
        logs: dict[str, tf.Tensor] = {}
        for name, (total, terms) in play(step, seed, batches).items():
            logs[name] = total
            if len(terms) > 1:
                logs |= {f"{name}_{term}": value for term, value in terms.items()}
        self.names = tuple(logs)
        return tf.stack(list(logs.values()))

    def _play_in_turn(self, step, seed, batches):
        """Every update sees what the ones before it did. They are unrolled."""
        found = {}
        fakes, draws, looked = None, 0, 0
        for player in self.players:
            for _ in range(player.updates):
                # A side that looks at no real sample takes what is there.
                batch = batches[min(looked, self.draws - 1)]
                looked += player.uses_batch and not self.share_batch
                if fakes is None or not self.share_latents:
                    draw = 0 if self.share_latents else draws
                    with tf.GradientTape() as making_tape:
                        fakes = self.game.generate(batch, fold_in(seed, draw), step)
                    draws += 1
                if player.generates:
                    tape = making_tape  # goes on recording where the fakes end
                    shown = fakes
                else:
                    tape = tf.GradientTape()
                    shown = tf.nest.map_structure(tf.stop_gradient, fakes)
                with tape:
                    terms = self.game.losses(batch, shown, [player.name])[player.name]
                    total = tf.add_n(list(terms.values()))
                    loss = player.scaled(total)
                gradients = tape.gradient(loss, player.variables)
                player.optimizer.apply(gradients, player.variables)
                if player.generates:
                    fakes = None  # the networks that made them have moved
            found[player.name] = total, terms
        return found

    def _play_at_once(self, step, seed, batches):
        """Everyone answers the others as they were before the step."""
        names = [player.name for player in self.players]
        with tf.GradientTape(persistent=True) as tape:
            fakes = self.game.generate(batches[0], fold_in(seed, 0), step)
            losses = self.game.losses(batches[0], fakes, names)
            found = {
                name: (tf.add_n(list(terms.values())), terms)
                for name, terms in losses.items()
            }
            scaled = [player.scaled(found[player.name][0]) for player in self.players]
        gradients = [
            tape.gradient(loss, player.variables)
            for loss, player in zip(scaled, self.players, strict=True)
        ]
        for player, of_player in zip(self.players, gradients, strict=True):
            player.optimizer.apply(of_player, player.variables)
        return found

    def _seed_dropout(self, seed: tf.Tensor) -> None:
        """Makes dropout a function of the step, so that it has no state to save."""
        for player in self.players:
            for network in player.networks:
                for variable in random_states(network):
                    seed = fold_in(seed, 0)
                    variable.assign(tf.cast(seed, variable.dtype))


def random_states(network: keras.Model) -> list:
    """The variables in which Keras's layers keep the state of their randomness."""
    weights = {id(variable) for variable in network.weights}
    return [v for v in network.variables if id(v) not in weights]
