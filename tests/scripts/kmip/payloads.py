"""Messages that PyKMIP cannot read: AddAttribute, and operations that mean the object made earlier in the same batch."""
from kmip.core import enums, objects, primitives, utils
from kmip.core.factories.payloads import request as factory
from kmip.core.messages.payloads import activate, base, destroy, revoke

#: The identifier that is put where a message has none. The engine replaces it.
PLACEHOLDER = "\x01placeholder"
UID = enums.Tags.UNIQUE_IDENTIFIER


class AddAttribute:
    """The payload of KMIP 1.x, the same for request and response."""

    def __init__(self, unique_identifier=None, attribute=None):
        super().__init__()
        self.unique_identifier = unique_identifier
        self.attribute = attribute

    def read(self, stream, kmip_version=enums.KMIPVersion.KMIP_1_0):
        super().read(stream, kmip_version=kmip_version)
        inner = utils.BytearrayStream(stream.read(self.length))
        if self.is_tag_next(UID, inner):
            uid = primitives.TextString(tag=UID)
            uid.read(inner, kmip_version=kmip_version)
            self.unique_identifier = uid.value
        self.attribute = objects.Attribute()
        self.attribute.read(inner, kmip_version=kmip_version)

    def write(self, stream, kmip_version=enums.KMIPVersion.KMIP_1_0):
        inner = utils.BytearrayStream()
        if self.unique_identifier:
            primitives.TextString(self.unique_identifier, tag=UID).write(inner, kmip_version=kmip_version)
        self.attribute.write(inner, kmip_version=kmip_version)
        self.length = inner.length()
        super().write(stream, kmip_version=kmip_version)
        stream.write(inner.buffer)


class AddAttributeRequestPayload(AddAttribute, base.RequestPayload):
    pass


class AddAttributeResponsePayload(AddAttribute, base.ResponsePayload):
    pass


factory.RequestPayloadFactory._create_add_attribute_payload = lambda self: AddAttributeRequestPayload()


def with_placeholder(payload):
    """PyKMIP insists on a Unique Identifier in these; the standard does not."""
    old = payload.read

    def read(self, stream, kmip_version=enums.KMIPVersion.KMIP_1_0):
        buffer = bytes(stream.buffer)
        if buffer[8:11] != b"\x42\x00\x94":
            uid = PLACEHOLDER.encode()
            field = b"\x42\x00\x94\x07" + len(uid).to_bytes(4, "big") + uid + bytes(-len(uid) % 8)
            length = int.from_bytes(buffer[4:8], "big") + len(field)
            stream.buffer = buffer[:4] + length.to_bytes(4, "big") + field + buffer[8:]
        return old(self, stream, kmip_version=kmip_version)

    payload.read = read


with_placeholder(activate.ActivateRequestPayload)
with_placeholder(revoke.RevokeRequestPayload)
with_placeholder(destroy.DestroyRequestPayload)
