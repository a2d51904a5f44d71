"""placeholder"""


def demo() -> int:
    """placeholder"""
    return 0
