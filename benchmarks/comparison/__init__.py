"""This package beside its peers: environments, worker processes, interleaved timing."""
