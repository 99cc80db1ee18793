"""The face detector: photos with boxes, training canvases, targets, network, loss, training."""
