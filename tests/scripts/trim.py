"""Discards allowed: trim is offered, and leaves every other block alone."""

import nbd
from sear_nbd import BLOCK, connect

handle = connect()
assert handle.can_trim()
for flags in [0, nbd.CMD_FLAG_FUA]:
    handle.pwrite(b"t" * (256 * BLOCK), 0)
    handle.trim(128 * BLOCK, 64 * BLOCK, flags)
    around = handle.pread(64 * BLOCK, 0) + handle.pread(64 * BLOCK, 192 * BLOCK)
    assert around == b"t" * (128 * BLOCK)
    # What a trimmed block reads as is not defined, but it is readable and can be written again.
    handle.pread(128 * BLOCK, 64 * BLOCK)
    handle.pwrite(b"u" * BLOCK, 100 * BLOCK)
    assert handle.pread(BLOCK, 100 * BLOCK) == b"u" * BLOCK
handle.shutdown()
