"""The live stream: a camera or a video, its viewers, and what is measured of its faces."""
