import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tfgan_mnist.data.grammar import WORDS
from tfgan_mnist.serving.saved_model import CONTROLS
from tfgan_mnist.serving.warmup import WARMUP, write_warmup


def test_the_servers_own_parser_reads_a_request(tmp_path):
    """Also of names so long that their lengths take two bytes."""
    model_name, key = "m" * 300, "k" * 200
    double = tf.function(
        lambda **inputs: {"doubled": 2.0 * inputs[key]}
    ).get_concrete_function(**{key: tf.TensorSpec([None, 7, 9], name=key)})
    signatures = {"some": double, "another": double}
    write_warmup(tmp_path, signatures, model_name)
    records = [*tf.data.TFRecordDataset(str(tmp_path / WARMUP))]
    logs = [prediction_log_pb2.PredictionLog.FromString(r.numpy()) for r in records]
    requests = [log.predict_log.request for log in logs]
    assert [r.model_spec.signature_name for r in requests] == ["another", "some"]
    for log, request in zip(logs, requests, strict=True):
        assert log.WhichOneof("log_type") == "predict_log"
        assert request.model_spec.name == model_name
        assert list(request.inputs) == [key]
        assert tf.make_ndarray(request.inputs[key]).shape == (1, 7, 9)
    assert sum(map(len, (r.numpy() for r in records))) == sum(
        log.ByteSize() for log in logs
    )


def test_a_signature_whose_rows_have_no_fixed_shape_gets_no_request(tmp_path):
    signatures = {
        name: tf.function(lambda **rows: {"y": rows["x"]}).get_concrete_function(
            x=tf.TensorSpec(shape, name="x")
        )
        for name, shape in (("free", [None, None]), ("any", None), ("two", [None, 2]))
    }
    write_warmup(tmp_path, signatures, "model")
    (record,) = tf.data.TFRecordDataset(str(tmp_path / WARMUP))
    log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
    assert log.predict_log.request.model_spec.signature_name == "two"


def test_no_request_is_one_that_the_model_refuses(tmp_path):
    """A truncation of 0, say: every other number may be zero."""
    names = ["seed", "temperature", *CONTROLS]
    echo = tf.function(lambda **inputs: dict(inputs)).get_concrete_function(
        **{name: tf.TensorSpec([None], name=name) for name in names}
    )
    write_warmup(tmp_path, {"sample": echo}, "model")
    (record,) = tf.data.TFRecordDataset(str(tmp_path / WARMUP))
    log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
    inputs = log.predict_log.request.inputs
    found = {name: tf.make_ndarray(inputs[name]).item() for name in names}
    assert found == {"seed": 0.0, "temperature": 0.0, **CONTROLS}


def test_a_prompt_is_of_known_words(tmp_path):
    prompt = tf.TensorSpec([None], tf.string, name="prompt")
    echo = tf.function(lambda **inputs: dict(inputs)).get_concrete_function(
        prompt=prompt
    )
    write_warmup(tmp_path, {"sample": echo}, "model")
    (record,) = tf.data.TFRecordDataset(str(tmp_path / WARMUP))
    log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
    (row,) = tf.make_ndarray(log.predict_log.request.inputs["prompt"])
    assert row.decode() in WORDS
