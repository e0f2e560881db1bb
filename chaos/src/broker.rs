//! The broker: one of our own, because it is stopped and killed too, runs out of disk, and is reached through a proxy.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{fault::Fault, proxy::Proxy};

/// A running broker; its data are removed at the end.
pub(crate) struct Broker {
    /// Where it answers us.
    pub(crate) address: String,
    /// Where it answers workers.
    pub(crate) for_workers: String,
    port: u16,
    /// Files of this run.
    pub(crate) dir: PathBuf,
    /// Before the names of this run's topics.
    pub(crate) prefix: String,
    /// Between workers and the broker, when the network is to fail.
    pub(crate) proxy: Option<Proxy>,
    mounted: bool,
    /// Whether the files are kept for somebody to look at.
    pub(crate) keep: bool,
    /// Seconds between two checkpoints of its workers.
    pub(crate) checkpoint_s: u32,
}

/// A broker whose disk is full ends; this long it may take.
const FULL: Duration = Duration::from_secs(20);

impl Broker {
    /// A broker that can suffer these faults; `events` say how large its disk must be.
    pub(crate) fn start(faults: &[Fault], events: u64) -> Result<Broker, String> {
        let port = match std::env::var("CHAOS_KAFKA_PORT") {
            Ok(port) => port.parse().map_err(|e| format!("CHAOS_KAFKA_PORT: {e}"))?,
            Err(_) => 29492,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let dir = std::env::temp_dir().join(format!("stormfold-chaos-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("kafka")).map_err(|e| e.to_string())?;
        let mut broker = Broker {
            address: String::new(),
            for_workers: String::new(),
            port,
            dir,
            prefix: format!("chaos-{:x}", now.as_millis()),
            proxy: None,
            mounted: false,
            keep: std::env::var_os("CHAOS_KEEP").is_some(),
            // Where most transactions carry a checkpoint, another version has no tail to refuse.
            checkpoint_s: if faults.contains(&Fault::Upgrade) { 20 } else { 1 },
        };
        if faults.contains(&Fault::Disk) {
            broker.mount(events)?;
        }
        let proxied = faults.iter().any(|fault| fault.is_of_the_network());
        if proxied {
            broker.proxy = Some(Proxy::start(port + 3, port + 4)?);
        }
        broker.address = broker.script("start")?;
        broker.for_workers = match proxied {
            true => format!("127.0.0.1:{}", port + 3),
            false => broker.address.clone(),
        };
        Ok(broker)
    }

    /// Where the broker keeps its topics.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("kafka")
    }

    /// Runs a command of `deploy/kafka.sh`.
    pub(crate) fn script(&self, command: &str) -> Result<String, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kafka.sh");
        let mut run = Command::new(script);
        if self.proxy.is_some() {
            run.env("DEV_KAFKA_PROXY_PORT", (self.port + 3).to_string());
        }
        let output = run
            .arg(command)
            .env("DEV_KAFKA_PORT", self.port.to_string())
            .env("DEV_KAFKA_DATA", self.data())
            .env("DEV_KAFKA_HEAP", "512m")
            .output()
            .map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(format!(
                "deploy/kafka.sh {command} failed; see {}\n{}",
                self.dir.display(),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Gives the broker a small disk of its own: a file on a loop device, or memory.
    fn mount(&mut self, events: u64) -> Result<(), String> {
        let megabytes = 1_500 + events / 250;
        let ways = [
            format!(
                "truncate -s {megabytes}M disk && mkfs.ext4 -q -m 0 disk && mount -o loop disk kafka && rmdir kafka/lost+found"
            ),
            format!("mount -t tmpfs -o size={megabytes}M tmpfs kafka"),
        ];
        self.mounted = ways.iter().any(|way| self.sh(way));
        match self.mounted {
            true => Ok(()),
            false => Err("the fault disk needs the right to mount; leave it out of --faults".to_owned()),
        }
    }

    fn sh(&self, command: &str) -> bool {
        let status = Command::new("sh")
            .args(["-c", command])
            .current_dir(&self.dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    /// Fills the disk until the broker gives up, makes room again after a while, and starts it.
    pub(crate) fn fill(&self, for_ms: u64) -> Result<(), String> {
        // The first takes nearly all at once, the second what is left; that it fails is the point of it.
        self.sh("fallocate -l $(($(df --output=avail -k kafka | tail -n 1) - 8))K kafka/full");
        self.sh("cat /dev/zero >kafka/fuller");
        let began = Instant::now();
        while self.script("status").is_ok() && began.elapsed() < FULL {
            sleep(Duration::from_millis(200));
        }
        sleep(Duration::from_millis(for_ms));
        if !self.sh("rm -f kafka/full kafka/fuller") {
            return Err("no room could be made again".to_owned());
        }
        self.script("start").map(drop)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.script("kill");
        if self.mounted {
            self.sh("umount kafka || umount -l kafka");
        }
        let _ = self.script("wipe");
        if self.keep || std::thread::panicking() {
            eprintln!("chaos: the logs of the workers are in {}", self.dir.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}
