"""AES-XTS by Python's `cryptography`. Each line of the file: key, 16-byte tweak, one data unit, in hexadecimal."""

import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

with open(sys.argv[1], encoding="ascii") as cases:
    for line in cases:
        key, tweak, plain = (bytes.fromhex(word) for word in line.split())
        encryptor = Cipher(algorithms.AES(key), modes.XTS(tweak)).encryptor()
        print((encryptor.update(plain) + encryptor.finalize()).hex())
