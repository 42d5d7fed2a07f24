"""Requests that warm a served model up, as TensorFlow Serving reads them.

They are written field by field: the package ``tensorflow-serving-api``, which has their
protobufs, brings gRPC along for six fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfgan_mnist.serving.saved_model import CONTROLS

WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"
"""Where in a SavedModel the server looks for them when it starts."""


def write_warmup(
    saved_model: Path, signatures: Mapping[str, Any], model_name: str
) -> None:
    """Writes a request of one row to each signature: a TFRecord of PredictionLogs.

    A signature of somebody else's whose rows have no fixed shape gets none.

    Args:
      saved_model: folder of the version.
      signatures: the loaded model's, by name.
      model_name: as the server knows it.
    """
    path = saved_model / WARMUP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, signature in sorted(signatures.items()):
            _, inputs = signature.structured_input_signature
            if any(None in _row_shape(spec) for spec in inputs.values()):
                continue
            writer.write(_prediction_log(model_name, name, inputs))


def _prediction_log(
    model_name: str, signature_name: str, inputs: Mapping[str, tf.TensorSpec]
) -> bytes:
    """A PredictionLog; the numbers are those of tensorflow_serving/apis/*.proto."""
    # ModelSpec: name = 1, signature_name = 3
    spec = _field(1, model_name.encode()) + _field(3, signature_name.encode())
    request = _field(1, spec)  # PredictRequest: model_spec = 1
    for key, spec in inputs.items():
        if key == "prompt":
            row = tf.constant(["7"])
        elif spec.dtype == tf.string:  # of a picture's file
            row = tf.fill([1], tf.io.encode_png(tf.zeros([1, 1, 1], tf.uint8)))
        else:  # zeros, but for what may not be zero
            row = tf.cast(
                tf.fill([1, *_row_shape(spec)], CONTROLS.get(key, 0)), spec.dtype
            )
        one_row = tf.make_tensor_proto(row)
        # PredictRequest: map<string, TensorProto> inputs = 2
        entry = _field(1, key.encode()) + _field(2, one_row.SerializeToString())
        request += _field(2, entry)
    # PredictionLog: predict_log = 6; PredictLog: request = 1
    return _field(6, _field(1, request))


def _row_shape(spec: tf.TensorSpec) -> tuple[int | None, ...]:
    """Of one row of an input; (None,) if its rank is not known."""
    return (None,) if spec.shape.rank is None else tuple(spec.shape[1:])


def _field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes: its number and wire type, its length, the bytes."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """A number in groups of seven bits, the lowest first."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
