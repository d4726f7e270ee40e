//! Builds OpenSSL's `libcrypto` from its source and links it. `openssl-sys` does not take version 4 yet, and eight
//! functions need no bindings.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let openssl = openssl_src::Build::new().build();
    println!("cargo:rustc-link-search=native={}", openssl.lib_dir().display());
    println!("cargo:rustc-link-lib=static=crypto");
}
