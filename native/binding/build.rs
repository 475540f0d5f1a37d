//! Links the addon for Node and writes into it where libtorch and MuJoCo lie.

fn main() {
    napi_build::setup();
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    println!("cargo::rerun-if-env-changed=MUJOCO_DYNAMIC_LINK_DIR");
    if let Ok(torch) = std::env::var("LIBTORCH") {
        println!("cargo::rustc-link-arg-cdylib=-Wl,-rpath,{torch}/lib");
    }
    if let Ok(mujoco) = std::env::var("MUJOCO_DYNAMIC_LINK_DIR") {
        println!("cargo::rustc-link-arg-cdylib=-Wl,-rpath,{mujoco}");
    }
}
