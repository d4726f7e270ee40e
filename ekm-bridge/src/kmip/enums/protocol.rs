//! What a message says about itself and about its outcome (KMIP 1.x, section 9.1.3.2; KMIP 2.1, section 11).

use super::enumerations;

enumerations! {
    /// What a batch item asks for.
    Operation: OPERATION {
        CREATE = 1, "Create";
        CREATE_KEY_PAIR = 2, "Create Key Pair";
        REGISTER = 3, "Register";
        RE_KEY = 4, "Re-key";
        DERIVE_KEY = 5, "Derive Key";
        CERTIFY = 6, "Certify";
        RE_CERTIFY = 7, "Re-certify";
        LOCATE = 8, "Locate";
        CHECK = 9, "Check";
        GET = 10, "Get";
        GET_ATTRIBUTES = 11, "Get Attributes";
        GET_ATTRIBUTE_LIST = 12, "Get Attribute List";
        ADD_ATTRIBUTE = 13, "Add Attribute";
        MODIFY_ATTRIBUTE = 14, "Modify Attribute";
        DELETE_ATTRIBUTE = 15, "Delete Attribute";
        OBTAIN_LEASE = 16, "Obtain Lease";
        GET_USAGE_ALLOCATION = 17, "Get Usage Allocation";
        ACTIVATE = 18, "Activate";
        REVOKE = 19, "Revoke";
        DESTROY = 20, "Destroy";
        ARCHIVE = 21, "Archive";
        RECOVER = 22, "Recover";
        VALIDATE = 23, "Validate";
        QUERY = 24, "Query";
        CANCEL = 25, "Cancel";
        POLL = 26, "Poll";
        NOTIFY = 27, "Notify";
        PUT = 28, "Put";
        RE_KEY_KEY_PAIR = 29, "Re-key Key Pair";
        DISCOVER_VERSIONS = 30, "Discover Versions";
        ENCRYPT = 31, "Encrypt";
        DECRYPT = 32, "Decrypt";
        SIGN = 33, "Sign";
        SIGNATURE_VERIFY = 34, "Signature Verify";
        MAC = 35, "MAC";
        MAC_VERIFY = 36, "MAC Verify";
        RNG_RETRIEVE = 37, "RNG Retrieve";
        RNG_SEED = 38, "RNG Seed";
        HASH = 39, "Hash";
        CREATE_SPLIT_KEY = 40, "Create Split Key";
        JOIN_SPLIT_KEY = 41, "Join Split Key";
        IMPORT = 42, "Import";
        EXPORT = 43, "Export";
        LOG = 44, "Log";
        LOGIN = 45, "Login";
        LOGOUT = 46, "Logout";
        DELEGATED_LOGIN = 47, "Delegated Login";
        ADJUST_ATTRIBUTE = 48, "Adjust Attribute";
        SET_ATTRIBUTE = 49, "Set Attribute";
        SET_ENDPOINT_ROLE = 50, "Set Endpoint Role";
        PKCS11 = 51, "PKCS#11";
        INTEROP = 52, "Interop";
        RE_PROVISION = 53, "Re-Provision";
    }

    /// How a batch item ended.
    ResultStatus: RESULT_STATUS {
        SUCCESS = 0, "Success";
        OPERATION_FAILED = 1, "Operation Failed";
        OPERATION_PENDING = 2, "Operation Pending";
        OPERATION_UNDONE = 3, "Operation Undone";
    }

    /// Why it did not succeed.
    ResultReason: RESULT_REASON {
        ITEM_NOT_FOUND = 1, "Item Not Found";
        RESPONSE_TOO_LARGE = 2, "Response Too Large";
        AUTHENTICATION_NOT_SUCCESSFUL = 3, "Authentication Not Successful";
        INVALID_MESSAGE = 4, "Invalid Message";
        OPERATION_NOT_SUPPORTED = 5, "Operation Not Supported";
        MISSING_DATA = 6, "Missing Data";
        INVALID_FIELD = 7, "Invalid Field";
        FEATURE_NOT_SUPPORTED = 8, "Feature Not Supported";
        OPERATION_CANCELED_BY_REQUESTER = 9, "Operation Canceled By Requester";
        CRYPTOGRAPHIC_FAILURE = 10, "Cryptographic Failure";
        ILLEGAL_OPERATION = 11, "Illegal Operation";
        PERMISSION_DENIED = 12, "Permission Denied";
        OBJECT_ARCHIVED = 13, "Object Archived";
        INDEX_OUT_OF_BOUNDS = 14, "Index Out of Bounds";
        APPLICATION_NAMESPACE_NOT_SUPPORTED = 15, "Application Namespace Not Supported";
        KEY_FORMAT_TYPE_NOT_SUPPORTED = 16, "Key Format Type Not Supported";
        KEY_COMPRESSION_TYPE_NOT_SUPPORTED = 17, "Key Compression Type Not Supported";
        ENCODING_OPTION_ERROR = 18, "Encoding Option Error";
        KEY_VALUE_NOT_PRESENT = 19, "Key Value Not Present";
        ATTESTATION_REQUIRED = 20, "Attestation Required";
        ATTESTATION_FAILED = 21, "Attestation Failed";
        SENSITIVE = 22, "Sensitive";
        NOT_EXTRACTABLE = 23, "Not Extractable";
        OBJECT_ALREADY_EXISTS = 24, "Object Already Exists";
        INVALID_TICKET = 25, "Invalid Ticket";
        USAGE_LIMIT_EXCEEDED = 26, "Usage Limit Exceeded";
        NUMERIC_RANGE = 27, "Numeric Range";
        INVALID_DATA_TYPE = 28, "Invalid Data Type";
        READ_ONLY_ATTRIBUTE = 29, "Read Only Attribute";
        MULTI_VALUED_ATTRIBUTE = 30, "Multi Valued Attribute";
        UNSUPPORTED_ATTRIBUTE = 31, "Unsupported Attribute";
        ATTRIBUTE_INSTANCE_NOT_FOUND = 32, "Attribute Instance Not Found";
        ATTRIBUTE_NOT_FOUND = 33, "Attribute Not Found";
        ATTRIBUTE_READ_ONLY = 34, "Attribute Read Only";
        ATTRIBUTE_SINGLE_VALUED = 35, "Attribute Single Valued";
        BAD_CRYPTOGRAPHIC_PARAMETERS = 36, "Bad Cryptographic Parameters";
        BAD_PASSWORD = 37, "Bad Password";
        CODEC_ERROR = 38, "Codec Error";
        ILLEGAL_OBJECT_TYPE = 40, "Illegal Object Type";
        INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK = 41, "Incompatible Cryptographic Usage Mask";
        INTERNAL_SERVER_ERROR = 42, "Internal Server Error";
        INVALID_ASYNCHRONOUS_CORRELATION_VALUE = 43, "Invalid Asynchronous Correlation Value";
        INVALID_ATTRIBUTE = 44, "Invalid Attribute";
        INVALID_ATTRIBUTE_VALUE = 45, "Invalid Attribute Value";
        INVALID_CORRELATION_VALUE = 46, "Invalid Correlation Value";
        INVALID_CSR = 47, "Invalid CSR";
        INVALID_OBJECT_TYPE = 48, "Invalid Object Type";
        KEY_WRAP_TYPE_NOT_SUPPORTED = 50, "Key Wrap Type Not Supported";
        MISSING_INITIALIZATION_VECTOR = 52, "Missing Initialization Vector";
        NON_UNIQUE_NAME_ATTRIBUTE = 53, "Non Unique Name Attribute";
        OBJECT_DESTROYED = 54, "Object Destroyed";
        OBJECT_NOT_FOUND = 55, "Object Not Found";
        NOT_AUTHORIZED = 57, "Not Authorized";
        SERVER_LIMIT_EXCEEDED = 58, "Server Limit Exceeded";
        UNKNOWN_ENUMERATION = 59, "Unknown Enumeration";
        UNKNOWN_MESSAGE_EXTENSION = 60, "Unknown Message Extension";
        UNKNOWN_TAG = 61, "Unknown Tag";
        UNSUPPORTED_CRYPTOGRAPHIC_PARAMETERS = 62, "Unsupported Cryptographic Parameters";
        UNSUPPORTED_PROTOCOL_VERSION = 63, "Unsupported Protocol Version";
        WRAPPING_OBJECT_ARCHIVED = 64, "Wrapping Object Archived";
        WRAPPING_OBJECT_DESTROYED = 65, "Wrapping Object Destroyed";
        WRAPPING_OBJECT_NOT_FOUND = 66, "Wrapping Object Not Found";
        WRONG_KEY_LIFECYCLE_STATE = 67, "Wrong Key Lifecycle State";
        PROTECTION_STORAGE_UNAVAILABLE = 68, "Protection Storage Unavailable";
        PKCS11_CODEC_ERROR = 69, "PKCS#11 Codec Error";
        PKCS11_INVALID_FUNCTION = 70, "PKCS#11 Invalid Function";
        PKCS11_INVALID_INTERFACE = 71, "PKCS#11 Invalid Interface";
        GENERAL_FAILURE = 0x100, "General Failure";
    }

    /// What a server does with the rest of a batch after a failure.
    BatchErrorContinuationOption: BATCH_ERROR_CONTINUATION_OPTION {
        CONTINUE = 1, "Continue";
        STOP = 2, "Stop";
        UNDO = 3, "Undo";
    }

    /// What proves who asks, besides the certificate.
    CredentialType: CREDENTIAL_TYPE {
        USERNAME_AND_PASSWORD = 1, "Username and Password";
        DEVICE = 2, "Device";
        ATTESTATION = 3, "Attestation";
        ONE_TIME_PASSWORD = 4, "One Time Password";
        HASHED_PASSWORD = 5, "Hashed Password";
        TICKET = 6, "Ticket";
    }

    /// What a Query asks about.
    QueryFunction: QUERY_FUNCTION {
        QUERY_OPERATIONS = 1, "Query Operations";
        QUERY_OBJECTS = 2, "Query Objects";
        QUERY_SERVER_INFORMATION = 3, "Query Server Information";
        QUERY_APPLICATION_NAMESPACES = 4, "Query Application Namespaces";
        QUERY_EXTENSION_LIST = 5, "Query Extension List";
        QUERY_EXTENSION_MAP = 6, "Query Extension Map";
        QUERY_ATTESTATION_TYPES = 7, "Query Attestation Types";
        QUERY_RNGS = 8, "Query RNGs";
        QUERY_VALIDATIONS = 9, "Query Validations";
        QUERY_PROFILES = 10, "Query Profiles";
        QUERY_CAPABILITIES = 11, "Query Capabilities";
        QUERY_CLIENT_REGISTRATION_METHODS = 12, "Query Client Registration Methods";
        QUERY_DEFAULTS_INFORMATION = 13, "Query Defaults Information";
        QUERY_STORAGE_PROTECTION_MASKS = 14, "Query Storage Protection Masks";
    }
}
