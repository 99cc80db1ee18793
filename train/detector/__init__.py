"""Training the face detector: photos with boxes, canvases made of them, targets, network, loss."""
