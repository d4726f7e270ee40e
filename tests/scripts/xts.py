"""AES-XTS by someone else: xts.py LIBRARY KEY_BYTES UNIT_BYTES UNITS IN OUT.

A record of IN is a key, the number of its first data unit in 512-byte sectors (8 bytes, little-endian), and UNITS data
units. OUT gets the data units, encrypted. LIBRARY is `openssl` (through Python's `cryptography`) or `libgcrypt`.
"""

import ctypes
import sys


def openssl(key):
    """A function that encrypts one unit with OpenSSL."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def encrypt(tweak, unit):
        encryptor = Cipher(algorithms.AES(key), modes.XTS(tweak)).encryptor()
        return encryptor.update(unit) + encryptor.finalize()

    return encrypt


class Libgcrypt:
    """Libgcrypt's AES-XTS: one handle for all keys of a size."""

    AES = {32: 7, 64: 9}  # GCRY_CIPHER_AES128 and GCRY_CIPHER_AES256, by the length of both keys
    MODE_XTS = 13

    def __init__(self, key_bytes):
        self.library = ctypes.CDLL("libgcrypt.so.20")
        self.library.gcry_check_version.restype = ctypes.c_char_p
        self.library.gcry_check_version(None)
        self.handle = ctypes.c_void_p()
        self.call("gcry_cipher_open", ctypes.byref(self.handle), self.AES[key_bytes], self.MODE_XTS, 0)

    def call(self, name, *arguments):
        error = getattr(self.library, name)(*arguments)
        if error:
            sys.exit(f"{name}: error {error}")

    def __call__(self, key):
        self.call("gcry_cipher_setkey", self.handle, key, ctypes.c_size_t(len(key)))
        return self.encrypt

    def encrypt(self, tweak, unit):
        length = ctypes.c_size_t(len(unit))
        out = ctypes.create_string_buffer(len(unit))
        self.call("gcry_cipher_setiv", self.handle, tweak, ctypes.c_size_t(len(tweak)))
        self.call("gcry_cipher_encrypt", self.handle, out, length, unit, length)
        return out.raw


def main(library, key_bytes, unit_bytes, units, source, destination):
    under = {"openssl": lambda: openssl, "libgcrypt": lambda: Libgcrypt(key_bytes)}[library]()
    with open(source, "rb") as records, open(destination, "wb") as results:
        while key := records.read(key_bytes):
            encrypt = under(key)
            first = int.from_bytes(records.read(8), "little")
            for number in range(units):
                sector = (first + number * (unit_bytes // 512)) % 2**64
                results.write(encrypt(sector.to_bytes(16, "little"), records.read(unit_bytes)))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]), *sys.argv[5:])
