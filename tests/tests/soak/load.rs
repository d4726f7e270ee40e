//! fio on several volumes: random writes that are read back and verified, with a log of every request's latency.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sear_tests::rig::{Need, require};
use tempfile::TempDir;

use super::latency::Latencies;
use super::world::World;

pub(crate) struct Load {
    folder: TempDir,
    jobs: Vec<Child>,
    begun: Instant,
}

impl Load {
    /// Starts fio on the first `count` volumes.
    pub(crate) fn start(world: &World, count: usize, seconds: u64) -> Self {
        assert!(require(&[Need::Tool("fio")]), "the load is fio's");
        let folder = TempDir::with_prefix("sear-soak-").expect("a temporary folder can be made");
        let job = |number: usize| {
            let name = format!("v{number}");
            let mut command = Command::new("fio");
            command.current_dir(folder.path());
            command.arg(format!("--name={name}")).arg("--ioengine=nbd").arg(format!("--uri={}", world.uri(number)));
            command.args(["--rw=randwrite", "--bsrange=4k-64k", "--iodepth=8", "--size=64M", "--randrepeat=1"]);
            command.args(["--verify=crc32c", "--verify_fatal=1", "--verify_backlog=64", "--verify_state_save=0"]);
            command.args(["--time_based=1", "--fsync=256"]).arg(format!("--runtime={seconds}"));
            command.arg(format!("--write_lat_log={name}")).arg("--log_offset=0");
            let out = fs::File::create(folder.path().join(format!("{name}.out"))).expect("the output can be kept");
            command.stdout(out.try_clone().expect("a second handle")).stderr(out).stdin(Stdio::null());
            command.spawn().expect("fio starts")
        };
        let jobs = (0..count).map(job).collect();
        Self { folder, jobs, begun: Instant::now() }
    }

    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// Waits for the end of every job, none of which may have seen an error or other bytes than it wrote.
    pub(crate) fn finish(mut self) -> Latencies {
        let mut latencies = Latencies::default();
        for (number, job) in self.jobs.iter_mut().enumerate() {
            let status = job.wait().expect("fio has ended");
            let out = fs::read_to_string(self.folder.path().join(format!("v{number}.out"))).unwrap_or_default();
            assert!(status.success() && out.contains("err= 0"), "fio on volume {number}: {status}\n{out}");
            let log = fs::read_to_string(self.folder.path().join(format!("v{number}_clat.1.log")));
            latencies.add(&log.expect("fio keeps a log of latencies"));
        }
        latencies
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for job in &mut self.jobs {
            let _ended = job.kill();
            let _reaped = job.wait();
        }
    }
}

/// Milliseconds since the load began.
pub(crate) fn millis(since: Duration) -> u64 {
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
