//! Libraries that stand between the built program and the system, written in C and loaded with `LD_PRELOAD`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the source at this path in the repository into a directory.
pub fn build(source: &str, into: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let library = into.join("preloaded.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]).arg(&source);
    let built = compiler.args(["-ldl", "-lpthread", "-o"]).arg(&library).output();
    let built = built.unwrap_or_else(|error| panic!("this test needs a C compiler, and `cc` cannot be run: {error}"));
    assert!(built.status.success(), "cc {}: {}", source.display(), String::from_utf8_lossy(&built.stderr));
    library
}
