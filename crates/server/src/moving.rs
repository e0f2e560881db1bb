//! A connection's stream: it notes when something last moved, and gives up on a client that does not take its answer.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// When something last moved, counted in movements of all connections: it says who was silent longest, and needs no time.
#[derive(Clone, Default)]
pub(crate) struct Moved {
    all: Arc<AtomicU64>,
    own: Arc<AtomicU64>,
}

impl Moved {
    /// That of one more connection, which moves by being there.
    pub(crate) fn another(&self) -> Moved {
        let another = Moved {
            all: self.all.clone(),
            own: Arc::default(),
        };
        another.note();
        another
    }

    pub(crate) fn last(&self) -> u64 {
        self.own.load(Ordering::Relaxed)
    }

    fn note(&self) {
        self.own
            .store(self.all.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }
}

pub(crate) struct Moving {
    stream: TcpStream,
    moved: Moved,
    /// How long a client may take for what is written to it.
    patience: Duration,
    /// Runs from when the client first took nothing more, until it has taken all: whoever takes a byte now and then
    /// holds its place no longer than whoever takes none.
    limit: Option<Pin<Box<Sleep>>>,
}

impl Moving {
    pub(crate) fn new(stream: TcpStream, moved: Moved, patience: Duration) -> Moving {
        Moving {
            stream,
            moved,
            patience,
            limit: None,
        }
    }

    fn written(
        &mut self,
        context: &mut Context<'_>,
        done: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if done.is_ready() {
            self.moved.note();
            return done;
        }
        let patience = self.patience;
        let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(patience)));
        limit
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Moving {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        if done.is_ready() {
            self.moved.note();
        }
        done
    }
}

impl AsyncWrite for Moving {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when all is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.limit = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
