"""What a served model checks of a request, in its own graph: right, or refused.

Neither TensorFlow Serving nor a loaded signature compares shapes with what was
declared, and much that is wrong would be reshaped, broadcast or turned into NaN without
a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from tfgan_mnist.gans.gan import Signature

_TOLERANCE = 1e-3  # of float ranges: what resizing and rounding may add

Tensors = Mapping[str, tf.Tensor]


def checked(signature: Signature) -> Callable[..., Tensors]:
    """A signature's function, which refuses inputs and answers that cannot be right.

    Inputs must have their declared shapes, one row or more, as many as each other, and
    finite values in their ranges; answers must be finite. An InvalidArgumentError says
    which is wrong.
    """

    def answer(**given: tf.Tensor) -> Tensors:
        # The placeholder hides the static shape, which is believed and not looked at,
        # and gives the input's name to the error.
        with tf.name_scope("request"):
            given = {
                name: tf.raw_ops.PlaceholderWithDefault(
                    input=x, shape=tf.TensorShape(None), name=name
                )
                for name, x in given.items()
            }
        given = {
            name: tf.ensure_shape(x, signature.inputs[name].shape)
            for name, x in given.items()
        }
        with tf.control_dependencies(_input_checks(signature, given)):
            inputs = {name: tf.identity(x) for name, x in given.items()}
        found = signature.function(**inputs)
        checks = [
            _check(
                tf.reduce_all(tf.math.is_finite(x)),
                f"{name}: not finite; the inputs are too large or the model bad",
            )
            for name, x in found.items()
            if x.dtype.is_floating
        ]
        with tf.control_dependencies(checks):
            return {name: tf.identity(x) for name, x in found.items()}

    return answer


def _input_checks(signature: Signature, given: Tensors) -> list[tf.Operation]:
    counts = {name: tf.shape(x)[0] for name, x in given.items()}
    checks = [
        _check(counts[name] > 0, f"{name}: has no rows") for name in sorted(counts)
    ]
    first = min(counts)
    for name in sorted(set(counts) - {first}):
        same = tf.equal(counts[name], counts[first])
        text = f"{name}: one for each row of {first}; rows are"
        checks.append(_check(same, text, counts[name], counts[first]))
    values = (_check_values(name, x, signature) for name, x in given.items())
    return checks + [check for check in values if check is not None]


def _check_values(name: str, x: tf.Tensor, signature: Signature) -> tf.Operation | None:
    if name in signature.ranges:
        low, high = signature.ranges[name]
        slack = _TOLERANCE if x.dtype.is_floating else 0
        fits = (x >= tf.cast(low - slack, x.dtype)) & (
            x <= tf.cast(high + slack, x.dtype)
        )
        return _check(tf.reduce_all(fits), f"{name}: must be from {low:g} to {high:g}")
    if x.dtype.is_floating:
        return _check(tf.reduce_all(tf.math.is_finite(x)), f"{name}: must be finite")
    return None


def _check(condition: tf.Tensor, text: str, *values: tf.Tensor) -> tf.Operation:
    return tf.raw_ops.Assert(condition=condition, data=[text, *values], summarize=8)
