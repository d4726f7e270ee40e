"""Faults on demand, from a JSON file that is read before every operation:

  {"delay_ms": 700, "delay_op": "GET",                      answer late; without delay_op, everything
   "fail_op": "CREATE", "fail_reason": "PERMISSION_DENIED",  refuse
   "drop_op": "CREATE", "drop_when": "before" or "after",    hang up, before it is carried out or after
   "times": 1}                                               how often, for fail_op and drop_op
"""
import json
import os
import time

from kmip.core import enums, exceptions


class HangUp(BaseException):
    """Close the connection without an answer. No handler of PyKMIP catches it."""


class Faults:
    def __init__(self, path):
        self.path = path
        self.seen = {}

    def read(self):
        try:
            with open(self.path) as file:
                return json.load(file)
        except (OSError, TypeError, ValueError):
            return {}

    def hits(self, wanted, key, operation):
        """Whether this fault is for this operation, and not used up. A rewritten file starts anew."""
        if wanted.get(key) != operation.name:
            return False
        case = (key, operation.name, os.stat(self.path).st_mtime_ns)
        self.seen[case] = self.seen.get(case, 0) + 1
        return self.seen[case] <= wanted.get("times", 10**9)

    def before(self, operation):
        wanted = self.read()
        if wanted.get("delay_op", operation.name) == operation.name:
            time.sleep(wanted.get("delay_ms", 0) / 1000)
        if wanted.get("drop_when", "before") == "before" and self.hits(wanted, "drop_op", operation):
            raise HangUp()
        if self.hits(wanted, "fail_op", operation):
            reason = enums.ResultReason[wanted.get("fail_reason", "GENERAL_FAILURE")]
            raise exceptions.KmipError(enums.ResultStatus.OPERATION_FAILED, reason, "a fault of the test")

    def after(self, operation):
        wanted = self.read()
        if wanted.get("drop_when") == "after" and self.hits(wanted, "drop_op", operation):
            raise HangUp()
