//! Processes of `stormfold run`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use stream::Stages;

use crate::{fault::Fault, measure, other_version, place::Place};

/// The processes of one part.
pub(crate) struct Workers {
    stormfold: PathBuf,
    dir: PathBuf,
    config: String,
    /// What a worker of another version is told.
    other_version: Vec<String>,
    running: Vec<Option<Child>>,
    guests: usize,
    /// Ends that nobody asked for.
    pub(crate) exits: u32,
    /// Before the number in the name of each, so that those of two stages are not taken for one another.
    letter: char,
    /// The longest time that SIGTERM took.
    pub(crate) slowest_end: Duration,
    /// The most of a core that a worker took while it was cut off from the broker.
    pub(crate) busiest_cut: f64,
    /// Workers of another version that refused what this one folded, and those that had nothing to refuse.
    pub(crate) refusals: u32,
    /// Upgrades that met a tail, were refused, and went on after the remedy.
    pub(crate) remedies: u32,
    pub(crate) takeovers: u32,
}

/// A worker of another version gets so long to be given partitions, and to refuse them or go on.
const DECIDES: Duration = Duration::from_secs(30);
/// A process that does not end within this time after SIGTERM does not do what it says.
const END: Duration = Duration::from_secs(20);

impl Workers {
    /// Processes with a configuration in which `INSTANCE` stands for the name of each.
    pub(crate) fn new(
        stormfold: &Path,
        place: &Place<'_>,
        stages: Stages,
        count: usize,
    ) -> Result<Workers, String> {
        let mut workers = Workers {
            stormfold: stormfold.to_owned(),
            dir: place.broker.dir.clone(),
            config: place.config(stages),
            letter: match stages {
                Stages::Both => 'w',
                Stages::Ingest => 'i',
                Stages::Correlate => 'c',
            },
            other_version: other_version::args(place, stages),
            running: (0..count).map(|_| None).collect(),
            guests: 0,
            exits: 0,
            slowest_end: Duration::ZERO,
            busiest_cut: 0.0,
            refusals: 0,
            remedies: 0,
            takeovers: 0,
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
        let name = self.name(which);
        let config = self.dir.join(format!("{name}.yaml"));
        fs::write(&config, self.config.replace("INSTANCE", &name)).map_err(|e| e.to_string())?;
        let mut command = Command::new(&self.stormfold);
        command.args(["run", "--config"]).arg(config).stdin(Stdio::null());
        self.running[which] = Some(self.spawn(&mut command, &name)?);
        Ok(())
    }

    fn name(&self, which: usize) -> String {
        format!("{}{which}", self.letter)
    }

    fn spawn(&self, command: &mut Command, name: &str) -> Result<Child, String> {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.join(format!("{name}.log")))
            .map_err(|e| e.to_string())?;
        command
            .current_dir(&self.dir)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("{}: {e}", command.get_program().display()))
    }

    /// Starts it as a build with another version of the fold.
    pub(crate) fn start_other_version(&mut self, which: usize) -> Result<(), String> {
        let this = std::env::current_exe().map_err(|e| e.to_string())?;
        let name = self.name(which);
        let mut command = Command::new(this);
        // It ends when this end of the pipe is closed.
        command
            .arg(other_version::COMMAND)
            .args(&self.other_version)
            .arg(&name)
            .stdin(Stdio::piped());
        self.running[which] = Some(self.spawn(&mut command, &format!("{name}-other"))?);
        Ok(())
    }

    /// Waits until it has ended, or tells it to; it must have refused and said why, or end well. Whether it refused.
    pub(crate) fn end_other_version(&mut self, which: usize) -> Result<bool, String> {
        let began = Instant::now();
        while began.elapsed() < DECIDES {
            if self
                .child(which)?
                .try_wait()
                .map_err(|e| e.to_string())?
                .is_some()
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(self.child(which)?.stdin.take());
        let status = self.wait(which)?;
        let name = format!("{}-other.log", self.name(which));
        match status.code() {
            Some(0) => {
                self.takeovers += 1;
                Ok(false)
            }
            Some(2) => {
                self.refusals += 1;
                let log = fs::read_to_string(self.dir.join(&name)).unwrap_or_default();
                let last = log.lines().last().unwrap_or_default();
                if !last.contains("folded by fold version") {
                    return Err(format!("another version refuses, but not for being one: {last}"));
                }
                Ok(true)
            }
            _ => Err(format!("another version ended with {status}; see {name}")),
        }
    }

    /// The process of one.
    pub(crate) fn process(&mut self, which: usize) -> Result<u32, String> {
        self.child(which).map(|child| child.id())
    }

    /// Whether another version was refused at least once, where nothing else went wrong: there is a tail to be waited for
    /// while there is work, and the first upgrade comes when there is.
    pub(crate) fn refused_what_it_had_to(&self, faults: &[Fault]) -> Result<(), String> {
        let upgrades = faults.iter().all(|fault| *fault == Fault::Upgrade);
        match (upgrades, self.refusals, self.takeovers) {
            (true, 0, 1..) => Err("another version came and never met a tail".to_owned()),
            _ => Ok(()),
        }
    }

    /// Seconds of CPU that those running have taken.
    pub(crate) fn cpu(&self) -> f64 {
        let running = self.running.iter().flatten();
        running.filter_map(|child| measure::cpu(child.id()).ok()).sum()
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
        let name = self.name(which);
        self.running[which]
            .as_mut()
            .ok_or_else(|| format!("{name} does not run"))
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
        let status = self.wait(which)?;
        self.slowest_end = self.slowest_end.max(began.elapsed());
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} ended with {status}", self.name(which)))
        }
    }

    /// Waits until it has ended.
    fn wait(&mut self, which: usize) -> Result<ExitStatus, String> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child(which)?.try_wait().map_err(|e| e.to_string())? {
                self.running[which] = None;
                return Ok(status);
            }
            if began.elapsed() > END {
                let s = END.as_secs();
                return Err(format!(
                    "{} does not end within {s} s of being told to",
                    self.name(which)
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
                    "{} wants a person to act; its log is in {}",
                    self.name(which),
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

impl std::fmt::Display for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = self.slowest_end.as_millis();
        write!(
            f,
            "{} ends by themselves, SIGTERM took {end} ms at most",
            self.exits
        )?;
        if self.busiest_cut > 0.0 {
            let busy = self.busiest_cut * 100.0;
            write!(f, ", while cut off a worker took {busy:.1} % of a core at most")?;
        }
        if self.refusals + self.takeovers > 0 {
            let (no, yes, mended) = (self.refusals, self.takeovers, self.remedies);
            write!(
                f,
                ", another version refused a tail {no} times, went on {yes} times, {mended} upgrades by the remedy"
            )?;
        }
        Ok(())
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
