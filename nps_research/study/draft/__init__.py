"""A first study.toml, guessed from a file."""
