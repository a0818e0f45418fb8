"""Close codes and the payload of a Close (RFC 6455 §5.5.1, §7.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.close import CloseCode, ProtocolError, decode_close, encode_close, is_valid_close_code


def assert_payload(code: int | None, reason: str, payload: bytes) -> None:
    """Check that code and reason are written as this payload, and read from it."""
    assert encode_close(code, reason) == payload
    assert decode_close(payload) == (1005 if code is None else code, reason)


def test_payloads() -> None:
    assert_payload(None, "", b"")
    assert_payload(1000, "", b"\x03\xe8")
    assert_payload(1001, "zurück", b"\x03\xe9zur\xc3\xbcck")
    assert_payload(4999, "x" * 123, b"\x13\x87" + b"x" * 123)


@pytest.mark.parametrize("code", [*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_codes_that_may_travel(code: int) -> None:
    assert is_valid_close_code(code)
    assert_payload(code, "why", code.to_bytes(2, "big") + b"why")


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_codes_that_never_travel(code: int) -> None:
    assert not is_valid_close_code(code)
    with pytest.raises(ValueError, match=f"close code {code} may not be sent"):
        encode_close(code)
    with pytest.raises(ProtocolError, match=f"close code {code} may not be sent") as caught:
        decode_close(code.to_bytes(2, "big"))
    assert caught.value.code is CloseCode.PROTOCOL_ERROR


def test_one_byte_is_no_code() -> None:
    with pytest.raises(ProtocolError, match="1 byte") as caught:
        decode_close(b"\x03")
    assert caught.value.code is CloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize("reason", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"])
def test_reason_that_is_not_utf8(reason: bytes) -> None:
    with pytest.raises(ProtocolError, match="not UTF-8") as caught:
        decode_close(b"\x03\xe8" + reason)
    assert caught.value.code is CloseCode.INVALID_DATA


def test_faults_of_the_caller() -> None:
    with pytest.raises(ValueError, match="124 bytes in UTF-8, limit 123"):
        encode_close(1000, "é" * 62)
    with pytest.raises(ValueError, match="needs a close code"):
        encode_close(None, "why")


@given(st.binary(max_size=125))
def test_any_payload_is_read_or_refused(payload: bytes) -> None:
    try:
        code, reason = decode_close(payload)
    except ProtocolError:
        return
    assert encode_close(code if payload else None, reason) == payload
