//! Several threads doing random things to the same sectors of a volume that is a file, and of a loop device over it: what
//! they see must have happened in some order, sector by sector.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::thread;

use rustix::fs::{FallocateFlags, OFlags, fallocate};
use sear_tests::rig::{FileExport, LoopDevice, LoopMode, Need, Sear, require};

use crate::history::{History, Random, Step, Verb};

const LEN: usize = 2 << 20;
const THREADS: u64 = 12;
/// Operations of each thread.
const STEPS: usize = 1000;
/// The longest operation: above the server's pieces of 256 KiB.
const LONGEST_BYTES: usize = 320 << 10;
/// What direct I/O asks of addresses.
const ALIGNMENT: usize = 4096;

#[test]
#[ignore = "mounts FUSE as root"]
fn threads_agree_on_an_order_on_the_file() {
    if !require(&[Need::Root, Need::Fuse]) {
        return;
    }
    for sector in [512, 4096] {
        served(sector, |file| agree(file, sector));
    }
}

#[test]
#[ignore = "mounts FUSE and uses loop devices as root"]
fn threads_agree_on_an_order_on_a_loop_device_over_the_file() {
    if !require(&[Need::Root, Need::Fuse, Need::Loop, Need::Tool("losetup")]) {
        return;
    }
    served(512, |file| {
        let device = LoopDevice::attach(file, LoopMode::ReadWrite);
        // The device takes whole blocks of 512 bytes, which are what an operation may begin and end at.
        agree(device.path(), 4096);
    });
}

fn served(sector: usize, test: impl FnOnce(&Path)) {
    let sear = Sear::new();
    let arguments = ["--size", &LEN.to_string(), "--sector-size", &sector.to_string(), "--allow-discards"];
    let export = FileExport::start(&sear, &sear.path("disk"), arguments);
    test(&export.file());
    export.stop();
}

fn agree(path: &Path, sector: usize) {
    let mut client = Client::open(path);
    let fresh = client.read(0, LEN).to_vec();
    let history = History::new(sector, &fresh);
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (history, fresh) = (&history, &fresh);
            scope.spawn(move || {
                let (mut client, mut random) = (Client::open(path), Random::new(seed));
                for _ in 0..STEPS {
                    let longest = if random.below(8) == 0 { LONGEST_BYTES } else { 32 << 10 };
                    let step = history.begin(&mut random, longest / sector);
                    let data = client.play(history, &step, fresh);
                    history.end(&step, data);
                }
            });
        }
    });
    let step = history.begin_at(Verb::Read, 0..LEN, false);
    history.end(&step, client.read(0, LEN));
    history.check();
}

/// An open file past the page cache, with memory for its operations.
struct Client {
    file: File,
    memory: Vec<u8>,
}

impl Client {
    fn open(path: &Path) -> Self {
        let flags = OFlags::DIRECT.bits().cast_signed();
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
        Self { file: file.expect("the file can be opened"), memory: vec![0; LEN + ALIGNMENT] }
    }

    /// Carries a step out; the data that it read.
    fn play(&mut self, history: &History, step: &Step, fresh: &[u8]) -> &[u8] {
        let at = usize::try_from(step.offset).expect("the file is small");
        match step.verb {
            Verb::Read => return self.read(step.offset, step.len),
            Verb::Write => self.write(step, |data| history.fill(step, data)),
            // A hole would read as zeroes here, which come but once.
            Verb::Trim => self.write(step, |data| data.copy_from_slice(&fresh[at..at + step.len])),
            Verb::Zeroes => {
                let mode = if at % 3 == 0 { FallocateFlags::PUNCH_HOLE } else { FallocateFlags::ZERO_RANGE };
                fallocate(&self.file, mode | FallocateFlags::KEEP_SIZE, step.offset, step.len as u64)
                    .unwrap_or_else(|error| panic!("{step:?}: {error}"));
            }
            Verb::Flush => self.file.sync_data().expect("the file can be synced"),
        }
        &[]
    }

    fn read(&mut self, offset: u64, len: usize) -> &[u8] {
        let memory = aligned(&mut self.memory, len);
        self.file.read_exact_at(memory, offset).unwrap_or_else(|error| panic!("{len} bytes at {offset}: {error}"));
        memory
    }

    fn write(&mut self, step: &Step, fill: impl FnOnce(&mut [u8])) {
        let memory = aligned(&mut self.memory, step.len);
        fill(memory);
        self.file.write_all_at(memory, step.offset).unwrap_or_else(|error| panic!("{step:?}: {error}"));
    }
}

fn aligned(memory: &mut [u8], len: usize) -> &mut [u8] {
    let start = memory.as_ptr().align_offset(ALIGNMENT);
    &mut memory[start..start + len]
}
