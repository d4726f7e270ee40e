//! One HTTP request to one response.
//!
//! The texts of 401 and 404 are what public Element clients look for. Every JSON-RPC reply is 200, errors too, because
//! HTTP did its part; only a body that is no request is 400.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};

use super::Shared;
use super::gate::{Refusal, is_loopback};
use crate::rpc::methods::Caller;
use crate::rpc::observer::RefusalRecord;
use crate::rpc::service::Answer;

const RPC_PATH: &str = "/json-rpc/";
const METRICS_PATH: &str = "/metrics";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
/// The Prometheus text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

type Reply = Response<Full<Bytes>>;

/// Answers a request.
pub(super) async fn answer(shared: &Arc<Shared>, source: SocketAddr, request: Request<Incoming>) -> Reply {
    let path = request.uri().path();
    let answered = match path.strip_prefix(RPC_PATH) {
        Some(version) if request.method() == Method::POST => {
            let version = version.to_owned();
            rpc(shared, source, request, version).await
        }
        None if path == METRICS_PATH && request.method() == Method::GET => metrics(shared, source, &request).await,
        Some(_) => Err(refuse_method("POST")),
        None if path == METRICS_PATH => Err(refuse_method("GET")),
        None => Err(text(StatusCode::NOT_FOUND, "404 Not Found")),
    };
    answered.unwrap_or_else(|refusal| refusal)
}

async fn rpc(
    shared: &Arc<Shared>,
    source: SocketAddr,
    request: Request<Incoming>,
    version: String,
) -> Result<Reply, Reply> {
    let caller = admit(shared, source, &request).await?;
    let body = read(shared, request).await?;
    // The semaphore is never closed. A call goes on when its client hangs up, and keeps its turn so long.
    let turn = Arc::clone(&shared.calls).acquire_owned().await.map_err(|_| unavailable())?;
    let shared = Arc::clone(shared);
    let call = move || {
        let answer = shared.service.answer(&version, &caller, source, &body);
        drop(turn);
        answer
    };
    let Answer { body, was_request } = tokio::task::spawn_blocking(call).await.map_err(|_| unavailable())?;
    let status = if was_request { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(respond(status, JSON, body))
}

/// Metrics tell nothing secret, but how a node is used: strangers on the network get none, local collectors all.
async fn metrics(shared: &Arc<Shared>, source: SocketAddr, request: &Request<Incoming>) -> Result<Reply, Reply> {
    if !is_loopback(source.ip()) {
        let caller = admit(shared, source, request).await?;
        caller.role().ok_or_else(|| unauthorized(shared, source, None))?;
    }
    let metrics = Arc::clone(&shared.metrics);
    let body = tokio::task::spawn_blocking(move || metrics()).await.map_err(|_| unavailable())?;
    Ok(respond(StatusCode::OK, METRICS, body))
}

/// Who sent the request, found out before its body is read.
async fn admit(shared: &Arc<Shared>, source: SocketAddr, request: &Request<Incoming>) -> Result<Caller, Reply> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match shared.gate.admit(source.ip(), header).await {
        Ok(caller) => Ok(caller),
        Err(Refusal::Unauthorized { user }) => Err(unauthorized(shared, source, user.as_deref())),
        Err(Refusal::Failed(error)) => {
            shared.observer.refused(&RefusalRecord { user: None, source, failure: Some(&error) });
            Err(unavailable())
        }
    }
}

async fn read(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<Bytes, Reply> {
    let limits = shared.limits;
    let body = Limited::new(request.into_body(), limits.body_bytes).collect();
    match tokio::time::timeout(limits.body_time, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(text(StatusCode::PAYLOAD_TOO_LARGE, "413 Payload Too Large"))
        }
        Ok(Err(_)) => Err(text(StatusCode::BAD_REQUEST, "400 Bad Request")),
        Err(_) => Err(text(StatusCode::REQUEST_TIMEOUT, "408 Request Timeout")),
    }
}

fn unauthorized(shared: &Shared, source: SocketAddr, user: Option<&str>) -> Reply {
    shared.observer.refused(&RefusalRecord { user, source, failure: None });
    let mut reply = text(StatusCode::UNAUTHORIZED, "401 Unauthorized.");
    let challenge = HeaderValue::from_static("Basic realm=\"Element API\", charset=\"UTF-8\"");
    reply.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    reply
}

fn refuse_method(allowed: &'static str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "405 Method Not Allowed");
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    reply
}

fn unavailable() -> Reply {
    text(StatusCode::SERVICE_UNAVAILABLE, "503 Service Unavailable")
}

fn text(status: StatusCode, text: &'static str) -> Reply {
    respond(status, TEXT, text)
}

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
