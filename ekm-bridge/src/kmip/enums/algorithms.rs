//! Algorithms and their parameters (KMIP 1.x, section 9.1.3.2; KMIP 2.1, section 11).

use super::enumerations;

enumerations! {
    /// What a key is for.
    CryptographicAlgorithm: CRYPTOGRAPHIC_ALGORITHM {
        DES = 1, "DES";
        TRIPLE_DES = 2, "3DES";
        AES = 3, "AES";
        RSA = 4, "RSA";
        DSA = 5, "DSA";
        ECDSA = 6, "ECDSA";
        HMAC_SHA1 = 7, "HMAC-SHA1";
        HMAC_SHA224 = 8, "HMAC-SHA224";
        HMAC_SHA256 = 9, "HMAC-SHA256";
        HMAC_SHA384 = 10, "HMAC-SHA384";
        HMAC_SHA512 = 11, "HMAC-SHA512";
        HMAC_MD5 = 12, "HMAC-MD5";
        DH = 13, "DH";
        ECDH = 14, "ECDH";
        ECMQV = 15, "ECMQV";
        BLOWFISH = 16, "Blowfish";
        CAMELLIA = 17, "Camellia";
        CAST5 = 18, "CAST5";
        IDEA = 19, "IDEA";
        MARS = 20, "MARS";
        RC2 = 21, "RC2";
        RC4 = 22, "RC4";
        RC5 = 23, "RC5";
        SKIPJACK = 24, "SKIPJACK";
        TWOFISH = 25, "Twofish";
        EC = 26, "EC";
        ONE_TIME_PAD = 27, "One Time Pad";
        CHACHA20 = 28, "ChaCha20";
        POLY1305 = 29, "Poly1305";
        CHACHA20POLY1305 = 30, "ChaCha20Poly1305";
        SHA3_224 = 31, "SHA3-224";
        SHA3_256 = 32, "SHA3-256";
        SHA3_384 = 33, "SHA3-384";
        SHA3_512 = 34, "SHA3-512";
        HMAC_SHA3_224 = 35, "HMAC-SHA3-224";
        HMAC_SHA3_256 = 36, "HMAC-SHA3-256";
        HMAC_SHA3_384 = 37, "HMAC-SHA3-384";
        HMAC_SHA3_512 = 38, "HMAC-SHA3-512";
        SHAKE_128 = 39, "SHAKE-128";
        SHAKE_256 = 40, "SHAKE-256";
        ARIA = 41, "ARIA";
        SEED = 42, "SEED";
        SM2 = 43, "SM2";
        SM3 = 44, "SM3";
        SM4 = 45, "SM4";
        GOST_R_34_10_2012 = 46, "GOST R 34.10-2012";
        GOST_R_34_11_2012 = 47, "GOST R 34.11-2012";
        GOST_R_34_13_2015 = 48, "GOST R 34.13-2015";
        GOST_28147_89 = 49, "GOST 28147-89";
        XMSS = 50, "XMSS";
        SPHINCS_256 = 51, "SPHINCS-256";
        MCELIECE = 52, "McEliece";
        MCELIECE_6960119 = 53, "McEliece-6960119";
        MCELIECE_8192128 = 54, "McEliece-8192128";
        ED25519 = 55, "Ed25519";
        ED448 = 56, "Ed448";
    }

    /// How a block cipher is used.
    BlockCipherMode: BLOCK_CIPHER_MODE {
        CBC = 1, "CBC";
        ECB = 2, "ECB";
        PCBC = 3, "PCBC";
        CFB = 4, "CFB";
        OFB = 5, "OFB";
        CTR = 6, "CTR";
        CMAC = 7, "CMAC";
        CCM = 8, "CCM";
        GCM = 9, "GCM";
        CBC_MAC = 10, "CBC-MAC";
        XTS = 11, "XTS";
        AESKEYWRAPPADDING = 12, "AESKeyWrapPadding";
        NISTKEYWRAP = 13, "NISTKeyWrap";
        X9_102_AESKW = 14, "X9.102 AESKW";
        X9_102_TDKW = 15, "X9.102 TDKW";
        X9_102_AKW1 = 16, "X9.102 AKW1";
        X9_102_AKW2 = 17, "X9.102 AKW2";
        AEAD = 18, "AEAD";
    }

    /// How a message is padded.
    PaddingMethod: PADDING_METHOD {
        NONE = 1, "None";
        OAEP = 2, "OAEP";
        PKCS5 = 3, "PKCS5";
        SSL3 = 4, "SSL3";
        ZEROS = 5, "Zeros";
        ANSI_X9_23 = 6, "ANSI X9.23";
        ISO_10126 = 7, "ISO 10126";
        PKCS1_V1_5 = 8, "PKCS1 v1.5";
        X9_31 = 9, "X9.31";
        PSS = 10, "PSS";
    }

    /// A hash.
    HashingAlgorithm: HASHING_ALGORITHM {
        MD2 = 1, "MD2";
        MD4 = 2, "MD4";
        MD5 = 3, "MD5";
        SHA_1 = 4, "SHA-1";
        SHA_224 = 5, "SHA-224";
        SHA_256 = 6, "SHA-256";
        SHA_384 = 7, "SHA-384";
        SHA_512 = 8, "SHA-512";
        RIPEMD_160 = 9, "RIPEMD-160";
        TIGER = 10, "Tiger";
        WHIRLPOOL = 11, "Whirlpool";
        SHA_512_224 = 12, "SHA-512/224";
        SHA_512_256 = 13, "SHA-512/256";
        SHA_3_224 = 14, "SHA-3-224";
        SHA_3_256 = 15, "SHA-3-256";
        SHA_3_384 = 16, "SHA-3-384";
        SHA_3_512 = 17, "SHA-3-512";
    }
}
