"""What the commands do: imported when they run, so that `--help` need not wait for TensorFlow."""
