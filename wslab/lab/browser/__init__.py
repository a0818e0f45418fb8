"""A page of a lesson in a real browser: shown in the notebook, served, and reached through the tunnel."""
