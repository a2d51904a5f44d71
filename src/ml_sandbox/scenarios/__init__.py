"""What happens between two sandboxes, one short story each, told in a controller's words."""
