"""Drives every method of the API through the unmodified public SDK: run.py PORT CA_FILE, a server without a cluster."""

import logging
import os
import sys

import checks
import cluster
import drives
import keys
import reports
import sear
import volumes

logging.disable(logging.INFO)


def main():
    port, ca_file = int(sys.argv[1]), sys.argv[2]
    element = cluster.create(port)
    for part in (cluster, keys, sear, reports, drives, volumes):
        part.check(element)
    cluster.check_credentials(port)
    cluster.check_versions(port)
    os.environ["REQUESTS_CA_BUNDLE"] = ca_file
    cluster.check_certificate(port)
    print(f"{checks.count} checks passed")


main()
