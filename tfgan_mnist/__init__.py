"""Generative adversarial networks on MNIST, for TensorFlow 2 and Keras 3.

Importing the package is cheap: TensorFlow is loaded by whatever needs it first.
"""

__version__ = "0.3.0"
