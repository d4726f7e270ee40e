"""Every command with every flag it takes."""

import errno

import nbd
from sear_nbd import BLOCK, connect, extents, refused

handle = connect()
size = handle.get_size()
assert size == 64 << 20, size
assert handle.can_meta_context(nbd.CONTEXT_BASE_ALLOCATION)

# write and read back, without and with FUA
a, b = b"a" * BLOCK, b"b" * BLOCK
handle.pwrite(a, 0)
handle.pwrite(b, BLOCK, nbd.CMD_FLAG_FUA)
assert handle.pread(2 * BLOCK, 0) == a + b
handle.flush()

# the last block, and all of the largest payload
handle.pwrite(a, size - BLOCK)
assert handle.pread(BLOCK, size - BLOCK) == a
large = bytes(range(256)) * (32 << 12)
handle.pwrite(large, 16 << 20)
assert handle.pread(len(large), 16 << 20) == large

# a structured read arrives as chunks; with DF as one
for flags in [0, nbd.CMD_FLAG_DF]:
    chunks = []
    buf = handle.pread_structured(
        2 * BLOCK, 0, lambda data, offset, status, _error: chunks.append((offset, bytes(data), status)), flags
    )
    assert buf == a + b
    assert b"".join(data for _, data, _ in sorted(chunks)) == a + b
    assert flags == 0 or len(chunks) == 1, chunks

# zeroes: with and without a hole, with FUA; neighbours keep their data
for flags in [0, nbd.CMD_FLAG_NO_HOLE, nbd.CMD_FLAG_FUA, nbd.CMD_FLAG_FUA | nbd.CMD_FLAG_NO_HOLE]:
    handle.pwrite(a * 4, 0)
    handle.zero(2 * BLOCK, BLOCK, flags)
    assert handle.pread(4 * BLOCK, 0) == a + bytes(2 * BLOCK) + a
# a large one
handle.zero(33 << 20, 16 << 20)
assert handle.pread(len(large), 16 << 20) == bytes(len(large))
# zeroes are encrypted and written, so never fast; the refusal must not have written
handle.pwrite(a, 0)
refused(errno.ENOTSUP, handle.zero, BLOCK, 0, nbd.CMD_FLAG_FAST_ZERO)
assert handle.pread(BLOCK, 0) == a

# cache
handle.cache(1 << 20, 0)

# block status calls everything data, also where nothing was ever written
assert extents(handle, size, 0) == [(size, 0)]
assert extents(handle, 1 << 20, BLOCK, nbd.CMD_FLAG_REQ_ONE) == [(1 << 20, 0)]

# requests in flight at the same time
cookies = [handle.aio_pwrite(nbd.Buffer.from_bytearray(bytearray([i]) * BLOCK), i * BLOCK) for i in range(256)]
for cookie in cookies:
    while not handle.aio_command_completed(cookie):
        handle.poll(-1)
for i in range(256):
    assert handle.pread(BLOCK, i * BLOCK) == bytes([i]) * BLOCK, i

handle.shutdown()
