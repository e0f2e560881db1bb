//! A TCP proxy between workers and the broker, with weather.

use std::{
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};

use sim::Dice;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    runtime,
    sync::watch,
    time::sleep,
};

/// What happens to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing.
    Fair,
    /// Nothing passes, and nobody is told: connections are half open.
    Cut,
    /// Everything comes this much later.
    Slow(Duration),
    /// So many bytes a second pass in each direction of a connection.
    Narrow(u32),
    /// All connections are reset; of what comes on later ones, one piece in fifty ends its connection.
    Resets,
}

/// A running proxy; it ends with the process.
pub(crate) struct Proxy {
    weather: watch::Sender<Weather>,
}

impl Proxy {
    /// Passes connections to one port of this machine on to another.
    pub(crate) fn start(from: u16, to: u16) -> Result<Proxy, String> {
        let (weather, told) = watch::channel(Weather::Fair);
        let io = |e: std::io::Error| format!("proxy on port {from}: {e}");
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(io)?;
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, from)))
            .map_err(io)?;
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, to));
        thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || runtime.block_on(serve(listener, to, told)))
            .map_err(io)?;
        Ok(Proxy { weather })
    }

    /// Lets the weather change.
    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn serve(listener: TcpListener, to: SocketAddr, weather: watch::Receiver<Weather>) {
    let mut seed = 0;
    loop {
        if let Ok((client, _)) = listener.accept().await {
            seed += 1;
            tokio::spawn(pass(client, to, weather.clone(), seed));
        }
    }
}

/// Why a connection ends.
#[derive(PartialEq)]
enum End {
    Closed,
    Reset,
}

async fn pass(mut client: TcpStream, to: SocketAddr, weather: watch::Receiver<Weather>, seed: u64) {
    // A broker that is down refuses; here the connection is closed, which to a client is as good.
    let Ok(mut server) = TcpStream::connect(to).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let end = {
        let ((a, b), (c, d)) = (client.split(), server.split());
        tokio::select! {
            end = carry(a, d, weather.clone(), seed * 2) => end,
            end = carry(c, b, weather.clone(), seed * 2 + 1) => end,
            () = storm(weather) => End::Reset,
        }
    };
    if end == End::Reset {
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Returns when resets begin.
async fn storm(mut weather: watch::Receiver<Weather>) {
    weather.mark_unchanged();
    while weather.changed().await.is_ok() {
        if *weather.borrow_and_update() == Weather::Resets {
            return;
        }
    }
}

async fn carry(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    seed: u64,
) -> End {
    let mut dice = Dice::new(seed);
    let mut piece = vec![0; 64 * 1024];
    loop {
        let n = match from.read(&mut piece).await {
            Ok(n) if n > 0 => n,
            _ => return End::Closed,
        };
        loop {
            let now = *weather.borrow_and_update();
            match now {
                Weather::Cut => {
                    if weather.changed().await.is_err() {
                        return End::Closed;
                    }
                    continue;
                }
                Weather::Slow(by) => sleep(by).await,
                Weather::Narrow(rate) => {
                    let whole = Duration::from_secs(n as u64) / rate;
                    // Better weather ends the wait.
                    tokio::select! { () = sleep(whole) => (), _ = weather.changed() => () }
                }
                Weather::Resets if dice.chance(0.02) => return End::Reset,
                Weather::Resets | Weather::Fair => {}
            }
            break;
        }
        if to.write_all(&piece[..n]).await.is_err() {
            return End::Closed;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        time::Instant,
    };

    use super::*;

    /// A server that sends back what it gets, on a port of its own.
    fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                thread::spawn(move || {
                    let mut buffer = [0; 100];
                    while let Ok(n @ 1..) = client.read(&mut buffer) {
                        client.write_all(&buffer[..n]).unwrap();
                    }
                });
            }
        });
        port
    }

    fn free_port() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap().port()
    }

    fn ask(client: &mut TcpStream) -> std::io::Result<Duration> {
        let began = Instant::now();
        client.write_all(b"hello")?;
        client.read_exact(&mut [0; 5])?;
        Ok(began.elapsed())
    }

    #[test]
    fn each_weather_does_what_it_says() {
        let port = free_port();
        let proxy = Proxy::start(port, echo()).unwrap();
        let connect = || {
            let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            client.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
            client
        };
        let mut client = connect();
        ask(&mut client).unwrap();
        proxy.set(Weather::Slow(Duration::from_millis(60)));
        assert!(ask(&mut client).unwrap() >= Duration::from_millis(120));
        proxy.set(Weather::Cut);
        let error = ask(&mut client).unwrap_err();
        assert!(matches!(
            error.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        ));
        proxy.set(Weather::Fair);
        client.read_exact(&mut [0; 5]).unwrap();
        ask(&mut client).unwrap();
        proxy.set(Weather::Resets);
        let error = (0..100).find_map(|_| ask(&mut client).err()).unwrap();
        assert!(error.kind() != std::io::ErrorKind::WouldBlock, "{error}");
        proxy.set(Weather::Fair);
        ask(&mut connect()).unwrap();
    }
}
