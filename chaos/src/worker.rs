//! Processes of `stormfold run`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The processes of one part.
pub(crate) struct Workers {
    stormfold: PathBuf,
    dir: PathBuf,
    config: String,
    running: Vec<Option<Child>>,
    guests: usize,
    /// Ends that nobody asked for.
    pub(crate) exits: u32,
    /// The longest time that SIGTERM took.
    pub(crate) slowest_end: Duration,
}

/// A process that does not end within this time after SIGTERM does not do what it says.
const END: Duration = Duration::from_secs(20);

impl Workers {
    /// Processes with a configuration in which `INSTANCE` stands for the name of each.
    pub(crate) fn new(stormfold: &Path, dir: &Path, config: String, count: usize) -> Result<Workers, String> {
        let mut workers = Workers {
            stormfold: stormfold.to_owned(),
            dir: dir.to_owned(),
            config,
            running: (0..count).map(|_| None).collect(),
            guests: 0,
            exits: 0,
            slowest_end: Duration::ZERO,
        };
        for which in 0..count {
            workers.start(which)?;
        }
        Ok(workers)
    }

    /// How many there are, guests left out.
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    pub(crate) fn start(&mut self, which: usize) -> Result<(), String> {
        let name = format!("w{which}");
        let config = self.dir.join(format!("{name}.yaml"));
        let io = |e: std::io::Error| e.to_string();
        fs::write(&config, self.config.replace("INSTANCE", &name)).map_err(io)?;
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.join(format!("{name}.log")))
            .map_err(io)?;
        let child = Command::new(&self.stormfold)
            .args(["run", "--config"])
            .arg(config)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("{}: {e}", self.stormfold.display()))?;
        self.running[which] = Some(child);
        Ok(())
    }

    /// Another one, for a while.
    pub(crate) fn guest(&mut self) -> Result<usize, String> {
        self.guests += 1;
        let which = self.running.len();
        self.running.push(None);
        self.start(which)?;
        Ok(which)
    }

    /// Removes a guest that has ended.
    pub(crate) fn forget(&mut self, which: usize) {
        self.running.truncate(which);
    }

    fn child(&mut self, which: usize) -> Result<&mut Child, String> {
        self.running[which]
            .as_mut()
            .ok_or_else(|| format!("w{which} does not run"))
    }

    pub(crate) fn signal(&mut self, which: usize, signal: &str) -> Result<(), String> {
        let id = self.child(which)?.id().to_string();
        let status = Command::new("sh")
            .args(["-c", "kill $0 $1", signal, &id])
            .status()
            .map_err(|e| e.to_string())?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("kill {signal} of w{which} failed"))
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, which: usize) -> Result<(), String> {
        let child = self.child(which)?;
        child
            .kill()
            .and_then(|()| child.wait())
            .map_err(|e| e.to_string())?;
        self.running[which] = None;
        Ok(())
    }

    /// SIGTERM; it has to end by itself and say that all is well.
    pub(crate) fn end(&mut self, which: usize) -> Result<(), String> {
        self.signal(which, "-TERM")?;
        let began = Instant::now();
        loop {
            if let Some(status) = self.child(which)?.try_wait().map_err(|e| e.to_string())? {
                self.slowest_end = self.slowest_end.max(began.elapsed());
                self.running[which] = None;
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("w{which} ended with {status}"))
                };
            }
            if began.elapsed() > END {
                return Err(format!(
                    "w{which} does not end within {} s of SIGTERM",
                    END.as_secs()
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts again whatever has ended by itself.
    pub(crate) fn revive(&mut self) -> Result<(), String> {
        for which in 0..self.running.len() {
            let Some(status) = self.child(which)?.try_wait().map_err(|e| e.to_string())? else {
                continue;
            };
            if status.code() == Some(2) {
                return Err(format!(
                    "w{which} wants a person to act; its log is in {}",
                    self.dir.display()
                ));
            }
            self.exits += 1;
            self.start(which)?;
        }
        Ok(())
    }

    /// Ends all of them cleanly.
    pub(crate) fn end_all(&mut self) -> Result<(), String> {
        (0..self.running.len()).try_for_each(|which| self.end(which))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for child in self.running.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
