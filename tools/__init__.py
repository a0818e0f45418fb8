"""Tools of the maintainers: nothing here is needed to follow the course."""
