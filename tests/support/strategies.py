"""What hypothesis draws for the tests of the protocol: frames, masking keys, cuts."""

from hypothesis import strategies as st

from wslab.frames import Frame, Opcode

keys = st.binary(min_size=4, max_size=4)

data_frames = st.builds(
    lambda opcode, payload, fin: Frame(opcode, payload, fin),
    st.sampled_from([Opcode.CONTINUATION, Opcode.TEXT, Opcode.BINARY]),
    st.one_of(st.binary(max_size=200), st.sampled_from([bytes(n) for n in (125, 126, 127, 65535, 65536)])),
    st.booleans(),
)
control_frames = st.builds(
    lambda opcode, payload: Frame(opcode, payload),
    st.sampled_from([Opcode.CLOSE, Opcode.PING, Opcode.PONG]),
    st.binary(max_size=125),
)
frames = st.one_of(data_frames, control_frames)


def cut(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Cut the bytes at any positions."""
    positions = st.lists(st.integers(0, len(data)), max_size=20).map(sorted)
    return positions.map(
        lambda cuts: [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    )
