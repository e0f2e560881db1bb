//! The server itself: routes, its thread, its end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use stream::{
    Probe, Topics,
    log::{Log, TopicName},
};
use tokio::sync::watch;

use crate::{
    accept::Accept,
    access::Access,
    answer::Refusal,
    connections::{self, Limits},
    follow, ingest,
    letters::{self, Letters},
    metrics::Metrics,
    read,
    settings::{HttpSettings, check},
    view::View,
};

/// What every request can reach.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: HttpSettings,
    pub(crate) access: Access,
    pub(crate) accept: Accept,
    pub(crate) metrics: Metrics,
    pub(crate) view: Arc<View>,
    /// `None`: they are asked for otherwise.
    pub(crate) letters: Option<Arc<Letters>>,
    pub(crate) probe: Probe,
    pub(crate) raw: TopicName,
}

impl std::ops::Deref for Shared {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    view_stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Takes the address, before anything is begun: a second process started by mistake is to end before it takes the place of
/// the first one in its group.
pub fn bind(settings: &HttpSettings) -> Result<std::net::TcpListener, String> {
    check(settings).map_err(|e| format!("http.{}: {}", e.field, e.what))?;
    std::net::TcpListener::bind(&settings.listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|e| {
            let taken = e.kind() == std::io::ErrorKind::AddrInUse;
            let hint = if taken {
                "; end what listens there, or choose another port"
            } else {
                ""
            };
            format!("http.listen: {}: {e}{hint}", settings.listen)
        })
}

/// Starts the server on threads of its own. Posts go to the raw topic; incidents can be asked for, and what was refused
/// where `has_letters`: on a log that nobody else can open meanwhile.
///
/// An error says in words what is to be done about it.
pub fn start(
    settings: &HttpSettings,
    listener: std::net::TcpListener,
    log: Arc<dyn Log>,
    probe: Probe,
    topics: &Topics,
    has_letters: bool,
) -> Result<Server, String> {
    let appender = log.appender().map_err(|e| e.to_string())?;
    let accept = Accept::start(appender, settings.waiting_bytes_max).map_err(|e| e.to_string())?;
    let view = Arc::new(View::default());
    let view_stop = Arc::new(AtomicBool::new(false));
    let follow = |topic: &TopicName, last, take| {
        follow::start(log.clone(), topic.clone(), last, view_stop.clone(), take).map_err(|e| e.to_string())
    };
    let shown = view.clone();
    let mut threads = vec![follow(
        &topics.incidents,
        None,
        Box::new(move |records| shown.take(records)),
    )?];
    let letters = has_letters.then(Arc::<Letters>::default);
    if let Some(letters) = letters.clone() {
        let last = Some(letters::KEPT as u64);
        threads.push(follow(
            &topics.deadletter,
            last,
            Box::new(move |records| letters.take(records)),
        )?);
    }
    let shared = Shared(Arc::new(Inner {
        settings: settings.clone(),
        access: Access::new(settings),
        accept,
        metrics: Metrics::new().map_err(|e| e.to_string())?,
        view,
        letters,
        probe,
        raw: topics.raw.clone(),
    }));
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("no HTTP thread: {e}"))?;
    let (stop, stopped) = watch::channel(false);
    let serve = move || runtime.block_on(serve(listener, router(shared), stopped));
    let thread = std::thread::Builder::new().name("http".into()).spawn(serve);
    threads.push(thread.map_err(|e| format!("no HTTP thread: {e}"))?);
    Ok(Server {
        address,
        stop,
        view_stop,
        threads,
    })
}

async fn serve(listener: std::net::TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => connections::serve(listener, router, Limits::of_process(), stopped).await,
        Err(error) => tracing::error!(%error, "no HTTP"),
    }
}

/// For whoever asks for a path that is none.
const NOTHING_HERE: &str = "there is nothing here; there are POST /v1/ingest, /v1/ingest/{source}, /api/v2/alerts, \
    /v2/enqueue and GET /v1/incidents, /v1/incidents/{id}, /v1/deadletters, /metrics, /healthz, /readyz (docs/http.md)";

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v1/ingest", post(ingest::any))
        .route("/v1/ingest/{source}", post(ingest::named))
        .route("/api/v2/alerts", post(ingest::alertmanager))
        .route("/v2/enqueue", post(ingest::enqueue))
        .route("/v1/incidents", get(read::incidents))
        .route("/v1/incidents/{id}", get(read::incident))
        .route("/v1/deadletters", get(read::deadletters))
        .route("/metrics", get(read::metrics))
        .route("/healthz", get(read::healthz))
        .route("/readyz", get(read::readyz))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, NOTHING_HERE).respond())
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this path takes another method").respond()
        })
        .with_state(shared)
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, ends those under way, and returns.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.view_stop.store(true, Ordering::Release);
        // Nobody listening means that the server has ended by itself.
        let _ = self.stop.send(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
