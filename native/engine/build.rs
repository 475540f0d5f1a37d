//! Lets this crate's own tests find libtorch and MuJoCo where set-up put them, and tells it libtorch's version.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    println!("cargo::rerun-if-env-changed=MUJOCO_DYNAMIC_LINK_DIR");
    if let Ok(torch) = std::env::var("LIBTORCH") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{torch}/lib");
        let version = torch_version(Path::new(&torch)).unwrap_or_else(|| "unknown".to_owned());
        println!("cargo::rustc-env=VIREL_TORCH_VERSION={version}");
    } else {
        println!("cargo::rustc-env=VIREL_TORCH_VERSION=unknown");
    }
    if let Ok(mujoco) = std::env::var("MUJOCO_DYNAMIC_LINK_DIR") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{mujoco}");
    }
}

/// The wheel says it in `version.py` (`__version__ = '2.13.0+cu130'`), the zip archive in `build-version`.
fn torch_version(folder: &Path) -> Option<String> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let wheel = read("version.py").and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("__version__"))?.to_owned();
        line.split('\'').nth(1).map(str::to_owned)
    });
    wheel.or_else(|| read("build-version").map(|text| text.trim().to_owned()))
}
