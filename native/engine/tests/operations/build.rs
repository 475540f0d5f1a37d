//! Compiles `observer.cpp` against the headers of the libtorch that torch-sys is compiled against.

fn main() {
    for variable in ["LIBTORCH", "LIBTORCH_INCLUDE"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    println!("cargo:rerun-if-changed=observer.cpp");
    let root = std::env::var_os("LIBTORCH_INCLUDE").or_else(|| std::env::var_os("LIBTORCH"));
    let root = std::path::PathBuf::from(root.expect("LIBTORCH must name a libtorch"));
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        // as libtorch is: the headers lay out the observed record by it
        .define("NDEBUG", None)
        .include(root.join("include"))
        // the headers' own
        .warnings(false)
        .file("observer.cpp")
        .compile("virel_operations");
}
