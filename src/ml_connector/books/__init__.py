"""The rules of money: pure, synchronous, without any I/O."""
