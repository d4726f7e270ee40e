"""Negotiation: list, info and go for names that exist and that do not, contexts, abort."""

import errno

import nbd
from sear_nbd import refused, uri


def negotiating():
    handle = nbd.NBD()
    handle.set_opt_mode(True)
    handle.connect_uri(uri())
    return handle


handle = negotiating()
names = []
handle.opt_list(lambda name, description: names.append(name))
assert names == ["vol"], names

# information about one name, then another, then the first again
handle.opt_info()
assert handle.get_size() == 64 << 20
handle.set_export_name("missing")
refused(errno.ENOENT, handle.opt_info)
refused(errno.ENOENT, handle.opt_go)
handle.set_export_name("x" * 4000)
refused(errno.ENOENT, handle.opt_info)

# contexts: all, one, one that does not exist
handle.set_export_name("vol")
for queries, expected in [([], 1), (["base:allocation"], 1), (["base:"], 1), (["base:none"], 0), (["x-y:z"], 0)]:
    handle.clear_meta_contexts()
    for query in queries:
        handle.add_meta_context(query)
    found = []
    handle.opt_list_meta_context(found.append)
    assert len(found) == expected, (queries, found)

# after all of it the export is entered
handle.clear_meta_contexts()
handle.add_meta_context("base:allocation")
handle.opt_go()
assert handle.get_protocol() == "newstyle-fixed"
assert handle.get_structured_replies_negotiated()
assert handle.get_block_size(nbd.SIZE_PREFERRED) == 4096
assert handle.get_block_size(nbd.SIZE_MAXIMUM) == 32 << 20
handle.pwrite(b"x" * 4096, 0)
handle.shutdown()

# leaving without entering
negotiating().opt_abort()

# a client that knows no structured replies, and one that knows no NO_ZEROES
for setting in [
    lambda handle: handle.set_request_structured_replies(False),
    lambda handle: handle.set_handshake_flags(nbd.HANDSHAKE_FLAG_FIXED_NEWSTYLE),
    lambda handle: handle.set_handshake_flags(0),
]:
    handle = nbd.NBD()
    setting(handle)
    handle.connect_uri(uri())
    assert handle.pread(4096, 0) == b"x" * 4096
    refused(errno.EINVAL, handle.pread, 0, 1 << 60)
    handle.shutdown()
