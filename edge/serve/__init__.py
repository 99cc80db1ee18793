"""`python -m edge.serve`: an HTTP inference server with a web page."""
