"""Secrets at rest: the key ring, and the seal that ties a secret to its place."""
