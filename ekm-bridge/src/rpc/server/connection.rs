//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::room::Place;
use super::{Limits, Shared, http};

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) tcp: TcpStream,
    pub(super) source: SocketAddr,
    /// Held until the end.
    pub(super) place: Place,
}

/// Serves a connection. Whatever goes wrong on it ends it and nothing else; there is nobody to tell.
pub(super) async fn serve(
    connection: Connection,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let Connection { tcp, source, place: _place } = connection;
    // Replies are one write each; waiting for more to send would only delay them.
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    let limits = shared.limits;
    let tls = tokio::select! {
        _ = stop.changed() => return,
        tls = timeout(limits.handshake_time, acceptor.accept(tcp)) => tls,
    };
    let Ok(Ok(tls)) = tls else { return };
    let answer = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(http::answer(&shared, source, request).await) }
    });
    let mut http = pin!(builder(limits).serve_connection(TokioIo::new(tls), answer));
    tokio::select! {
        _ = http.as_mut() => return,
        _ = stop.changed() => {}
        () = sleep(limits.connection_age) => {}
    }
    http.as_mut().graceful_shutdown();
    let _ = timeout(limits.grace, http).await;
}

fn builder(limits: Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .keep_alive(true);
    builder
}
