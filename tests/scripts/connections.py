"""NBD_FLAG_CAN_MULTI_CONN: a flush on one connection covers the writes that were answered on all others."""

from sear_nbd import BLOCK, connect

handles = [connect() for _ in range(8)]
assert all(handle.can_multi_conn() for handle in handles)
for round_number in range(20):
    for number, handle in enumerate(handles):
        handle.pwrite(bytes([round_number * 8 + number]) * BLOCK, number * BLOCK)
    handles[round_number % 8].flush()
    expected = b"".join(bytes([round_number * 8 + number]) * BLOCK for number in range(8))
    for handle in handles:
        assert handle.pread(8 * BLOCK, 0) == expected, round_number
for handle in handles:
    handle.shutdown()
