# The commands of this repository. Each line also runs by hand, without `just`.

# every check that the CI makes
test:
    bash .ci/test

# install what the build and the tests need (Debian 12, as root)
setup:
    bash .ci/setup

# the quick tests: no root, no long runs
quick:
    cargo test --workspace --locked

# the long tests: real filesystems, gigabytes, real clients (as root)
long:
    cargo test --package sear-tests --locked -- --ignored

# the shape of the repository: folders, crate edges, unsafe, file sizes, licences, links
structure:
    cargo test --package sear-tests --test structure

# format all code
fmt:
    cargo fmt --all

# the lints, as strict as in the CI
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# the documentation of all crates
doc:
    cargo doc --workspace --no-deps --open

# every fuzz target for a short time (needs g++)
fuzz-short:
    .ci/fuzz-short

# the cipher under AddressSanitizer and Miri (needs nightly Rust)
sanitize:
    .ci/sanitize

# every engine against OpenSSL and libgcrypt, millions of data units each: just xts 4200000
xts units:
    SEAR_XTS_UNITS={{units}} cargo test --package sear-tests --locked --test interop xts:: -- --nocapture

# the benchmarks
bench:
    cargo bench --package sear-benches

# all benchmarks from scratch, recorded under benches/record/<processor>/<date>: just bench-record YYYY-MM-DD
bench-record date:
    rm -rf target/criterion
    cargo bench --package sear-benches -- --warm-up-time 0.3 --measurement-time 0.6 --sample-size 20
    cargo run --release --package sear-benches --bin bench-record -- {{date}}

# the cipher beside its ceiling, its peers and the memory (needs a C compiler, make and perl): just compare-cipher --quick
compare-cipher *options:
    cargo run --release --locked --manifest-path benches/compare/Cargo.toml -- {{options}}

# the NBD server beside other servers (needs fio; nbdkit, nbd-server, qemu-utils as peers): just compare-nbd --quick
compare-nbd *options: servers
    cargo run --release --locked --package sear-compare-nbd -- {{options}}

# where `sear up` spends its time under reads and writes of 4 KiB and 1 MiB, as flame graphs (needs fio and perf): just profile-nbd DIR
profile-nbd folder: servers
    cargo run --release --locked --package sear-compare-nbd -- --profile {{folder}}

# vhost-user and ublk in an emulated virtual machine, beside QEMU's export, a loop device and dm-crypt: just compare-vm
compare-vm *options: servers
    cargo build --release --locked --package datapath --example ublk_serve
    cargo build --release --locked --package sear-compare-vm
    SEAR_BIN={{justfile_directory()}}/target/release/sear target/release/compare-vm {{options}}

# rekeys back to back under fio, with a report and a plot in FOLDER (needs fio, and PyPI once): just soak 3600 soak-report
soak seconds folder="target/soak":
    cargo build --release --locked --package sear
    SEAR_BIN={{justfile_directory()}}/target/release/sear SEAR_SOAK_SECONDS={{seconds}} SEAR_SOAK_REPORT={{justfile_directory()}}/{{folder}} \
        cargo test --release --package sear-tests --locked --test soak -- --nocapture

# the daemon as a process: start with 1000 volumes, memory, calls, lost key servers (needs PyPI once): just measure-daemon --record benches/record --date YYYY-MM-DD
measure-daemon *options:
    cargo build --release --locked --package sear
    cargo build --release --locked --package sear-measure-daemon
    SEAR_BIN={{justfile_directory()}}/target/release/sear target/release/measure-daemon {{options}}

# the daemon is killed in the middle of every call, again and again: just kill-daemon 50
kill-daemon rounds:
    SEAR_KILL_ROUNDS={{rounds}} cargo test --package sear-tests --locked --test interop daemon::kill -- --nocapture

# what is compared of ours: the command, and the example that can leave the cipher out
[private]
servers:
    cargo build --release --locked --package sear
    cargo build --release --locked --package datapath --example nbd_serve

# licences, advisories and sources of the dependencies (needs cargo-deny)
deny:
    cargo deny check
