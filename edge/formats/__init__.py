"""What files hold: their kind by their content, colour profiles, deep grey, HEIC."""
