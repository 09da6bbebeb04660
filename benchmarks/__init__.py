"""Speed and memory, side by side with PyTorch and stock Keras; run by hand."""
