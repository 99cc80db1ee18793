"""The detector of faces at any roll (experimental): photos, canvases, network, loss, training."""
