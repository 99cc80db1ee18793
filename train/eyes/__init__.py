"""Training of the eye network: how far an eye is open."""
