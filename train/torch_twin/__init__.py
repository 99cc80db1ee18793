"""Training of Keras networks by PyTorch's own steps, on twins with the same weights."""
