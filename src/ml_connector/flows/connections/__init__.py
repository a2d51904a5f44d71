"""The life of a connection: set up, checked, paused, its keys turned."""
