"""The mapping as code: its text, its versions, its lint."""
