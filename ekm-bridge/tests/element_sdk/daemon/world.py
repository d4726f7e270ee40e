"""What is around the daemon: key managers, their certificates, NBD clients, files."""
import json
import os
import subprocess
import tempfile
import time

from checks import equal, true


class World:
    def __init__(self, settings):
        self.port = settings["port"]
        self.certificate = settings["certificate"]
        self.pki = settings["pki"]
        self.first, self.second, self.stock = settings["servers"]
        self.faults_file = settings["faults"]
        self.nbd = settings["nbd"]
        self.volumes = settings["volumes"]

    def pem(self, name):
        """A certificate of the key managers' authority."""
        with open(os.path.join(self.pki, name + ".crt")) as file:
            return file.read()

    def sign(self, request):
        """The authority signs a request, as an administrator lets it do."""
        with tempfile.TemporaryDirectory() as folder:
            csr, extensions = os.path.join(folder, "csr"), os.path.join(folder, "extensions")
            with open(csr, "w") as file:
                file.write(request)
            with open(extensions, "w") as file:
                file.write("extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n")
            authority = ["-CA", os.path.join(self.pki, "ca.crt"), "-CAkey", os.path.join(self.pki, "ca.key")]
            command = ["openssl", "x509", "-req", "-days", "90", "-set_serial", "77", "-in", csr, "-extfile", extensions]
            return subprocess.run(command + authority, check=True, capture_output=True, text=True).stdout

    def new_server(self, element, client, port, name="kms", authority="ca"):
        made = element.create_key_server_kmip(
            kmip_ca_certificate=self.pem(authority), kmip_client_certificate=client,
            kmip_key_server_hostnames=["localhost"], kmip_key_server_name=name, kmip_key_server_port=port)
        return made.kmip_key_server.key_server_id

    def fault(self, **fault):
        """What the first key manager does wrong from now on."""
        with open(self.faults_file + ".new", "w") as file:
            json.dump(fault, file)
        os.replace(self.faults_file + ".new", self.faults_file)

    def uri(self, export):
        return f"nbd+unix:///{export}?socket={self.nbd}"

    def io(self, export, *commands):
        """Runs qemu-io on an export; whether everything went well and every pattern was the one that was looked for."""
        arguments = [word for command in commands for word in ("-c", command)]
        done = subprocess.run(["qemu-io", "-f", "raw", *arguments, self.uri(export)], capture_output=True, text=True)
        text = done.stdout + done.stderr
        return done.returncode == 0 and "failed" not in text

    def size(self, export):
        """What a client is told the export's size is."""
        command = ["nbdinfo", "--size", self.uri(export)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def files(self):
        return sorted(os.listdir(self.volumes))


def wait(element, handle):
    """The final result of work that goes on; it is handed out once. The SDK gives it as a plain dictionary."""
    states = []
    for _ in range(1200):
        result = element.get_async_result(handle, keep_result=False)
        if result["status"] == "complete":
            return result, states
        states.append(result["details"]["state"])
        time.sleep(0.02)
    raise AssertionError(f"work {handle} did not end within a minute: {states}")


def rekeyed(element, **target):
    """Rekeys and checks what is told of it; the new key."""
    before = element.get_software_encryption_at_rest_info().master_key_info
    handle = element.rekey_software_encryption_at_rest_master_key(**target).async_handle
    result, states = wait(element, handle)
    phases = ["CreateNewMasterKey", "RewrapDataEncryptionKeys", "DecommissionOldMasterKey"]
    equal(states, sorted(states, key=phases.index))
    true("error" not in result, result)
    equal((result["resultType"], result["result"]["state"]), ("RekeySoftwareEncryptionAtRestMasterKey", "Ready"))
    equal(result["result"]["keyToDecommission"]["keyID"], str(before.key_id))
    after = element.get_software_encryption_at_rest_info().master_key_info
    equal(result["result"]["newKey"]["keyID"], str(after.key_id))
    true(after.key_id != before.key_id, "a rekey makes a new key")
    return after, result["result"]
