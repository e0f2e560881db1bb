//! A `stormfold run` on the embedded log, in a folder of its own.

#![allow(dead_code, reason = "every test is a crate of its own and uses some of it")]

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(crate) fn start(dir: &Path) -> Running {
        Running::start_with(dir, "")
    }

    /// The same with more lines of configuration.
    pub(crate) fn start_with(dir: &Path, more: &str) -> Running {
        Running::configured(dir, "", more)
    }

    /// The same with more settings of the server.
    pub(crate) fn start_http(dir: &Path, more: &str) -> Running {
        Running::configured(dir, &format!(", {more}"), "")
    }

    fn configured(dir: &Path, http: &str, more: &str) -> Running {
        let address = free_address();
        let config = format!(
            "embedded: {{ dir: data }}\ntopics: {{ partitions: 1 }}\nhttp: {{ listen: \"{address}\"{http} }}\n{more}"
        );
        fs::write(dir.join("stormfold.yaml"), config).unwrap();
        Running::with(dir, "stormfold.yaml", address)
    }

    /// With a configuration that says to listen at this address.
    pub(crate) fn with(dir: &Path, config: &str, address: String) -> Running {
        let child = stormfold(dir, &["run", "--config", config])
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.join("log")).unwrap())
            .spawn()
            .unwrap();
        let running = Running { child, address };
        running.wait(dir, "readiness", |running| {
            running.ask("GET", "/readyz", "").starts_with("HTTP/1.1 200")
        });
        running
    }

    /// Ends it as a service manager does; it must end well.
    pub(crate) fn stop(&mut self, dir: &Path) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        let log = fs::read_to_string(dir.join("log")).unwrap();
        assert!(status.success(), "{status}: {log}");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        // The shell's own: a bare system has no program of that name.
        let kill = Command::new("sh")
            .args(["-c", "kill -s $1 $0", &pid, name])
            .status();
        assert!(kill.unwrap().success());
    }

    /// One request; the whole answer, or nothing while nobody listens.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
        self.send(
            method,
            path,
            "Content-Type: application/json\r\n",
            body.as_bytes(),
        )
    }

    /// The same with headers of one's own, each with its line end.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> String {
        let Ok(mut stream) = TcpStream::connect(&self.address) else {
            return String::new();
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        let mut answer = String::new();
        let asked = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body));
        match asked.and_then(|()| stream.read_to_string(&mut answer)) {
            Ok(_) => answer,
            Err(_) => String::new(),
        }
    }

    pub(crate) fn wait(&self, dir: &Path, what: &str, holds: impl Fn(&Running) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{what} does not happen\n{log}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.ask("GET", "/metrics", "");
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
    }
}

pub(crate) fn stormfold(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormfold"));
    command.args(args).current_dir(dir);
    command
}

pub(crate) fn read(dir: &Path, topic: &str) -> String {
    let args = ["topics", "read", topic, "--config", "stormfold.yaml"];
    let output = stormfold(dir, &args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Free when we looked; the chance that another takes it before the server does is small.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
