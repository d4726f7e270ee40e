"""Key pair, key servers, key providers."""

from checks import PEM, equal, fails, true


def new_server(element, host, **more):
    made = element.create_key_server_kmip(
        kmip_ca_certificate=PEM, kmip_client_certificate=PEM, kmip_key_server_hostnames=[host],
        kmip_key_server_name=host, **more)
    return made.kmip_key_server


def new_provider(element, *hosts):
    provider = element.create_key_provider_kmip(key_provider_name="provider").kmip_key_provider
    for host in hosts:
        server = new_server(element, host)
        element.add_key_server_to_provider_kmip(provider.key_provider_id, server.key_server_id)
    return provider.key_provider_id


def check(element):
    check_pair(element)
    check_servers(element)
    check_providers(element)


def check_pair(element):
    fails("xKeyPairDoesNotExist", element.get_client_certificate_sign_request)
    fails("xInvalidParameter", element.create_public_private_key_pair, country="Taiwan")
    element.create_public_private_key_pair(common_name="sear", organization="o", country="TW")
    request = element.get_client_certificate_sign_request().client_certificate_sign_request
    true("BEGIN CERTIFICATE REQUEST" in request, request)


def check_servers(element):
    server = new_server(element, "kms.example")
    number = server.key_server_id
    equal((server.kmip_key_server_port, server.key_provider_id), (5696, None))
    equal(server.kmip_assigned_provider_is_active, None)
    equal(element.get_key_server_kmip(number).kmip_key_server.kmip_ca_certificate, PEM)
    changed = element.modify_key_server_kmip(number, kmip_key_server_name="other", kmip_key_server_port=5697)
    equal((changed.kmip_key_server.kmip_key_server_name, changed.kmip_key_server.kmip_key_server_port), ("other", 5697))
    element.modify_key_server_kmip(number)
    element.test_key_server_kmip(number)
    equal(len(element.list_key_servers_kmip().kmip_key_servers), 1)
    equal(element.list_key_servers_kmip(kmip_has_provider_assigned=True).kmip_key_servers, [])
    for host, name in (("down.x", "xKmipConnectionFailed"), ("stranger.x", "xKmipAuthenticationFailed"),
                       ("broken.x", "xKmipServerError")):
        bad = new_server(element, host).key_server_id
        fails(name, element.test_key_server_kmip, bad)
        fails(name, element.modify_key_server_kmip, number, kmip_key_server_hostnames=[host])
        element.delete_key_server_kmip(bad)
        fails("xKeyServerDoesNotExist", element.get_key_server_kmip, bad)
        fails("xKeyServerDoesNotExist", element.delete_key_server_kmip, bad)
    fails("xInvalidParameter", element.create_key_server_kmip, PEM, PEM, [], "no hosts")
    fails("xKmipCertificateInvalid", element.create_key_server_kmip, "x", PEM, ["kms.example"], "no certificate")
    element.delete_key_server_kmip(number)


def check_providers(element):
    empty = new_provider(element)
    equal(element.get_key_provider_kmip(empty).kmip_key_provider.key_server_ids, [])
    fails("xKeyProviderHasNoServer", element.test_key_provider_kmip, empty)
    provider = new_provider(element, "kms.example")
    element.test_key_provider_kmip(provider)
    server = element.list_key_servers_kmip(key_provider_id=provider).kmip_key_servers[0]
    equal((server.key_provider_id, server.kmip_assigned_provider_is_active), (provider, False))
    element.add_key_server_to_provider_kmip(provider, server.key_server_id)
    fails("xKeyServerInUse", element.add_key_server_to_provider_kmip, empty, server.key_server_id)
    twin = new_server(element, "twin.example").key_server_id
    fails("xKeySyncConflict", element.add_key_server_to_provider_kmip, provider, twin)
    with_servers = element.list_key_providers_kmip(kmip_key_provider_has_server_assigned=True).kmip_key_providers
    equal([entry.key_provider_id for entry in with_servers], [provider])
    equal(element.list_key_providers_kmip(key_provider_is_active=True).kmip_key_providers, [])
    element.remove_key_server_from_provider_kmip(server.key_server_id)
    element.remove_key_server_from_provider_kmip(server.key_server_id)
    fails("xKeyServerDoesNotExist", element.remove_key_server_from_provider_kmip, 4711)
    for number in (empty, provider):
        element.delete_key_provider_kmip(number)
        fails("xKeyProviderDoesNotExist", element.get_key_provider_kmip, number)
        fails("xKeyProviderDoesNotExist", element.delete_key_provider_kmip, number)
    fails("xInvalidParameter", element.create_key_provider_kmip, "")
