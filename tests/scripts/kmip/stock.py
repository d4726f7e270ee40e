"""PyKMIP as it comes, with its configuration given on the command line.

usage: stock.py --port P --pki DIR --certificate NAME --db FILE
"""
import argparse
import os
import warnings

warnings.filterwarnings("ignore")
from kmip.services.server import server  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--pki", required=True)
parser.add_argument("--certificate", default="server")
parser.add_argument("--db", required=True)
options = parser.parse_args()


def pki(name):
    return os.path.join(options.pki, name)


# PyKMIP reads the directory of its policies in a process of its own, and waits for it when it ends: it is killed instead.
with server.KmipServer(
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
) as instance:
    instance._socket.listen(16)  # as serve() does, but before anybody is told
    print("READY", flush=True)
    instance.serve()
