//! Front ends that go and come back, and servers that do.

use std::os::fd::AsRawFd;

use vhost::vhost_user::VhostUserFrontend;
use vhost::vhost_user::message::VhostUserInflight;

use super::driver::{SIZE, SLOTS};
use super::front_end::{Guest, OK, QUEUES, READ, WRITE};
use super::served::{LEN, Served};

#[test]
fn a_front_end_that_comes_back_goes_on_where_it_was() {
    let mut served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    for round in 0..4_u8 {
        let earlier = guest.queues[0].position();
        for slot in 0..SLOTS {
            guest.put_data(slot, &[round * 32 + u8::try_from(slot).unwrap(); 4096]);
            guest.add(0, slot, WRITE, u64::from(slot) * 8, 4096);
        }
        guest.queues[0].kick(earlier);
        // It is cut off with requests in flight. They end: the server waits for them before it lets the next one in.
        if round % 2 == 0 {
            served.serve_again();
        }
        guest.reconnect(&served.socket());
        let mut done = 0;
        // What was not taken before the cut is taken now.
        let taken = guest.used(0);
        guest.start(0, taken);
        while done < SLOTS {
            let (slot, _) = guest.queues[0].wait();
            assert_eq!(guest.status(0, slot), OK);
            done += 1;
        }
        for slot in 0..SLOTS {
            let position = guest.queues[0].position();
            guest.add(0, slot, READ, u64::from(slot) * 8, 4096);
            guest.queues[0].kick(position);
            guest.queues[0].wait();
            assert_eq!(guest.get_data(slot, 4096), [round * 32 + u8::try_from(slot).unwrap(); 4096]);
        }
    }
}

#[test]
fn requests_that_a_dead_process_had_taken_are_done_again_and_no_others() {
    use vm_memory::mmap::MmapRegion;
    use vm_memory::{Bytes, FileOffset, GuestAddress, VolatileMemory};
    let served = Served::new();
    served.clear();
    let mut guest = Guest::new(&served.socket(), 0);
    guest.reconnect(&served.socket());
    let wanted = VhostUserInflight { mmap_size: 0, mmap_offset: 0, num_queues: QUEUES, queue_size: SIZE };
    let (inflight, file) = guest.front_end.get_inflight_fd(&wanted).unwrap();
    // What the dead process left: it took the first four of six requests, and gave the third back.
    let len = usize::try_from(inflight.mmap_size).unwrap();
    let notes: MmapRegion = MmapRegion::from_file(FileOffset::new(file.try_clone().unwrap(), 0), len).unwrap();
    let notes = notes.as_volatile_slice();
    for slot in 0..6_u16 {
        guest.put_data(slot, &[u8::try_from(slot).unwrap() + 1; 4096]);
        guest.add(0, slot, WRITE, u64::from(slot) * 8, 4096);
    }
    let head = |slot: u16| usize::from(slot * super::driver::PART);
    for (counter, slot) in [(3_u64, 0_u16), (1, 1), (2, 3)] {
        let state = 16 + 16 * head(slot);
        notes.write_obj(1_u8, state).unwrap();
        notes.write_obj(counter, state + 8).unwrap();
    }
    notes.write_obj(1_u16, 14).unwrap();
    let used_ring = guest.queues[0].used_ring();
    guest.memory.write_obj(u32::try_from(head(2)).unwrap(), GuestAddress(used_ring + 4)).unwrap();
    guest.memory.write_obj(1_u16, GuestAddress(used_ring + 2)).unwrap();
    guest.front_end.set_inflight_fd(&inflight, file.as_raw_fd()).unwrap();
    guest.start(0, 1);
    let mut done: Vec<u16> = (0..6).map(|_| guest.queues[0].wait().0).collect();
    done.sort_unstable();
    assert_eq!(done, [0, 1, 2, 3, 4, 5], "the third by the dead process, the others now, each once");
    let content = served.content();
    for slot in 0..6_usize {
        let expected = if slot == 2 { 0 } else { u8::try_from(slot).unwrap() + 1 };
        assert!(content[slot * 4096..(slot + 1) * 4096].iter().all(|byte| *byte == expected), "{slot}");
    }
    assert_eq!(guest.stop(0), 6);
    for slot in 0..6 {
        assert_eq!(notes.read_obj::<u8>(16 + 16 * head(slot)).unwrap(), 0, "nothing is in flight any more");
    }
}

#[test]
fn a_queue_stops_where_it_was_and_memory_changes_under_it() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    for round in 0..5_u8 {
        assert_eq!(guest.write(0, 0, &[round; 4096]), OK);
        guest.share_memory();
        assert_eq!(guest.read(0, 0, 4096), [round; 4096]);
        guest.front_end.set_vring_enable(0, false).unwrap();
        let earlier = guest.queues[0].position();
        guest.add(0, 3, READ, 0, 4096);
        guest.queues[0].kick.write(1).unwrap();
        assert_eq!(guest.queues[0].poll(std::time::Duration::from_millis(30)), None, "a disabled queue takes nothing");
        guest.front_end.set_vring_enable(0, true).unwrap();
        assert_eq!(guest.queues[0].wait().0, 3);
        let position = guest.stop(0);
        assert_eq!(position, earlier + 1);
        guest.start(0, position);
    }
}

#[test]
fn a_server_that_ends_gives_back_what_it_took() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    let earlier = guest.queues[0].position();
    for slot in 0..SLOTS {
        guest.add(0, slot, READ, LEN / 1024, 262_144);
    }
    guest.queues[0].kick(earlier);
    guest.queues[0].wait();
    served.end();
    // It took all of them with one look, so all of them are done.
    for _ in 1..SLOTS {
        let (slot, _) = guest.queues[0].poll(std::time::Duration::ZERO).expect("a request was not given back");
        assert_eq!(guest.status(0, slot), OK);
    }
}
