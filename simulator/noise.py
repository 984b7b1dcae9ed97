"""Deterministic noise: the same key always gives the same numbers."""

from hashlib import shake_128


def noise(*key: object, size: int) -> bytes:
    """Return `size` bytes that depend on the key alone."""
    text = "/".join(map(str, key)).encode()
    return shake_128(text, usedforsecurity=False).digest(size)


def fraction(*key: object) -> float:
    """Return a number in [0, 1) that depends on the key alone."""
    return int.from_bytes(noise(*key, size=6)) / (1 << 48)


def fractions(*key: object, count: int) -> list[float]:
    """Return `count` numbers in [0, 1) that depend on the key alone."""
    data = noise(*key, size=2 * count)
    return [
        int.from_bytes(data[index : index + 2]) / (1 << 16)
        for index in range(0, 2 * count, 2)
    ]
