//! The cluster's key pair towards key servers, and the request for its certificate.

use serde::{Deserialize, Serialize};

/// Parameters of `CreatePublicPrivateKeyPair`: the subject of the certificate to ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateKeyPair {
    /// CN.
    pub common_name: Option<String>,
    /// O.
    pub organization: Option<String>,
    /// OU; some key managers map it to an account.
    pub organizational_unit: Option<String>,
    /// L.
    pub locality: Option<String>,
    /// ST.
    pub state: Option<String>,
    /// C, two letters.
    pub country: Option<String>,
    /// The subject's mail address.
    pub email_address: Option<String>,
}

/// Result of `GetClientCertificateSignRequest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignRequest {
    /// PKCS#10 in PEM.
    #[serde(rename = "clientCertificateSignRequest")]
    pub pem: String,
}
