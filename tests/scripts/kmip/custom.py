"""Custom attributes (x-...), which PyKMIP does not keep: a table beside its own, and its policy told to allow them."""
import sqlite3

from kmip.core import attributes, objects
from kmip.services.server import policy


def is_custom(name):
    return isinstance(name, str) and name.startswith("x-")


def attribute(name, value):
    text = attributes.CustomAttribute(value)
    return objects.Attribute(objects.Attribute.AttributeName(name), None, text)


class Store:
    def __init__(self, path):
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.run("create table if not exists custom(uid text, name text, value text)")

    def run(self, statement, *parameters):
        rows = self.db.execute(statement, parameters).fetchall()
        self.db.commit()
        return rows

    def all(self, uid):
        return self.run("select name, value from custom where uid = ?", uid)

    def values(self, uid, name):
        return [value for found, value in self.all(uid) if found == name]

    def add(self, uid, name, value):
        self.run("insert into custom values (?, ?, ?)", uid, name, value)

    def change(self, uid, name, value):
        self.run("update custom set value = ? where uid = ? and name = ?", value, uid, name)

    def forget(self, uid):
        self.run("delete from custom where uid = ?", uid)


def allow(method, answer):
    """Answers for custom attributes; asks PyKMIP's policy for all others."""
    old = getattr(policy.AttributePolicy, method)

    def wrapped(self, name, *rest):
        return answer if is_custom(name) else old(self, name, *rest)

    setattr(policy.AttributePolicy, method, wrapped)


allow("is_attribute_supported", True)
allow("is_attribute_deprecated", False)
allow("is_attribute_deletable_by_client", True)
allow("is_attribute_modifiable_by_client", True)
allow("is_attribute_multivalued", False)
allow("is_attribute_applicable_to_object_type", True)
