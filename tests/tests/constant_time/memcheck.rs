//! Under valgrind's memcheck, with every byte of the key and of the data marked undefined: it reports each branch and
//! each address that depends on one of them, whatever values the run happens to have.

use std::process::{Command, Output};

use datapath::cipher::dispatch::{Engine, EngineName};
use sear_tests::probe::{Job, Secret, Subject, program};
use sear_tests::rig::{Need, require};

use super::jobs::{runs, units};

/// The exit code when memcheck has something to report.
const REPORTED: i32 = 99;

/// What valgrind 3.19 can decode: up to AVX2 and AES-NI, nothing of AVX-512 and VAES.
const DECODED: [EngineName; 3] = [EngineName::AesNi, EngineName::Portable, EngineName::XtsMode];

#[test]
fn valgrind_sees_no_branch_and_no_address_that_depends_on_a_secret() {
    if !require(&[Need::Tool("valgrind")]) {
        return;
    }
    for engine in Engine::available().map(Engine::name).filter(|engine| DECODED.contains(engine)) {
        for job in runs(engine).into_iter().chain(units(engine)) {
            let output = memcheck(job);
            assert!(output.status.success(), "{job}: {}\n{}", output.status, report(&output));
        }
    }
}

#[test]
fn valgrind_sees_a_branch_and_an_address_that_depend_on_a_secret() {
    if !require(&[Need::Tool("valgrind")]) {
        return;
    }
    let leaks = [(Subject::BranchLeak, "Conditional jump"), (Subject::TableLeak, "Use of uninitialised value")];
    for (subject, complaint) in leaks {
        let output = memcheck(Job { subject, ..Job::NOTHING });
        assert_eq!(output.status.code(), Some(REPORTED), "{subject} was not seen: {}", report(&output));
        assert!(report(&output).contains(complaint), "{subject}: {}", report(&output));
    }
}

/// The job under memcheck. One secret is enough: it is the bits' being undefined that is followed, not their values.
fn memcheck(job: Job) -> Output {
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--tool=memcheck", &format!("--error-exitcode={REPORTED}")])
        .arg(program())
        .arg("memcheck");
    command.args(job.to_string().split(' ')).arg(Secret::SEVERAL[0].to_string());
    command.output().expect("valgrind can be run: it was found")
}

fn report(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
