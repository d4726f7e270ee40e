//! TLS with certificates made by OpenSSL, spoken by libnbd and GnuTLS.

use std::path::Path;

use sear_tests::rig::{Certificates, Need, Run, Sear, Served, filled_file, free_port, require};

const NEEDS: [Need; 3] = [Need::Tool("openssl"), Need::Tool("nbdinfo"), Need::Tool("nbdcopy")];

#[test]
fn a_volume_is_written_and_read_over_tls() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, certificates) = installation();
    let served = up(&sear, &certificates, false);
    let uri = served.tls_uri(&certificates.without_client());
    let (plain, copy) = (sear.path("plain"), sear.path("copy"));
    filled_file(&plain, 9, 8 << 20);
    Run::new("nbdcopy").arg("--flush").arg(&plain).arg(&uri).ok();
    Run::new("nbdcopy").arg(&uri).arg(&copy).ok();
    assert!(std::fs::read(&plain).expect("readable") == std::fs::read(&copy).expect("readable"));
    let info = Run::new("nbdinfo").arg(&uri).ok();
    assert!(info.contains("TLS"), "{info}");
    served.stop();
}

#[test]
fn a_client_without_tls_is_turned_away() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, certificates) = installation();
    let mut served = up(&sear, &certificates, false);
    Run::new("nbdinfo").arg(served.uri()).fails();
    served.assert_alive();
    served.stop();
}

#[test]
fn a_client_certificate_is_asked_for_and_accepted() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, certificates) = installation();
    let mut served = up(&sear, &certificates, true);
    assert!(can_connect(&served, certificates.folder()), "{}", served.log());
    served.assert_alive();
    served.stop();
}

#[test]
fn a_client_without_a_certificate_is_turned_away_where_one_is_required() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, certificates) = installation();
    let mut served = up(&sear, &certificates, true);
    assert!(!can_connect(&served, &certificates.without_client()));
    assert!(can_connect(&served, certificates.folder()), "the server no longer serves: {}", served.log());
    served.assert_alive();
    served.stop();
}

#[test]
fn a_client_certificate_of_another_authority_is_turned_away() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, certificates) = installation();
    let stranger = Certificates::make(sear.path("stranger"));
    std::fs::copy(certificates.file("ca-cert.pem"), stranger.file("ca-cert.pem")).expect("the file can be copied");
    let mut served = up(&sear, &certificates, true);
    assert!(!can_connect(&served, stranger.folder()));
    served.assert_alive();
    served.stop();
}

#[test]
fn clients_can_check_who_the_server_is() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, certificates) = installation();
    let stranger = Certificates::make(sear.path("stranger"));
    let port = free_port();
    // Over TCP: libnbd does not check the server's certificate on a Unix socket, which has no host name.
    let mut served = start(&sear, &certificates, ["--listen".to_owned(), format!("tcp:127.0.0.1:{port}")]);
    let connects = |folder: &Path| Run::new("nbdinfo").arg("--size").arg(Served::tls_tcp_uri(port, folder)).succeeds();
    assert!(connects(&certificates.without_client()), "{}", served.log());
    assert!(!connects(&stranger.without_client()), "a client that trusts another authority has connected");
    served.assert_alive();
    served.stop();
}

fn installation() -> (Sear, Certificates) {
    let sear = Sear::new();
    let certificates = Certificates::make(sear.path("certificates"));
    (sear, certificates)
}

fn up(sear: &Sear, certificates: &Certificates, asks_clients: bool) -> Served {
    let client_authority = asks_clients.then(|| ["--tls-client-ca".to_owned(), certificates.file("ca-cert.pem")]);
    start(sear, certificates, client_authority.into_iter().flatten())
}

fn start(sear: &Sear, certificates: &Certificates, more: impl IntoIterator<Item = String>) -> Served {
    let (certificate, key) = (certificates.file("server-cert.pem"), certificates.file("server-key.pem"));
    let arguments = ["--size", "8M", "--tls-cert", &certificate, "--tls-key", &key].map(str::to_owned);
    sear.up(&sear.path("disk"), arguments.into_iter().chain(more))
}

fn can_connect(served: &Served, certificates: &Path) -> bool {
    Run::new("nbdinfo").arg("--size").arg(served.tls_uri(certificates)).succeeds()
}
