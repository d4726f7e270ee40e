"""PyKMIP with what stock PyKMIP lacks: AddAttribute, custom attributes, Locate by them, ReKey, the ID placeholder,
TLS 1.3 and GCM suites for every certificate, user name and password, faults on demand, and a quick end.

usage: extended.py --port P --pki DIR --certificate NAME --db FILE [--tls 1.2|1.3|both] [--user NAME:PASSWORD]
                   [--deny-inactive-get] [--ignore-custom-search] [--faults FILE]
The faults are described in faults.py. Works with KMIP 1.0 to 1.4; custom attributes of 2.0 are refused, as by PyKMIP.
"""
import argparse
import os
import signal
import ssl
import sys
import threading
import warnings

warnings.filterwarnings("ignore")
from kmip.core import exceptions  # noqa: E402
from kmip.services import auth  # noqa: E402
from kmip.services.server import server, session  # noqa: E402

import custom  # noqa: E402
import faults  # noqa: E402
import operations  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--pki", required=True)
parser.add_argument("--certificate", default="server")
parser.add_argument("--db", required=True)
parser.add_argument("--tls", choices=["1.2", "1.3", "both"], default="both")
parser.add_argument("--user")
parser.add_argument("--deny-inactive-get", action="store_true")
parser.add_argument("--ignore-custom-search", action="store_true")
parser.add_argument("--faults")
options = parser.parse_args()


def context(_protocol):
    """A TLS context of the wanted versions, in the place of PyKMIP's own, which is TLS 1.2 only."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3 if options.tls == "1.3" else ssl.TLSVersion.TLSv1_2
    made.maximum_version = ssl.TLSVersion.TLSv1_2 if options.tls == "1.2" else ssl.TLSVersion.TLSv1_3
    return made


class Ssl:
    """The module ssl with that context."""

    SSLContext = staticmethod(context)

    def __getattr__(self, name):
        return getattr(ssl, name)


class Nothing:
    """In the place of the process that watches a directory of policies: nothing does not have to be waited for."""

    def __init__(self, *_):
        pass

    def dict(self):
        return {}

    def start(self):
        pass

    stop = join = start


def hang_up_on_faults(loop):
    """A connection ends without an answer where a fault says so."""

    def wrapped(self):
        try:
            loop(self)
        except faults.HangUp:
            raise exceptions.ConnectionClosed() from None

    return wrapped


def end(*_):
    os._exit(0)


def end_with_the_test():
    """Whoever started this holds the other end of the input, and is gone when it closes."""
    sys.stdin.buffer.read()
    end()


server.ssl = Ssl()
server.multiprocessing.Manager = Nothing
server.monitor.PolicyDirectoryMonitor = Nothing
real_signal = signal.signal
server.signal.signal = lambda number, handler: real_signal(number, end if number != signal.SIGPIPE else handler)
session.KmipSession._handle_message_loop = hang_up_on_faults(session.KmipSession._handle_message_loop)
auth.TLS12AuthenticationSuite._default_cipher_suites = [
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
]
server.engine.KmipEngine = operations.engine(
    store=custom.Store(options.db + ".custom"),
    faults=faults.Faults(options.faults),
    user=options.user,
    deny_inactive_get=options.deny_inactive_get,
    ignore_custom_search=options.ignore_custom_search,
)


def pki(name):
    return os.path.join(options.pki, name)


instance = server.KmipServer(
    hostname="127.0.0.1",
    port=options.port,
    certificate_path=pki(options.certificate + ".crt"),
    key_path=pki(options.certificate + ".key"),
    ca_path=pki("ca.crt"),
    auth_suite="TLS1.2",
    config_path=None,
    log_path=options.db + ".log",
    enable_tls_client_auth=True,
    logging_level="WARNING",
    database_path=options.db,
)
instance.start()
threading.Thread(target=end_with_the_test, daemon=True).start()
instance._socket.listen(16)  # as serve() does, but before anybody is told
print("READY", flush=True)
instance.serve()
