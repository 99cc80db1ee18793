"""`python -m edge.serve`: an inference service over HTTP, with a page."""
