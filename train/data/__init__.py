"""Training faces: their sources, annotation schemes, crops, splits and augmentation."""
