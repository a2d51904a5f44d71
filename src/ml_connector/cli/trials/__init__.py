"""The demo, the year and the scenarios: whole stories played against the sandboxes."""
