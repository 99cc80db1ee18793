"""The console script `edge-keypoints`: one name for the commands of the other packages."""
