"""Masking against the plain XOR of the RFC, at every size that has a way of its own (RFC 6455 §5.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import keys
from wslab.masking import LONG_PAYLOAD, apply_mask

RFC_KEY = bytes.fromhex("37fa213d")


class TestMask:
    """§5.3."""

    @given(st.binary(max_size=3000), keys)
    def test_is_the_xor_of_the_rfc(self, data: bytes, key: bytes) -> None:
        assert apply_mask(data, key) == bytes(byte ^ key[i % 4] for i, byte in enumerate(data))

    @pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 1023, 1024, 65535, 65536, 65537, 2**20 + 3])
    def test_long_payloads(self, size: int) -> None:
        data = bytes(i % 251 for i in range(size))
        masked = apply_mask(data, RFC_KEY)
        assert masked == bytes(byte ^ RFC_KEY[i % 4] for i, byte in enumerate(data))
        assert apply_mask(masked, RFC_KEY) == data

    def test_every_size_that_is_short(self) -> None:
        payload = bytes(range(1, 251)) * 2
        expected = bytes(byte ^ RFC_KEY[i % 4] for i, byte in enumerate(payload))
        assert len(payload) > LONG_PAYLOAD
        for size in range(LONG_PAYLOAD + 2):
            assert apply_mask(payload[:size], RFC_KEY) == expected[:size]

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    @pytest.mark.parametrize("size", [5, 5000])
    def test_any_bytes_like(self, kind: type, size: int) -> None:
        assert apply_mask(kind(bytes(size)), b"\x01\x02\x03\x04")[:5] == b"\x01\x02\x03\x04\x01"

    @pytest.mark.parametrize("key", [b"", b"123", b"12345"])
    @pytest.mark.parametrize("size", [0, 5, 5000])
    def test_key_of_the_wrong_size(self, key: bytes, size: int) -> None:
        with pytest.raises(ValueError, match="not 4"):
            apply_mask(bytes(size), key)
