"""Drives a real daemon through the unmodified public SDK: run.py PART SETTINGS_FILE. The parts, in their order:

  procedure  from a fresh node to volumes under an external key, as an administrator does it
  methods    every other method, success and error
  lost       after a start without the second metadata drive
  back       the drive is there again
"""
import json
import logging
import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import checks  # noqa: E402
import cluster  # noqa: E402
import metadata  # noqa: E402
import procedure  # noqa: E402
import providers  # noqa: E402
import rekeys  # noqa: E402
import reported  # noqa: E402
import world  # noqa: E402

import volume_life  # noqa: E402

logging.disable(logging.INFO)


def methods(element, here):
    cluster.check(element)
    for part in (providers, rekeys, volume_life, metadata, reported):
        part.check(element, here)
    cluster.check_credentials(here.port)
    cluster.check_versions(here.port)
    os.environ["REQUESTS_CA_BUNDLE"] = here.certificate
    cluster.check_certificate(here.port)


def main():
    part, here = sys.argv[1], world.World(json.load(open(sys.argv[2])))
    element = cluster.connect(here.port)
    parts = {"procedure": procedure.run, "methods": methods, "lost": metadata.check_lost, "back": metadata.check_back}
    parts[part](element, here)
    print(f"{part}: {checks.count} checks passed")


main()
