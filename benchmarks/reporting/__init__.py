"""Results as plots and tables, and their schema."""
