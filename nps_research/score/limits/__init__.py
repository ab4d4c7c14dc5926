"""Standard errors and limits of scores, by how the answers were drawn."""
