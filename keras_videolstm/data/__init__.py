"""Videos, percept stores and moving digits as tf.data."""
