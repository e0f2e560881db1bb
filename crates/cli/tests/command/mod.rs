//! One command that must succeed, as a user runs it.

use std::{path::Path, process::Command};

/// Runs it in a folder; what it printed.
pub(crate) fn stormfold(args: &[&str], dir: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_stormfold"))
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "stormfold {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
