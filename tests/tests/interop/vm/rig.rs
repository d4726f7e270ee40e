//! The virtual machine itself.

use std::fs;

use sear_tests::rig::{Need, Vm, require};

#[test]
#[ignore = "starts a virtual machine"]
fn a_guest_runs_sear_and_shares_a_folder_with_the_host() {
    if !require(&[Need::Vm]) {
        return;
    }
    let vm = Vm::new();
    fs::write(vm.share("question"), "six times seven").expect("the file can be written");
    let mut running = vm.start(
        "uname -r; id -u
        modprobe nbd nbds_max=2
        block_device /dev/nbd1
        must_fail test -b /dev/nbd2
        sear doctor
        cat /share/question
        tell asked
        await answered
        cat /share/answer
        printf 'thank you' >/share/thanks
        exit 42",
    );
    running.await_guest("asked");
    fs::write(running.share("answer"), "forty-two").expect("the file can be written");
    running.tell("answered");
    let outcome = running.wait();
    println!("{}", outcome.output);
    assert_eq!(outcome.code, 42, "{}\n{}", outcome.output, outcome.console);
    assert!(outcome.output.ends_with("six times sevenforty-two"), "{}", outcome.output);
    assert_eq!(fs::read_to_string(outcome.share("thanks")).ok().as_deref(), Some("thank you"));
}
