"""What happens, step by step: each flow observes, plans and applies, and converges when rerun."""
