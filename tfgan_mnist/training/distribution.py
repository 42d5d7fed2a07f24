"""Several workers or devices that make the steps of one run together.

``tf.distribute`` copies every variable to each of them and adds up their gradients.
Every batch and every random number is a function of (seed, step), so each takes its
rows of what one would have, and nothing has to be handed out.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator

import tensorflow as tf

from tfgan_mnist.system.cluster import Cluster

# Reasons to stop, beside the numbers of signals.
OVER, COLLAPSED = 254, 255

PATIENCE = 300  # seconds that workers wait for each other at the start


class Team:
    """What the processes of a run share.

    Args:
      strategy: TensorFlow's, whose replicas train together; the default one alone.
      cluster: who they are; None if there is but one process.

    Attributes:
      asked: called for a reason to stop that does not come from this process, or 0.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy | None = None,
        cluster: Cluster | None = None,
    ):
        self.strategy = strategy or tf.distribute.get_strategy()
        self.cluster = cluster
        self.asked: Callable[[], int] = lambda: 0
        self._sum = tf.function(self._summed, autograph=False)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes what the run leaves, and prints."""
        return self.cluster is None or self.cluster.is_chief

    @property
    def replicas(self) -> int:
        """How many parts a batch is divided into."""
        return self.strategy.num_replicas_in_sync

    def agree(self, number: float, reason: int, count: int) -> tuple[float, int, int]:
        """The chief's numbers, and the largest of the workers' reasons to stop.

        Every worker must ask at the same place of the run: it waits for the others.

        Args:
          number: seconds of training, say.
          reason: why this worker wants to stop, from 1 to 255; 0 if it does not.
          count: a whole number below 2³².
        """
        reason = reason or self.asked()
        if self.cluster is None:
            return number, reason, count
        chief = [float(number), float(count)] if self.is_chief else [0.0, 0.0]
        reasons = [0.0] * len(self.cluster.addresses)
        reasons[self.cluster.index] = float(reason)
        mine = tf.constant([*chief, *reasons], tf.float64)
        number, count, *reasons = map(float, self._sum(mine).numpy())
        return number, round(max(reasons)), round(count)  # sums of parts

    def _summed(self, numbers: tf.Tensor) -> tf.Tensor:
        """The sum over all workers."""
        replicas = self.replicas // len(self.cluster.addresses)  # of each worker

        def share() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            return context.all_reduce("SUM", numbers / replicas)

        return self.strategy.experimental_local_results(self.strategy.run(share))[0]


def assemble(distribute: str, cluster: Cluster | None) -> Team:
    """The team of a run; of several workers, once all of them are there.

    TensorFlow must not have been started: a cluster is joined before that.

    Args:
      distribute: "none", "mirrored" (all GPUs of this machine; its processor if it has
        none) or "multi_worker".
      cluster: of the workers, for the last.
    """
    if distribute == "mirrored":
        return Team(tf.distribute.MirroredStrategy())
    if distribute == "multi_worker":
        others = ", ".join(cluster.addresses)
        with _patience(PATIENCE, f"not all workers came ({others})"):
            team = Team(tf.distribute.MultiWorkerMirroredStrategy(), cluster)
            team.agree(0, 0, 0)
        return team
    return Team()


@contextlib.contextmanager
def _patience(seconds: float, what: str) -> Iterator[None]:
    """Ends the process if what is inside takes longer: TensorFlow waits for ever."""

    def end() -> None:
        sys.stderr.write(
            f"error: {what} within {seconds:g} seconds; start the same command on "
            "each, with its own index in TF_CONFIG\n"
        )
        sys.stderr.flush()
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
