"""`python -m edge.run`: faces of photos, videos, cameras and crop files on the command line."""
