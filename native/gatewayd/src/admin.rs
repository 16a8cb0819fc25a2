//! HTTP for whoever runs the daemon, on loopback alone, on a thread of its own.

use crate::mailbox::{Mailbox, Request};
use crate::metrics;
use crate::patch::Patch;
use crate::socket_drops::SocketDrops;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tracing::error;

/// A change is at most this long.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The loop answers between two turns; where it does not within this time, something is wrong with it.
const ANSWER_MILLIS_MAX: u64 = 2_000;

struct Admin {
    mailbox: Mailbox,
    drops: SocketDrops,
}

/// Serves requests and listens for signals, until the process ends. `ready` is called once both are set up.
///
/// # Errors
/// The runtime, the signal handlers or the socket cannot be set up.
pub fn serve(
    listener: TcpListener,
    mailbox: Mailbox,
    drops: SocketDrops,
    ready: impl FnOnce(),
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        ready();
        let stop = mailbox.clone();
        let signals = async move {
            loop {
                either(&mut terminate, &mut interrupt).await;
                stop.stop();
            }
        };
        let app = Router::new()
            .route("/health", get(health))
            .route("/ready", get(readiness))
            .route("/metrics", get(prometheus))
            .route("/stats", get(stats))
            .route("/config", get(config).patch(change))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::new(Admin { mailbox, drops }));
        tokio::select! {
            served = axum::serve(listener, app) => served,
            () = signals => Ok(()),
        }
    })
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

impl Admin {
    /// Asks the loop. `None` if it has too much to do, or does not answer.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        if !self.mailbox.send(request(sender)) {
            return None;
        }
        tokio::time::timeout(Duration::from_millis(ANSWER_MILLIS_MAX), answer).await.ok()?.ok()
    }
}

fn silent() -> Response {
    let problem = json!({ "error": { "problem": "the loop does not answer" } });
    (StatusCode::SERVICE_UNAVAILABLE, Json(problem)).into_response()
}

/// Whether the loop turns, and where the dam does.
async fn health(State(admin): State<Arc<Admin>>) -> Response {
    match admin.ask(Request::Ready).await {
        Some(state) => {
            Json(json!({ "healthy": true, "xdp": state.xdp, "reason": state.reason })).into_response()
        }
        None => silent(),
    }
}

/// Whether it takes frames.
async fn readiness(State(admin): State<Arc<Admin>>) -> Response {
    match admin.ask(Request::Ready).await {
        Some(state) if state.ready => Json(state).into_response(),
        Some(state) => (StatusCode::SERVICE_UNAVAILABLE, Json(state)).into_response(),
        None => silent(),
    }
}

async fn stats(State(admin): State<Arc<Admin>>) -> Response {
    let Some(mut snapshot) = admin.ask(Request::Stats).await else { return silent() };
    snapshot.frames.socket_drops = admin.drops.read();
    Json(snapshot).into_response()
}

async fn prometheus(State(admin): State<Arc<Admin>>) -> Response {
    let Some(mut snapshot) = admin.ask(Request::Stats).await else { return silent() };
    snapshot.frames.socket_drops = admin.drops.read();
    match metrics::render(*snapshot) {
        Ok(body) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], body).into_response(),
        Err(error) => {
            error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn config(State(admin): State<Arc<Admin>>) -> Response {
    admin.ask(Request::Config).await.map_or_else(silent, |view| Json(view).into_response())
}

async fn change(State(admin): State<Arc<Admin>>, headers: HeaderMap, body: Bytes) -> Response {
    // A web page may send any other type to a loopback address without asking first.
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.to_str().is_ok_and(|kind| kind.split(';').next().is_some_and(|k| k.trim() == "application/json"))
    });
    if !is_json {
        let problem = error_body("", "the body must be application/json");
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, problem).into_response();
    }
    let patch = match parse(&body) {
        Ok(patch) => patch,
        Err((key, problem)) => return (StatusCode::BAD_REQUEST, error_body(&key, &problem)).into_response(),
    };
    match admin.ask(|to| Request::Patch(Box::new(patch), to)).await {
        Some(Ok(view)) => Json(view).into_response(),
        Some(Err(refused)) => {
            (StatusCode::BAD_REQUEST, error_body(&refused.key, &refused.problem)).into_response()
        }
        None => silent(),
    }
}

/// A patch, or which key is wrong with it and how.
fn parse(body: &[u8]) -> Result<Patch, (String, String)> {
    // The parser would take a list for a struct without names.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err((String::new(), "expected a JSON object".to_owned()));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let patch = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        (if path == "." { String::new() } else { path }, error.into_inner().to_string())
    })?;
    json.end().map_err(|error| (String::new(), error.to_string()))?;
    Ok(patch)
}

fn error_body(key: &str, problem: &str) -> Json<Value> {
    Json(json!({ "error": { "key": key, "problem": problem } }))
}
