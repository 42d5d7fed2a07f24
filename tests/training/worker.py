"""What each process of tests/training/test_distribution.py does: a few tiny trainings.

    python worker.py GAMES    (JSON: [[recipe, overrides], …])

Prints, as JSON, of each its losses [steps, names] and the sum of its weights' squares.
With TF_CONFIG in the environment it is one of several workers.
"""

import json
import os
import sys

import numpy as np


def main() -> None:
    from tfgan_mnist.system.runtime import load_tensorflow

    team = load_tensorflow(assembled)
    import tensorflow as tf
    from conftest import tiny_config

    if team.cluster is None:  # whoever is alone need not trace
        tf.config.run_functions_eagerly(True)

    from tfgan_mnist.build import build_training

    found = []
    for recipe, overrides in json.loads(sys.argv[1]):
        with team.strategy.scope():
            training = build_training(tiny_config(recipe, **overrides))
        losses = [
            training.step(tf.constant(first), tf.constant(2)).numpy()
            for first in (0, 2)
        ]
        squares = [
            float((np.asarray(variable) ** 2).sum())
            for name, variable in training.variables.items()
            if "optimizer" not in name
        ]
        found.append((np.concatenate(losses).tolist(), sum(squares)))
    print(json.dumps(found))


def assembled():
    from tfgan_mnist.system.cluster import read_cluster
    from tfgan_mnist.training.distribution import assemble

    if "TF_CONFIG" not in os.environ:
        return assemble("none", None)
    return assemble("multi_worker", read_cluster())


if __name__ == "__main__":
    main()
