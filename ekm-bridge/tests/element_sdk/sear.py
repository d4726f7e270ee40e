"""Encryption at rest in software and in drives, and asynchronous results."""

from checks import equal, fails, true
from keys import new_provider


def check(element):
    check_rekey(element)
    check_drives(element)


def check_rekey(element):
    before = element.get_software_encryption_at_rest_info()
    equal((before.state, before.version, before.rekey_master_key_async_result_id), ("enabled", 1, None))
    equal(before.master_key_info.key_management_type, "internal")
    provider = new_provider(element, "kms.example")
    rekey = element.rekey_software_encryption_at_rest_master_key
    fails("xInvalidParameter", rekey, key_management_type="External")
    fails("xInvalidParameter", rekey, key_management_type="Internal", key_provider_id=provider)
    fails("xUnrecognizedEnumString", rekey, key_management_type="Elsewhere")
    fails("xKeyProviderDoesNotExist", rekey, key_management_type="External", key_provider_id=4711)
    handle = rekey(key_management_type="External", key_provider_id=provider).async_handle
    fails("xRekeyInProgress", rekey)
    equal(element.get_software_encryption_at_rest_info().rekey_master_key_async_result_id, handle)
    listed = element.list_async_results(async_result_types=["RekeySoftwareEncryptionAtRestMasterKey"]).async_handles
    equal([(entry.async_result_id, entry.completed) for entry in listed], [(handle, False)])
    states = []
    while True:
        # The SDK gives this result as a plain dictionary.
        result = element.get_async_result(handle, keep_result=False)
        if result["status"] == "complete":
            break
        states.append(result["details"]["state"])
    equal(states, ["CreateNewMasterKey", "RewrapDataEncryptionKeys", "DecommissionOldMasterKey"])
    equal(result["resultType"], "RekeySoftwareEncryptionAtRestMasterKey")
    equal(result["result"]["state"], "Ready")
    equal(result["result"]["keyToDecommission"]["keyManagementType"], "internal")
    fails("xDBNoSuchPath", element.get_async_result, handle)
    after = element.get_software_encryption_at_rest_info().master_key_info
    equal((after.key_management_type, after.key_provider_id), ("external", provider))
    true(after.key_id != before.master_key_info.key_id, "a rekey makes a new key")
    fails("xKeyProviderIsActive", element.delete_key_provider_kmip, provider)
    server = element.list_key_servers_kmip(key_provider_id=provider).kmip_key_servers[0].key_server_id
    fails("xLastKeyServerOfActiveProvider", element.delete_key_server_kmip, server)


def check_drives(element):
    equal(element.get_encryption_at_rest_info().state, "disabled")
    element.enable_encryption_at_rest()
    info = element.get_encryption_at_rest_info()
    equal((info.state, info.authentication_key_info.key_management_type), ("enabled", "internal"))
    fails("xKeyProviderDoesNotExist", element.enable_encryption_at_rest, key_provider_id=4711)
    element.disable_encryption_at_rest()
    equal(element.get_encryption_at_rest_info().authentication_key_info, None)
