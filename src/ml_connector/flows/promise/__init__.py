"""Whether the books tie out, since when, and what people changed."""
