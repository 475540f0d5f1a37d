//! Lets this crate's own tests find libtorch and MuJoCo where set-up put them, tells it libtorch's version, and compiles
//! what records CUDA graphs.
#![allow(clippy::expect_used, reason = "a build script may fail")]

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    compile_recorder(std::env::var_os("LIBTORCH").map(PathBuf::from));
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

/// `recorder.cpp` as a library of its own, or nothing where the headers are not there: a libtorch of the user's own may have
/// none of CUDA's. Then operations are asked for one by one.
fn compile_recorder(torch: Option<PathBuf>) {
    const SOURCE: &str = "src/learner/tensor/recorder.cpp";
    println!("cargo::rerun-if-changed={SOURCE}");
    let output = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("recorder.so");
    let cuda = torch.as_ref().map(|torch| torch.join("../nvidia/cu13/include"));
    for folder in cuda.iter().filter(|folder| folder.exists()) {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    if let (Some(torch), Some(cuda)) = (torch, cuda)
        && cuda.join("crt/host_config.h").exists()
    {
        let compiler = cc::Build::new()
            .cpp(true)
            .std("c++17")
            .define("NDEBUG", None)
            .include(torch.join("include"))
            .include(cuda)
            // libtorch's own
            .warnings(false)
            .get_compiler();
        let mut command = compiler.to_command();
        let status = command.args(["-shared", "-fPIC", SOURCE, "-o"]).arg(&output).status();
        assert!(status.is_ok_and(|status| status.success()), "{SOURCE} does not compile");
    } else {
        std::fs::write(output, []).expect("cargo's own folder can be written");
    }
}
