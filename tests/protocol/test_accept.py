"""Keys and accept keys, against the examples of the RFC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.accept import accept_digest, accept_key, generate_key, is_valid_key

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class TestKey:
    def test_example_of_the_rfc(self) -> None:
        """§1.3 and §4.2.2."""
        assert generate_key(b"the sample nonce") == KEY
        assert accept_digest(KEY).hex(" ") == "b3 7a 4f 2c c0 62 4f 16 90 f6 46 06 cf 38 59 45 b2 be c4 ea"
        assert accept_key(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    def test_example_of_the_course(self) -> None:
        assert accept_key("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk="

    def test_keys_are_random_and_valid(self) -> None:
        made = {generate_key() for _ in range(100)}
        assert len(made) == 100
        assert all(map(is_valid_key, made))

    @given(st.binary(max_size=40))
    def test_a_key_is_made_of_16_bytes(self, random: bytes) -> None:
        if len(random) == 16:
            assert is_valid_key(generate_key(random))
        else:
            with pytest.raises(ValueError, match="made of 16 bytes"):
                generate_key(random)

    @pytest.mark.parametrize(
        "key", ["", "x", KEY[:-1], KEY + "=", KEY[:-4], KEY + KEY, "€" * 24, "dGhlIHNhbXBsZSBub25j Q=="]
    )
    def test_not_a_key(self, key: str) -> None:
        assert not is_valid_key(key)

    def test_sample_key_of_section_4_1_is_not_canonical_but_decodes_to_16_bytes(self) -> None:
        assert is_valid_key("AQIDBAUGBwgJCgsMDQ4PEC==")
