//! What a managed object is and in which state (KMIP 1.x, section 9.1.3.2; KMIP 2.1, section 11).

use super::enumerations;

enumerations! {
    /// What is managed.
    ObjectType: OBJECT_TYPE {
        CERTIFICATE = 1, "Certificate";
        SYMMETRIC_KEY = 2, "Symmetric Key";
        PUBLIC_KEY = 3, "Public Key";
        PRIVATE_KEY = 4, "Private Key";
        SPLIT_KEY = 5, "Split Key";
        TEMPLATE = 6, "Template";
        SECRET_DATA = 7, "Secret Data";
        OPAQUE_OBJECT = 8, "Opaque Object";
        PGP_KEY = 9, "PGP Key";
        CERTIFICATE_REQUEST = 10, "Certificate Request";
    }

    /// Where an object is in its life (section 3.22).
    State: STATE {
        PRE_ACTIVE = 1, "Pre-Active";
        ACTIVE = 2, "Active";
        DEACTIVATED = 3, "Deactivated";
        COMPROMISED = 4, "Compromised";
        DESTROYED = 5, "Destroyed";
        DESTROYED_COMPROMISED = 6, "Destroyed Compromised";
    }

    /// How a name is to be read.
    NameType: NAME_TYPE {
        UNINTERPRETED_TEXT_STRING = 1, "Uninterpreted Text String";
        URI = 2, "URI";
    }

    /// Why an object is revoked.
    RevocationReasonCode: REVOCATION_REASON_CODE {
        UNSPECIFIED = 1, "Unspecified";
        KEY_COMPROMISE = 2, "Key Compromise";
        CA_COMPROMISE = 3, "CA Compromise";
        AFFILIATION_CHANGED = 4, "Affiliation Changed";
        SUPERSEDED = 5, "Superseded";
        CESSATION_OF_OPERATION = 6, "Cessation of Operation";
        PRIVILEGE_WITHDRAWN = 7, "Privilege Withdrawn";
    }

    /// What Validate found.
    ValidityIndicator: VALIDITY_INDICATOR {
        VALID = 1, "Valid";
        INVALID = 2, "Invalid";
        UNKNOWN = 3, "Unknown";
    }

    /// How two objects belong together.
    LinkType: LINK_TYPE {
        CERTIFICATE_LINK = 0x101, "Certificate Link";
        PUBLIC_KEY_LINK = 0x102, "Public Key Link";
        PRIVATE_KEY_LINK = 0x103, "Private Key Link";
        DERIVATION_BASE_OBJECT_LINK = 0x104, "Derivation Base Object Link";
        DERIVED_KEY_LINK = 0x105, "Derived Key Link";
        REPLACEMENT_OBJECT_LINK = 0x106, "Replacement Object Link";
        REPLACED_OBJECT_LINK = 0x107, "Replaced Object Link";
        PARENT_LINK = 0x108, "Parent Link";
        CHILD_LINK = 0x109, "Child Link";
        PREVIOUS_LINK = 0x10a, "Previous Link";
        NEXT_LINK = 0x10b, "Next Link";
        PKCS12_CERTIFICATE_LINK = 0x10c, "PKCS#12 Certificate Link";
        PKCS12_PASSWORD_LINK = 0x10d, "PKCS#12 Password Link";
        WRAPPING_KEY_LINK = 0x10e, "Wrapping Key Link";
    }

    /// How key material is written.
    KeyFormatType: KEY_FORMAT_TYPE {
        RAW = 1, "Raw";
        OPAQUE = 2, "Opaque";
        PKCS1 = 3, "PKCS#1";
        PKCS8 = 4, "PKCS#8";
        X_509 = 5, "X.509";
        ECPRIVATEKEY = 6, "ECPrivateKey";
        TRANSPARENT_SYMMETRIC_KEY = 7, "Transparent Symmetric Key";
        TRANSPARENT_DSA_PRIVATE_KEY = 8, "Transparent DSA Private Key";
        TRANSPARENT_DSA_PUBLIC_KEY = 9, "Transparent DSA Public Key";
        TRANSPARENT_RSA_PRIVATE_KEY = 10, "Transparent RSA Private Key";
        TRANSPARENT_RSA_PUBLIC_KEY = 11, "Transparent RSA Public Key";
        TRANSPARENT_DH_PRIVATE_KEY = 12, "Transparent DH Private Key";
        TRANSPARENT_DH_PUBLIC_KEY = 13, "Transparent DH Public Key";
        TRANSPARENT_ECDSA_PRIVATE_KEY = 14, "Transparent ECDSA Private Key";
        TRANSPARENT_ECDSA_PUBLIC_KEY = 15, "Transparent ECDSA Public Key";
        TRANSPARENT_ECDH_PRIVATE_KEY = 16, "Transparent ECDH Private Key";
        TRANSPARENT_ECDH_PUBLIC_KEY = 17, "Transparent ECDH Public Key";
        TRANSPARENT_ECMQV_PRIVATE_KEY = 18, "Transparent ECMQV Private Key";
        TRANSPARENT_ECMQV_PUBLIC_KEY = 19, "Transparent ECMQV Public Key";
        TRANSPARENT_EC_PRIVATE_KEY = 20, "Transparent EC Private Key";
        TRANSPARENT_EC_PUBLIC_KEY = 21, "Transparent EC Public Key";
        PKCS12 = 22, "PKCS#12";
    }

    /// How a key was wrapped.
    WrappingMethod: WRAPPING_METHOD {
        ENCRYPT = 1, "Encrypt";
        MAC_SIGN = 2, "MAC/sign";
        ENCRYPT_THEN_MAC_SIGN = 3, "Encrypt then MAC/sign";
        MAC_SIGN_THEN_ENCRYPT = 4, "MAC/sign then encrypt";
        TR_31 = 5, "TR-31";
    }

    /// What was wrapped: the bytes of the key, or its TTLV structure.
    EncodingOption: ENCODING_OPTION {
        NO_ENCODING = 1, "No Encoding";
        TTLV_ENCODING = 2, "TTLV Encoding";
    }
}
