"""What every benchmark needs: timing, memory, cold start, the machine, exit status."""
