"""The engine: PyKMIP's, with more operations, custom attributes, and faults in between."""
import time

from kmip.core import attributes, enums, exceptions
from kmip.core.messages import contents, payloads
from kmip.pie import objects
from kmip.services.server import engine as stock

from custom import attribute, is_custom
from payloads import PLACEHOLDER, AddAttributeResponsePayload

MORE = [
    enums.Operation.ADD_ATTRIBUTE,
    enums.Operation.MODIFY_ATTRIBUTE,
    enums.Operation.DELETE_ATTRIBUTE,
    enums.Operation.REKEY,
]


def engine(store, faults, user, deny_inactive_get, ignore_custom_search):
    """The class that the server makes its engine of."""

    class Engine(stock.KmipEngine):
        pending = ()

        def _uid(self, payload):
            uid = payload.unique_identifier
            return getattr(uid, "value", uid) or self._id_placeholder

        def _process_operation(self, operation, payload):
            faults.before(operation)
            uid = getattr(payload, "unique_identifier", None)
            if getattr(uid, "value", None) == PLACEHOLDER:
                payload.unique_identifier = attributes.UniqueIdentifier(self._id_placeholder)
            own = {
                enums.Operation.ADD_ATTRIBUTE: self._process_add_attribute,
                enums.Operation.REKEY: self._process_rekey,
            }
            answer = own[operation](payload) if operation in own else super()._process_operation(operation, payload)
            faults.after(operation)
            return answer

        def _verify_credential(self, credential, connection):
            if user:
                value = getattr(credential, "credential_value", None)
                if value is None or f"{value.username}:{value.password}" != user:
                    raise exceptions.PermissionDenied("bad or missing user name and password")
            super()._verify_credential(credential, connection)

        def _set_attributes_on_managed_object(self, managed, found):
            self.pending = [(name, value.value) for name, value in found.items() if is_custom(name)]
            rest = {name: value for name, value in found.items() if not is_custom(name)}
            super()._set_attributes_on_managed_object(managed, rest)

        def _keep_pending(self):
            for name, value in self.pending:
                store.add(self._id_placeholder, name, value)
            self.pending = ()

        def _process_create(self, payload):
            answer = super()._process_create(payload)
            self._keep_pending()
            return answer

        def _process_register(self, payload):
            answer = super()._process_register(payload)
            self._keep_pending()
            return answer

        def _get_attributes_from_managed_object(self, managed, names):
            plain = [name for name in (names or []) if not is_custom(name)]
            answer = super()._get_attributes_from_managed_object(managed, plain) if plain or not names else []
            # PyKMIP has no form for them in 2.0, and would not answer at all.
            is_old = self._protocol_version < contents.ProtocolVersion(2, 0)
            custom = store.all(str(managed.unique_identifier)) if is_old else []
            return answer + [attribute(name, value) for name, value in custom if not names or name in names]

        def _process_add_attribute(self, payload):
            uid = self._uid(payload)
            managed = self._get_object_with_access_controls(uid, enums.Operation.ADD_ATTRIBUTE)
            name = payload.attribute.attribute_name.value
            value = payload.attribute.attribute_value
            if is_custom(name):
                if value.value in store.values(uid, name):
                    raise exceptions.InvalidField("the attribute has this value already")
                store.add(uid, name, value.value)
            elif not self._attribute_policy.is_attribute_supported(name):
                raise exceptions.InvalidField(f"The {name} attribute is unsupported.")
            else:
                several = self._attribute_policy.is_attribute_multivalued(name)
                self._set_attribute_on_managed_object(managed, (name, [value] if several else value))
                self._data_session.commit()
            return AddAttributeResponsePayload(uid, payload.attribute)

        def _process_modify_attribute(self, payload):
            changed = getattr(payload, "attribute", None)
            if changed is None or not is_custom(changed.attribute_name.value):
                return super()._process_modify_attribute(payload)
            uid = self._uid(payload)
            name = changed.attribute_name.value
            self._get_object_with_access_controls(uid, enums.Operation.MODIFY_ATTRIBUTE)
            if not store.values(uid, name):
                raise exceptions.ItemNotFound("no such attribute")
            store.change(uid, name, changed.attribute_value.value)
            return payloads.ModifyAttributeResponsePayload(unique_identifier=uid, attribute=changed)

        def _process_locate(self, payload):
            pairs = [(item.attribute_name.value, item.attribute_value) for item in payload.attributes]
            wanted = [(name, value.value) for name, value in pairs if is_custom(name)]
            if not wanted:
                return super()._process_locate(payload)
            maximum = payload.maximum_items
            payload._maximum_items = None
            payload._attributes = [item for item in payload.attributes if not is_custom(item.attribute_name.value)]
            found = super()._process_locate(payload).unique_identifiers
            if not ignore_custom_search:
                found = [uid for uid in found if all(value in store.values(uid, name) for name, value in wanted)]
            return payloads.LocateResponsePayload(unique_identifiers=found[:maximum])

        def _process_get(self, payload):
            if deny_inactive_get:
                managed = self._get_object_with_access_controls(self._uid(payload), enums.Operation.GET)
                if getattr(managed, "state", enums.State.ACTIVE) != enums.State.ACTIVE:
                    raise exceptions.PermissionDenied("the object is not active")
            return super()._process_get(payload)

        def _process_destroy(self, payload):
            uid = self._uid(payload)
            answer = super()._process_destroy(payload)
            store.forget(uid)
            return answer

        def _process_rekey(self, payload):
            old = self._get_object_with_access_controls(self._uid(payload), enums.Operation.REKEY)
            if old.state not in (enums.State.ACTIVE, enums.State.PRE_ACTIVE):
                raise exceptions.PermissionDenied("the key is in the wrong state")
            algorithm, length = old.cryptographic_algorithm, old.cryptographic_length
            made = self._cryptography_engine.create_symmetric_key(algorithm, length)
            new = objects.SymmetricKey(algorithm, length, made["value"])
            new.names, old.names = list(old.names), []  # the names move to the new key
            new.cryptographic_usage_masks = list(old.cryptographic_usage_masks)
            new.operation_policy_name = old.operation_policy_name
            new._owner = self._client_identity[0]
            new.initial_date = int(time.time())
            new.state = old.state
            self._data_session.add(new)
            self._data_session.commit()
            uid = str(new.unique_identifier)
            for name, value in store.all(str(old.unique_identifier)):
                store.add(uid, name, value)
            self._id_placeholder = uid
            return payloads.RekeyResponsePayload(unique_identifier=uid)

        def _process_query(self, payload):
            answer = super()._process_query(payload)
            if answer.operations is not None:
                answer.operations = list(answer.operations) + MORE
            return answer

    return Engine
