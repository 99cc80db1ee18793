"""Geometry of faces: affine matrices, similarities, boxes, the mean face and head pose."""
